//! Numbers as lines deliver them and people write them.

use super::*;
use proptest::prelude::*;

fn in_country_of(iso: &str) -> Numbering {
    Numbering::new(Some(iso.parse().unwrap()))
}

/// What libphonenumber 9.0.43 answers to `format(parse(text, country), E164)`.
#[rustfmt::skip]
const PUBLISHED: &[(&str, &str, &str)] = &[
    ("US", "(202) 555-0123", "+12025550123"),
    ("US", "1 202 555 0123", "+12025550123"),
    ("US", "+12025550123", "+12025550123"),
    ("US", "011 44 20 7946 0018", "+442079460018"),
    ("CA", "506-234-5678", "+15062345678"),
    ("CA", "+15062345678", "+15062345678"),
    ("CA", "1-416-555-0199", "+14165550199"),
    ("CA", "01133123456789", "+33123456789"),
    ("GB", "020 7946 0018", "+442079460018"),
    ("GB", "+44 (0)20 7946 0018", "+442079460018"),
    ("GB", "442079460018", "+442079460018"),
    ("GB", "0044 20 7946 0018", "+442079460018"),
    ("GB", "07400 123456", "+447400123456"),
    ("GB", "7400123456", "+447400123456"),
    ("GB", "00 1 202 555 0123", "+12025550123"),
    ("GB", "0800 1111", "+448001111"),
    ("FR", "01 23 45 67 89", "+33123456789"),
    ("FR", "+33 (0)1 23 45 67 89", "+33123456789"),
    ("FR", "33123456789", "+33123456789"),
    ("FR", "123456789", "+33123456789"),
    ("FR", "0033 6 12 34 56 78", "+33612345678"),
    ("DE", "030/123456", "+4930123456"),
    ("DE", "+49 (0)30 123456", "+4930123456"),
    ("DE", "0151 23456789", "+4915123456789"),
    ("DE", "4930123456", "+4930123456"),
    ("DE", "004930123456", "+4930123456"),
    ("DE", "30123456", "+4930123456"),
    ("ES", "912 345 678", "+34912345678"),
    ("ES", "+34 912 345 678", "+34912345678"),
    ("ES", "34912345678", "+34912345678"),
    ("ES", "0034 912345678", "+34912345678"),
    ("ES", "612345678", "+34612345678"),
    ("IT", "02 1234 5678", "+390212345678"),
    ("IT", "+39 02 1234 5678", "+390212345678"),
    ("IT", "312 345 6789", "+393123456789"),
    ("IT", "390212345678", "+390212345678"),
    ("IT", "39800123456", "+39800123456"),
    ("IT", "0039 312 3456789", "+393123456789"),
    ("AU", "(02) 1234 5678", "+61212345678"),
    ("AU", "0412 345 678", "+61412345678"),
    ("AU", "+61 2 1234 5678", "+61212345678"),
    ("AU", "0011 1 202 555 0123", "+12025550123"),
    ("AU", "1800 123 456", "+611800123456"),
    ("AU", "61412345678", "+61412345678"),
    ("IN", "081234 56789", "+918123456789"),
    ("IN", "8123456789", "+918123456789"),
    ("IN", "+91 81234 56789", "+918123456789"),
    ("IN", "918123456789", "+918123456789"),
    ("IN", "1800 123 456", "+911800123456"),
    ("IN", "00 1 202 555 0123", "+12025550123"),
    ("BR", "(11) 96123-4567", "+5511961234567"),
    ("BR", "011 96123-4567", "+5511961234567"),
    ("BR", "0 15 11 96123-4567", "+5511961234567"),
    ("BR", "+55 11 96123-4567", "+5511961234567"),
    ("BR", "5511961234567", "+5511961234567"),
    ("BR", "00 15 1 202 555 0123", "+12025550123"),
    ("BR", "0800 123 456", "+55800123456"),
    ("BR", "(0xx11) 96123-4567", "+5511961234567"),
    ("BR", "0xx1196123-4567", "+5511961234567"),
    ("BR", "55500122522", "+55500122522"),
    ("DE", "0301234", "+49301234"),
    ("MX", "33 1234 5678", "+523312345678"),
    ("MX", "523312345678", "+523312345678"),
    ("AR", "011 8765-4321", "+541187654321"),
    ("AR", "011 15 8765-4321", "+5491187654321"),
    ("AR", "0343 15 555-1212", "+5493435551212"),
    ("AR", "02966 15 23-4567", "+5492966234567"),
    ("AR", "+54 9 11 8765 4321", "+5491187654321"),
    ("CH", "41212345678", "+41212345678"),
    ("CH", "044 668 18 00", "+41446681800"),
    ("CZ", "420212655840", "+420212655840"),
    ("GR", "302123456789", "+302123456789"),
    ("SG", "6561239121", "+6561239121"),
    ("IE", "3532212345", "+3532212345"),
    ("IS", "8560413", "+3548560413"),
    ("BY", "80297470604", "+375297470604"),
];

#[test]
fn numbers_get_the_form_that_libphonenumber_gives_them() {
    for (country, text, expected) in PUBLISHED {
        let number = in_country_of(country).read(text);
        assert_eq!(
            number.e164().as_deref(),
            Some(*expected),
            "{country} {text}"
        );
        assert_eq!(number.normalised().as_deref(), Some(*expected));
    }
}

#[test]
fn what_mexicans_dialled_until_2019_is_the_number_of_today() {
    let numbering = in_country_of("MX");
    for text in [
        "01 33 1234 5678",
        "044 33 1234 5678",
        "045 33 1234 5678",
        "+52 1 33 1234 5678",
        "5213312345678",
    ] {
        assert_eq!(
            numbering.read(text).e164().as_deref(),
            Some("+523312345678"),
            "{text}"
        );
    }
}

#[test]
fn what_is_not_a_whole_number_is_never_made_one() {
    // libphonenumber makes "numbers" of these and then calls them invalid.
    for (country, text, impossible) in [
        ("US", "5550123", false),
        ("US", "911", false),
        ("US", "1202555012", true),
        ("US", "0015550123", true),
        ("US", "9115550123", true),
        ("US", "2021550123", true),
        ("US", "2025550123", false),
        ("US", "2022110123", true),
        ("US", "8002110123", false),
        ("US", "+19995550123", true),
        ("GB", "112", false),
        ("GB", "0123456", false),
        ("GB", "012345678901234", true),
        ("FR", "3631", false),
        ("FR", "0023456789", true),
        ("FR", "01234567", true),
        ("DE", "110", false),
        ("AU", "130000", false),
        ("ES", "123456789", true),
        ("US", "*67", false),
        ("US", "EXAMPLE", false),
        ("US", "+999123456789", true),
    ] {
        let number = in_country_of(country).read(text);
        assert_eq!(
            number.is_impossible(),
            impossible,
            "{country} {text} {number:?}"
        );
        if text.len() <= 7 {
            assert_eq!(number.e164(), None, "{country} {text}");
        }
    }
}

#[test]
fn texts_and_addresses_are_not_numbers_unless_they_say_so() {
    let numbering = in_country_of("US");
    for (text, expected) in [
        ("sip:+15055550134@gw.example.com", Some("+15055550134")),
        ("+15055550134@192.0.2.7", Some("+15055550134")),
        ("tel:+1-505-555-0134;ext=12", Some("+15055550134")),
        ("(505) 555-0134 ext. 12", Some("+15055550134")),
        ("505-555-0134x12", Some("+15055550134")),
        ("(505) 555-0134 extn. 4567", Some("+15055550134")),
        ("505-555-0134 #12", Some("+15055550134")),
        ("505-555-0134,,456", Some("+15055550134")),
        ("505-555-0134;456", Some("+15055550134")),
        ("+1 505 555 0134p12", Some("+15055550134")),
        ("+1 505 555 0134 w 12", Some("+15055550134")),
        ("#31#5055550134", None),
        ("5055550134#", None),
        ("５０５５５５０１３４", Some("+15055550134")),
        ("sip:1000@192.0.2.7", None),
        ("user5055550134@example.com", None),
        ("5055550134@example.com", None),
        ("1-800-FLOWERS", None),
        ("*6715055550134", None),
        ("x12", None),
        ("PRIVATE", None),
        ("", None),
    ] {
        let number = numbering.read(text);
        assert_eq!(number.normalised().as_deref(), expected, "{text}");
        assert_eq!(number.as_received(), text);
    }
}

#[test]
fn without_a_country_equal_numbers_are_equal_and_doubtful_ones_are_not() {
    let numbering = Numbering::default();
    let key = |text: &str| {
        let dialled = Dialled::of(text).unwrap();
        numbering.key_of(dialled.plus, &dialled.digits)
    };
    let equal = [
        &[
            "5055034455",
            "15055034455",
            "+15055034455",
            "0115055034455x",
            "+1 (505) 503-4455",
            "0015055034455",
        ][..],
        &[
            "+442079460018",
            "00442079460018",
            "011442079460018",
            "442079460018",
            "+44 (0)20 7946 0018",
        ],
        &["01632960123", "1632960123"],
        &["912345678", "0912345678"],
        &["+4511223344", "4511223344"],
    ];
    for class in equal {
        for text in class.iter().filter(|text| !text.ends_with('x')) {
            assert_eq!(key(text), key(class[0]), "{text}");
        }
    }
    let different = [
        "5055034455",
        "05055034455",
        "+4755034455",
        "4755034455",
        "505503445",
        "5034455",
        "05034455",
        "55034455",
        "02079460018",
        "+442079460018",
        "0000000000",
        "000",
        "0",
        "2079460018",
        "15034455",
    ];
    for (index, a) in different.iter().enumerate() {
        for b in &different[index + 1..] {
            assert_ne!(key(a), key(b), "{a} {b}");
        }
    }
    assert_eq!(numbering.read("5055034455").e164(), None);
    assert_eq!(
        numbering.read("15055034455").e164().as_deref(),
        Some("+15055034455")
    );
}

#[test]
fn countries_are_told_apart() {
    for (text, country) in [
        ("+15055550134", Some("US")),
        ("+14165550199", Some("CA")),
        ("+18765550123", Some("JM")),
        ("+18005550199", None),
        ("+442079460018", Some("GB")),
        ("+441534123456", Some("JE")),
        ("+77012345678", Some("KZ")),
        ("+79161234567", Some("RU")),
        ("+358401234567", Some("FI")),
        ("+35818123456", Some("AX")),
        ("+33123456789", Some("FR")),
    ] {
        let found = Number::new(text).country();
        assert_eq!(found.map(Country::iso), country, "{text}");
    }
    assert_eq!(
        Country::of_time_zone("Europe/Paris").map(Country::iso),
        Some("FR")
    );
    assert_eq!(
        Country::of_time_zone("America/New_York").map(Country::iso),
        Some("US")
    );
    assert_eq!(
        Country::of_time_zone("Asia/Calcutta").map(Country::iso),
        Some("IN")
    );
    assert_eq!(Country::of_time_zone("UTC"), None);
    assert_eq!("uk".parse::<Country>().map(Country::iso), Ok("GB"));
    assert_eq!("XX".parse::<Country>(), Err(UnknownCountry));
    assert_eq!("".parse::<Country>(), Err(UnknownCountry));
    let countries = PLANS.iter().filter(|plan| !plan.iso.is_empty());
    assert!(
        countries
            .into_iter()
            .all(|plan| plan.iso.parse::<Country>().is_ok())
    );
}

#[test]
fn free_and_dear_numbers_are_known_by_their_beginnings() {
    for (country, text, free, premium) in [
        ("US", "8005550199", true, false),
        ("US", "9005550199", false, true),
        ("US", "5055550134", false, false),
        ("GB", "0808 157 0000", true, false),
        ("GB", "0909 879 0000", false, true),
        ("FR", "0800 123 456", true, false),
        ("FR", "0899 123 456", false, true),
        ("DE", "0800 1234567", true, false),
        ("DE", "0900 1 123456", false, true),
        ("ES", "900 123 456", true, false),
        ("ES", "803 123 456", false, true),
        ("IT", "800 123 456", true, false),
        ("IT", "899 123 456", false, true),
        ("AU", "1800 123 456", true, false),
        ("AU", "1900 123 456", false, true),
        ("IN", "1800 123 456", true, false),
        ("BR", "0800 123 4567", true, false),
        ("SE", "020 19 06 16", true, false),
        ("PL", "70 8 017 083", false, true),
        ("FR", "0884 01 23 45", false, false),
        ("CZ", "800 123 456", true, false),
        ("HU", "06 80 123 456", true, false),
        ("GR", "901 123 4567", false, true),
        ("RU", "8 800 555 35 35", true, false),
        ("US", "+800 1234 5678", true, false),
        ("US", "+979 123 456 789", false, true),
    ] {
        let number = in_country_of(country).read(text);
        assert_eq!(
            (number.is_toll_free(), number.is_premium()),
            (free, premium),
            "{country} {text}"
        );
    }
}

#[test]
fn numbers_of_no_country_are_numbers() {
    for (country, text) in [
        ("US", "+881612345678"),
        ("US", "011 881 612345678"),
        ("DE", "00 870 773 112 345"),
        ("FR", "+883 5100 0123 4567"),
        ("GB", "+800 1234 5678"),
    ] {
        let number = in_country_of(country).read(text);
        assert!(number.e164().is_some() && !number.is_impossible(), "{text}");
        assert_eq!(number.country(), None, "{text}");
    }
    // Where there are no area codes, a short number is a whole one.
    let estonian = in_country_of("EE").read("321 2642").e164();
    assert_eq!(estonian.as_deref(), Some("+3723212642"));
}

#[test]
fn neighbours_share_the_exchange() {
    let numbering = in_country_of("US").with_own_number("505 555 0134");
    let own = numbering.own_number().unwrap();
    for (text, neighbour, same) in [
        ("5055550199", true, false),
        ("+15055550134", true, true),
        ("5055560134", false, false),
        ("5550134", false, false),
        ("+525055550134", false, false),
    ] {
        let number = numbering.read(text);
        assert_eq!(
            (number.is_neighbour_of(own), number.is_same(own)),
            (neighbour, same),
            "{text}"
        );
    }
}

#[test]
fn a_key_holds_eighteen_digits() {
    assert_eq!(
        Key::new("999999999999999999"),
        Some(Key::from_raw(1_999_999_999_999_999_999))
    );
    assert_eq!(Key::new("1999999999999999999"), None);
    assert_eq!(Key::new("0012").unwrap().digits(), "0012");
    assert_eq!(Key::new(""), None);
}

fn any_country() -> impl Strategy<Value = Option<Country>> {
    proptest::option::of((0..PLANS.len()).prop_map(|index| Country(&PLANS[index])))
}

proptest! {
    #[test]
    fn normalising_is_idempotent(country in any_country(), text in r"\+?[0-9 ()-]{0,20}") {
        let numbering = Numbering::new(country);
        if let Some(once) = numbering.read(&text).normalised() {
            let again = numbering.read(&once);
            prop_assert_eq!(again.normalised().unwrap(), once);
        }
    }

    #[test]
    fn any_text_is_a_number_or_a_text(country in any_country(), text in ".{0,80}") {
        let number = Numbering::new(country).read(&text);
        let own = Number::new("+15055550134");
        let _ = (number.country(), number.is_impossible(), number.is_neighbour_of(&own), number.is_premium());
    }

    #[test]
    fn e164_is_the_same_everywhere(country in any_country(), other in any_country(), text in r"\+[1-9][0-9]{7,14}") {
        let here = Numbering::new(country).read(&text).e164();
        prop_assert_eq!(&here, &Numbering::new(other).read(&text).e164());
        if let Some(here) = here {
            prop_assert_eq!(Numbering::new(other).read(&here).e164(), Some(here));
        }
    }
}
