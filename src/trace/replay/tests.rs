use super::*;
use crate::trace::form::{Direction, PortChange, Record, What, parse, write_record};

const INIT: &str = "callblock-trace 1
0.0 -- opened
0.1 >> AT\\r
0.11 << AT\\r\\r\\nOK\\r\\n
0.2 >> ATI3\\r
0.25 << \\r\\nX\\r\\n
0.3 << \\r\\nOK\\r\\n
5.0 << \\r\\nRING\\r\\n
6.0 << NMBR = 123\\r\\n
6.1 >> AT+VRX\\r
6.2 << \\r\\nCONNECT\\r\\n
6.3 <r 160 81
7.0 >> \\x10!
7.1 << \\x10\\x03\\r\\nOK\\r\\n
7.2 >> ATH0\\r
7.3 << \\r\\nOK\\r\\n
30.0 << \\r\\nRING\\r\\n
";

struct Bench {
    replay: Replay,
    start: Instant,
}

impl Bench {
    fn new(trace: &str) -> Self {
        let start = Instant::now();
        let trace = parse(trace.as_bytes()).unwrap();
        assert_eq!(trace.problems, []);
        Self {
            replay: Replay::new(trace, start),
            start,
        }
    }

    fn say(&mut self, seconds: f64, bytes: &[u8]) {
        let now = self.start + Duration::from_secs_f64(seconds);
        assert_eq!(self.replay.receive(now, bytes), bytes.len());
    }

    /// What it has said since it was asked last, as text.
    fn said_by(&mut self, seconds: f64) -> String {
        self.replay
            .advance(self.start + Duration::from_secs_f64(seconds));
        let said = self.replay.output().escape_ascii().to_string();
        let count = self.replay.output().len();
        self.replay.sent(count);
        said
    }
}

#[test]
fn replies_follow_commands_and_rings_come_as_long_after_them() {
    let mut bench = Bench::new(INIT);
    // Nothing before the first command, however long nobody opens the port.
    assert_eq!(bench.said_by(100.0), "");
    assert_eq!(bench.replay.next_wake(), None);
    bench.say(100.0, b"at\r");
    assert_eq!(bench.said_by(100.005), "");
    assert_eq!(bench.said_by(100.011), "AT\\r\\r\\nOK\\r\\n");
    bench.say(101.0, b"AT I3\r");
    assert_eq!(bench.said_by(101.06), "\\r\\nX\\r\\n");
    assert_eq!(bench.said_by(101.11), "\\r\\nOK\\r\\n");
    assert_eq!(bench.said_by(105.79), "");
    assert_eq!(bench.said_by(105.81), "\\r\\nRING\\r\\n");
    assert_eq!(bench.said_by(106.81), "NMBR = 123\\r\\n");
    // Nobody picks up: the second call comes when it came.
    assert_eq!(bench.said_by(130.7), "");
    assert_eq!(bench.said_by(130.81), "\\r\\nRING\\r\\n");
    assert!(bench.replay.is_over());
}

#[test]
fn commands_out_of_order_are_answered_and_change_no_time() {
    let mut bench = Bench::new(INIT);
    bench.say(0.0, b"AT\r");
    bench.said_by(0.5);
    for (command, answer) in [
        (&b"AT+NEW\r"[..], "\\r\\nERROR\\r\\n"),
        (b"\r\n\r", ""),
        // After the rings, but answered as there.
        (b"ATH0\r", "\\r\\nOK\\r\\n"),
        (b"AT\r", "AT\\r\\r\\nOK\\r\\n"),
    ] {
        bench.say(1.0, command);
        assert_eq!(bench.said_by(1.5), answer, "{command:?}");
    }
    assert_eq!(bench.said_by(4.89), "");
    assert_eq!(bench.said_by(4.91), "\\r\\nRING\\r\\n");
    let mut empty = Bench::new("callblock-trace 1\n");
    empty.say(0.0, b"AT\rATZ\r");
    assert_eq!(empty.said_by(1.0), "\\r\\nOK\\r\\n\\r\\nERROR\\r\\n");
}

#[test]
fn who_picks_up_sooner_hears_no_rings_of_the_past() {
    let mut bench = Bench::new(INIT);
    bench.say(0.0, b"ATI3\r");
    assert_eq!(
        bench.said_by(4.85),
        "\\r\\nX\\r\\n\\r\\nOK\\r\\n\\r\\nRING\\r\\n"
    );
    bench.say(5.0, b"AT+VRX\r");
    assert_eq!(bench.said_by(5.15), "\\r\\nCONNECT\\r\\n");
    assert_eq!(bench.said_by(5.21), "\\x81".repeat(160));
    // What comes after it in the trace is far: silence.
    assert_eq!(bench.said_by(5.3).replace("\\x80", ""), "");
    bench.say(5.3, b"\0\x10\x18\x10\x03\x10!\x10^\r");
    assert_eq!(bench.said_by(5.45), "\\x10\\x03\\r\\nOK\\r\\n");
    bench.say(6.0, b"ATH0\r");
    assert_eq!(bench.said_by(6.2), "\\r\\nOK\\r\\n");
    assert_eq!(bench.said_by(28.7), "");
    assert_eq!(bench.said_by(28.81), "\\r\\nRING\\r\\n");
}

#[test]
fn a_long_stream_is_silent_and_news_wait_for_its_end() {
    let mut bench = Bench::new(INIT);
    bench.say(0.0, b"AT+VRX\r");
    let silence = 160 * 50 * 60;
    let mut heard = 0;
    for second in 1..=60 {
        bench
            .replay
            .advance(bench.start + Duration::from_secs(second));
        heard += bench.replay.output().len();
        let count = bench.replay.output().len();
        bench.replay.sent(count);
    }
    // A little audio of the trace and the word that it begins are before it.
    assert!((silence - 8_000..=silence).contains(&heard), "{heard}");
    bench.say(60.0, b"\x10!");
    assert_eq!(
        bench.said_by(60.1),
        "\\r\\nRING\\r\\n\\x10\\x03\\r\\nOK\\r\\n"
    );
}

#[test]
fn nobody_reading_costs_no_memory() {
    let mut bench = Bench::new(INIT);
    bench.say(0.0, b"AT+VRX\r");
    bench.replay.advance(bench.start + Duration::from_hours(1));
    assert!(bench.replay.output().len() <= MOST_OUTPUT);
}

proptest::proptest! {
    #[test]
    fn any_trace_and_any_host_are_survived(
        trace in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..400),
        host in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200),
    ) {
        let telling = b"\x10\x10\x03!AT+VRX\r\nOKCONNECT RING=";
        let mut text = String::from("callblock-trace 1\n");
        for (index, chunk) in trace.chunks(7).enumerate() {
            let bytes: Vec<u8> = chunk.iter().map(|b| telling[usize::from(*b) % telling.len()]).collect();
            let what = match chunk[0] % 8 {
                0..4 => What::Bytes(Direction::FromModem, bytes),
                4..7 => What::Bytes(Direction::ToModem, bytes),
                _ => What::Port([PortChange::Lost, PortChange::Opened][usize::from(chunk[0] >> 7)]),
            };
            let at = Duration::from_millis(index as u64 * 300);
            write_record(&Record { at, what }, &mut text);
        }
        let mut bench = Bench::new(&text);
        bench.say(0.0, b"AT\r");
        for (index, byte) in host.iter().enumerate() {
            bench.say(index as f64, &[telling[usize::from(*byte) % telling.len()]]);
            bench.said_by(index as f64);
            while bench.replay.take_plug_change().is_some() {}
        }
        proptest::prop_assert!(bench.replay.output().is_empty() || bench.replay.is_plugged());
    }
}
