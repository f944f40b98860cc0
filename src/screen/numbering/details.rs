//! What is known of some numbering plans beyond calling codes and lengths, as tables.
//!
//! After the national numbering plans that countries file with the ITU and the North American area
//! codes of NANPA. The numbers of ten countries are told apart more closely than by their length.

/// What national numbers of a country may begin with, and how long they then are; for the countries
/// whose plan is known here in more detail than its lengths.
pub(super) struct Shape {
    /// First digits.
    pub(super) first: &'static str,
    pub(super) min: u8,
    pub(super) max: u8,
}

const fn shape(first: &'static str, min: u8, max: u8) -> Shape {
    Shape { first, min, max }
}

/// The shapes of a country's national numbers; empty if only their length is known.
pub(super) const fn shapes(iso: [u8; 2]) -> &'static [Shape] {
    match &iso {
        b"GB" => {
            &const {
                [
                    shape("1235789", 10, 10),
                    shape("18", 9, 9),
                    shape("8", 7, 7),
                ]
            }
        }
        b"FR" => &const { [shape("123456789", 9, 9)] },
        b"DE" => &const { [shape("123456789", 4, 15)] },
        b"ES" => &const { [shape("56789", 9, 9)] },
        b"IT" => {
            &const {
                [
                    shape("0", 6, 12),
                    shape("3", 9, 10),
                    shape("8", 6, 10),
                    shape("1", 9, 11),
                    shape("457", 10, 10),
                ]
            }
        }
        b"AU" => &const { [shape("23478", 9, 9), shape("1", 5, 12)] },
        b"IN" => &const { [shape("23456789", 10, 10), shape("1", 8, 13)] },
        b"BR" => &const { [shape("123456789", 10, 11), shape("34589", 8, 9)] },
        _ => &[],
    }
}

/// The most digits of a country's fixed and mobile numbers, where other services have more. What is
/// longer and begins with the calling code most likely has it.
pub(super) const fn usual_max(iso: [u8; 2]) -> Option<u8> {
    Some(match &iso {
        b"AC" => 5,
        b"AD" | b"WF" => 6,
        b"BZ" | b"EE" | b"FJ" | b"IS" | b"MV" => 7,
        b"BO" | b"BW" | b"CR" | b"GT" | b"HK" | b"HN" | b"MU" | b"OM" | b"PA" | b"PF" | b"QA"
        | b"SG" | b"SV" | b"SZ" | b"UY" => 8,
        b"AE" | b"AL" | b"AU" | b"BG" | b"BY" | b"CC" | b"CH" | b"CL" | b"CX" | b"CZ" | b"EC"
        | b"IE" | b"KE" | b"KG" | b"KH" | b"LU" | b"PL" | b"PS" | b"PY" | b"SA" | b"SE" | b"TH"
        | b"TW" | b"UA" | b"ZA" | b"ZW" => 9,
        b"FI" | b"AX" | b"CO" | b"GR" | b"IN" | b"JP" | b"KR" | b"NG" | b"NP" | b"PH" | b"PK"
        | b"TR" => 10,
        b"CN" | b"VA" => 11,
        b"ID" => 12,
        _ => return None,
    })
}

/// What else than the trunk prefix is dialled before a national number, or was and still is in address
/// books.
pub(super) const fn other_prefixes(iso: [u8; 2]) -> &'static [&'static str] {
    match &iso {
        b"MX" => &["01", "044", "045"],
        b"BY" => &["80"],
        _ => &[],
    }
}

/// Argentina's area codes of three digits.
const ARGENTINE_AREAS: &str = "220 221 223 230 236 237 249 260 261 263 264 266 280 291 294 297 298 299 \
    336 341 342 343 345 348 351 353 354 358 362 364 370 376 379 380 381 383 385 387 388";

/// The area code that a national number of Argentina begins with: Buenos Aires has two digits, larger
/// cities three, the others four.
pub(super) fn argentine_area(national: &str) -> Option<&str> {
    let three = national.get(..3)?;
    if national.starts_with("11") {
        national.get(..2)
    } else if ARGENTINE_AREAS.split(' ').any(|area| area == three) {
        Some(three)
    } else {
        national.get(..4)
    }
}

/// Who pays for a call to a number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Charge {
    /// The called party.
    TollFree,
    /// The caller, more than a call costs.
    Premium,
}

/// The beginnings of national numbers that are free to call, and of those that cost more than a
/// call, by country.
pub(super) const fn charges(iso: [u8; 2]) -> (&'static [&'static str], &'static [&'static str]) {
    match &iso {
        b"GB" | b"GG" | b"JE" | b"IM" => (
            &["800", "808"],
            &[
                "842", "843", "844", "845", "870", "871", "872", "873", "90", "91", "982", "983",
                "984", "985", "986", "987", "988", "989",
            ],
        ),
        b"FR" => (
            &["800", "801", "802", "803", "804", "805"],
            &[
                "812", "813", "814", "815", "816", "817", "818", "819", "822", "823", "824", "827",
                "828", "829", "83", "85", "86", "880", "881", "882", "883", "885", "886", "887",
                "888", "889", "89",
            ],
        ),
        b"DE" => (
            &["800"],
            &["1377", "1378", "1379", "9001", "9003", "9005", "9009"],
        ),
        b"ES" => (&["800", "900"], &["803", "806", "807"]),
        b"IT" => (
            &["800", "803"],
            &[
                "144", "163", "164", "166", "892", "893", "894", "895", "899",
            ],
        ),
        b"AU" => (&["1800", "1802"], &["190"]),
        b"IN" => (&["1800", "1803"], &["1861", "1862"]),
        b"BR" => (&["800"], &["300", "500", "900"]),
        b"AT" => (&["800"], &["86", "89", "900", "901", "930", "931", "939"]),
        b"CH" | b"NL" => (&["800"], &["900", "901", "906", "909"]),
        b"LU" => (&["800"], &["900", "901", "905"]),
        b"SE" => (&["20"], &["649", "900", "939", "944", "99"]),
        b"NO" => (&["800", "801"], &["820", "829"]),
        b"DK" | b"LV" => (&["80"], &["90"]),
        b"FI" => (&["800"], &["600", "700"]),
        b"PT" => (&["800", "802"], &["60", "646", "648", "760", "761", "762"]),
        b"PL" => (&["800"], &["70"]),
        b"BE" => (&["800"], &["702", "703", "704", "706", "707", "90"]),
        b"IE" => (&["1800"], &["15"]),
        b"NZ" => (
            &["508", "80"],
            &["90", "500", "503", "5066", "5077", "5088"],
        ),
        b"JP" => (&["120", "800"], &["990"]),
        b"MX" => (&["800", "888"], &["900"]),
        b"AR" => (&["800"], &["60"]),
        b"ZA" => (
            &["80"],
            &[
                "862", "863", "864", "865", "866", "867", "868", "869", "90", "91", "92",
            ],
        ),
        b"CZ" => (&["800"], &["900", "905", "906", "908", "909", "976"]),
        b"SK" => (&["800"], &["900", "97", "98"]),
        b"HU" => (&["40", "80"], &["90", "91"]),
        b"GR" => (&["800"], &["901", "909"]),
        b"RO" => (&["800"], &["900", "901", "903", "906"]),
        b"BG" => (&["800"], &["90"]),
        b"HR" => (&["80"], &["60", "61", "64", "65", "69"]),
        b"SI" => (&["80"], &["891", "892", "893", "90"]),
        b"RS" => (&["800"], &["78", "900", "901", "906", "909"]),
        b"UA" => (&["800"], &["9002", "9003", "9009"]),
        b"LT" => (&["800", "802"], &["900", "910"]),
        b"EE" => (&["800"], &["40", "900"]),
        b"IS" => (
            &[
                "800", "801", "802", "803", "804", "805", "806", "807", "808",
            ],
            &["90"],
        ),
        b"CY" => (&["800"], &["900", "909"]),
        b"RU" | b"KZ" => (&["800", "804"], &["803", "809"]),
        b"TR" => (&["800", "811"], &["888", "898", "900"]),
        b"IL" => (
            &["1800", "1809", "1255"],
            &["1200", "1212", "190", "1919", "199"],
        ),
        b"AE" => (&["800", "400"], &["9000", "9002"]),
        b"CN" => (&["800", "10800", "21800"], &["160", "168"]),
        b"HK" => (&["800"], &["900"]),
        b"TW" => (&["80"], &["20"]),
        b"KR" => (&["30", "80"], &["60"]),
        b"SG" => (&["800", "1800"], &["1900"]),
        b"TH" => (&["1800"], &["1900"]),
        b"MY" => (&["1300", "1700", "1800"], &["1600"]),
        b"PH" => (&["1800"], &[]),
        b"CL" => (&["800", "12300"], &[]),
        b"CO" => (&["1800"], &["1900", "1901", "1947", "1948", "901"]),
        b"PE" => (&["800"], &["805"]),
        _ => (&[], &[]),
    }
}

/// Area codes of +1 that are free to call.
pub(super) const NANP_TOLL_FREE: [&str; 7] = ["800", "833", "844", "855", "866", "877", "888"];
/// The area code of +1 whose calls cost more.
pub(super) const NANP_PREMIUM: &str = "900";

/// Area codes of +1 outside the United States.
#[rustfmt::skip]
pub(super) static NANP_AREAS: &[(&str, &str)] = &[
    ("CA", "204 226 236 249 250 257 263 289 306 343 354 365 367 368 382 387 403 416 418 428 431 437 438 \
            450 460 468 474 506 514 519 537 548 568 579 581 584 587 604 613 639 647 672 683 705 709 742 \
            753 778 780 782 807 819 825 867 873 879 902 905 942"),
    ("AG", "268"), ("AI", "264"), ("AS", "684"), ("BB", "246"), ("BM", "441"), ("BS", "242"), ("DM", "767"),
    ("DO", "809 829 849"), ("GD", "473"), ("GU", "671"), ("JM", "658 876"), ("KN", "869"), ("KY", "345"),
    ("LC", "758"), ("MP", "670"), ("MS", "664"), ("PR", "787 939"), ("SX", "721"), ("TC", "649"),
    ("TT", "868"), ("VC", "784"), ("VG", "284"), ("VI", "340"),
];

/// Countries inside the plan of another one, by the beginnings of their national numbers.
#[rustfmt::skip]
pub(super) static ENCLAVES: &[(&str, &str, &[&str])] = &[
    ("44", "GG", &["1481", "7781", "7839", "7911"]),
    ("44", "JE", &["1534", "7509", "7700", "7797", "7829", "7937"]),
    ("44", "IM", &["1624", "7524", "7624", "7924"]),
    ("7", "KZ", &["6", "7"]),
    ("39", "VA", &["06698"]),
    ("262", "YT", &["269", "639"]),
    ("47", "SJ", &["79"]),
    ("358", "AX", &["18"]),
];
