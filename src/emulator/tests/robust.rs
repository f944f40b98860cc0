//! Whatever comes, it goes on, and it stays small.

use super::*;
use proptest::prelude::*;

/// What a confused program may send: lines, streams and noise.
fn anything() -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..40),
        proptest::sample::select(vec![
            "ATZ\r",
            "ATH1\r",
            "AT+FCLASS=8\r",
            "AT+FCLASS=1\r",
            "ATA\r",
            "AT+VLS=1\r",
            "AT+VTX\r",
            "AT+VRX\r",
            "AT+VTR\r",
            "AT+VLS=0\r",
            "ATDT1234567\r",
            "AT&V\r",
            "AT+VTS=[,,],{,}\r",
            "\x10\x03",
            "\x10!",
            "\x10^",
            "\x10\x1b",
            "\x10\x18",
            "\x10p",
            "\x10",
            "AT+VSM=133\r",
            "ATS99999999999=1?\r",
            "AT+VSD=1,99999\r",
            "AT+VRA=999999999999\r",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
    ];
    proptest::collection::vec(word, 0..30).prop_map(|words| words.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_at_any_time(
        bytes in anything(),
        pauses in proptest::collection::vec(0_u64..3000, 1..20),
        chip in proptest::sample::select(Chip::ALL.to_vec()),
        reads in any::<bool>(),
    ) {
        let call = Call::from("1").at(ms(500)).says(Sound::Speech(secs(2)));
        let mut bench = Bench::new(Scenario::default().chip(chip).call(call));
        let mut rest = bytes.as_slice();
        for pause in pauses.iter().cycle().take(40) {
            let part = rest.len().min(1 + bytes.len() / 30);
            let taken = bench.modem.receive(bench.now, &rest[..part]);
            prop_assert!(taken <= part);
            rest = &rest[taken..];
            let end = bench.now + ms(*pause);
            let mut wakes = 0;
            while let Some(wake) = bench.modem.next_wake().filter(|wake| *wake <= end) {
                bench.modem.advance(wake);
                wakes += 1;
                prop_assert!(wakes < 2000, "it spins");
            }
            bench.now = end;
            bench.modem.advance(end);
            prop_assert!(bench.modem.output().len() <= 8192);
            prop_assert!(bench.modem.queued_samples() <= 2048);
            if reads {
                bench.take();
            }
        }
    }

    /// However the audio is cut on its way in, the far end hears the same.
    #[test]
    fn cuts_do_not_matter(
        message in proptest::collection::vec(prop_oneof![Just(DLE), any::<u8>()], 1..600),
        cuts in proptest::collection::vec(1_usize..50, 1..20),
    ) {
        let mut bench = Bench::streaming(Scenario::default(), "+VTX");
        let bytes = shielded(&message);
        let mut rest = bytes.as_slice();
        for cut in cuts.iter().cycle() {
            let (part, after) = rest.split_at((*cut).min(rest.len()));
            bench.send(part);
            rest = after;
            if rest.is_empty() {
                break;
            }
        }
        bench.send(b"\x10\x03");
        bench.wait(secs(1));
        let heard = bench.modem.journal().heard();
        prop_assert_eq!(heard.len(), 1);
        prop_assert_eq!(&heard[0].samples, &message);
    }

    #[test]
    fn any_text_is_a_scenario_or_an_error(text in "\\PC{0,200}") {
        let _ = Scenario::parse(&text);
    }
}
