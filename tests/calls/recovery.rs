//! A modem that stops doing what it is told, and how it is brought back.

use crate::house::{Evening, FRIEND, House, ROBOCALLER};
use crate::log::Log;
use callblock::blocker::BlockAction;
use callblock::blocker::daemon::{Notice, Observer};
use callblock::emulator::{
    Call, Chip, Cure, Ending, Fault, FaultKind, Happening, Scenario, Trigger, Unplug,
};
use callblock::modem::port::{Changed, Jack, OpenError, Port, Reset, ResetError};
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub const MINUTE: Duration = Duration::from_mins(1);

/// The modem stops soon after it was set up; a robocaller comes much later.
pub fn house(faults: &[Fault], call_at: Duration) -> House {
    let call = Call::from(ROBOCALLER).named("A robocaller").at(call_at);
    let mut scenario = Scenario::default().call(call);
    for fault in faults {
        scenario = scenario.fault(fault.clone());
    }
    House::new(scenario).watched((call_at + MINUTE).as_secs())
}

pub fn assert_blocked(evening: &Evening, what: &str) {
    let story = format!("{what}\n{}", evening.story());
    let row = evening
        .rows
        .last()
        .unwrap_or_else(|| panic!("no row: {story}"));
    assert_eq!(row.verdict, "block", "{story}");
    assert_eq!(row.outcome.as_deref(), Some("finished"), "{story}");
    assert!(evening.ends_on_hook(), "{story}");
}

#[tokio::test(start_paused = true)]
async fn each_step_of_the_ladder_cures_what_the_one_before_did_not() {
    // What each step says of itself.
    let ladder = [
        (Cure::SoftReset, "no answer: soft reset"),
        (Cure::Dtr, "reopening the port with DTR dropped"),
        (Cure::UsbReset, "was reset"),
    ];
    for (cure, _) in ladder {
        let log = Log::begin();
        let stops = Fault::new(Trigger::At(Duration::from_secs(30)), FaultKind::Hang(cure));
        let evening = house(&[stops], 8 * MINUTE).live().await;
        assert_blocked(&evening, &format!("{cure:?}"));
        let dtr_dropped = evening
            .journal
            .entries()
            .iter()
            .filter(|entry| entry.at < 8 * MINUTE)
            .any(|entry| entry.what == Happening::Dtr(false));
        assert_eq!(
            dtr_dropped,
            cure > Cure::SoftReset,
            "{cure:?}\n{}",
            evening.story()
        );
        let reset = evening.journal.count(|h| *h == Happening::Unplugged);
        assert_eq!(reset, usize::from(cure == Cure::UsbReset), "{cure:?}");
        let lines = log.lines();
        assert!(log.count("resynchronising") > 0, "{lines:#?}");
        for (step, said) in ladder {
            assert_eq!(
                log.count(said) > 0,
                step <= cure,
                "{cure:?}: {said}\n{lines:#?}"
            );
        }
        assert!(lines.len() < 20, "{lines:#?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_reply_that_was_lost_is_cured_by_a_resync() {
    let log = Log::begin();
    let lost = Fault::on("+VCID?", FaultKind::NoReply);
    let evening = house(&[lost], 8 * MINUTE).live().await;
    assert_blocked(&evening, "a lost reply");
    let lines = log.lines();
    assert_eq!(
        log.count("does not answer AT+VCID?: resynchronising"),
        1,
        "{lines:#?}"
    );
    assert_eq!(log.count("it answers again"), 1, "{lines:#?}");
    assert_eq!(
        evening.journal.count(|h| *h == Happening::Dtr(false)),
        1,
        "only at the end"
    );
}

/// What a daemon said of its life, in order, and at which minute.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<(u64, String)>>>);

impl Told {
    fn observer(&self) -> Observer {
        let (told, start) = (self.clone(), tokio::time::Instant::now());
        Box::new(move |notice| {
            let what = match notice {
                Notice::Alive => "alive".into(),
                Notice::Armed { .. } => "armed".into(),
                Notice::Waiting(_) => "waiting".into(),
                Notice::Deaf { again_in, give_up } => {
                    let given_up = if *give_up { ", given up" } else { "" };
                    format!("deaf for {} min{given_up}", again_in.as_secs() / 60)
                }
                Notice::Status(words) => format!("status: {words}"),
                _ => return,
            };
            let minute = start.elapsed().as_secs() / 60;
            told.0.lock().unwrap().push((minute, what));
        })
    }

    fn all(&self, words: &str) -> Vec<(u64, String)> {
        let told = self.0.lock().unwrap();
        told.iter()
            .filter(|(_, what)| what.contains(words))
            .cloned()
            .collect()
    }
}

/// A house in which the modem stops at this time, for good; it is watched for so many minutes.
fn house_of_a_wedge(at: Duration, minutes: u32, told: &Told) -> House {
    let mut house = house(
        &[Fault::new(Trigger::At(at), FaultKind::Wedge)],
        minutes * MINUTE,
    );
    house.heartbeat = Some(Duration::from_secs(30));
    house.observer = told.observer();
    house
}

#[tokio::test(start_paused = true)]
async fn a_modem_that_hung_while_it_was_ours_is_given_up_by_keeping_silent() {
    let told = Told::default();
    house_of_a_wedge(Duration::from_secs(30), 30, &told)
        .live()
        .await;
    let given_up = told.all("deaf");
    assert_eq!(given_up[0].1, "deaf for 1 min, given up", "{given_up:?}");
    let alive = told.all("alive");
    assert!(
        alive.len() >= 8,
        "alive while it was being tried: {alive:?}"
    );
    let last = alive.last().unwrap().0;
    assert!(
        last <= given_up[0].0,
        "alive at minute {last}, given up at {}",
        given_up[0].0
    );
    let status = told.all("status: DEAF: the modem is hung");
    assert!(!status.is_empty());
}

#[tokio::test(start_paused = true)]
async fn one_that_was_hung_from_the_start_is_stayed_with_and_tried_more_and_more_rarely() {
    let (told, log) = (Told::default(), Log::begin());
    house_of_a_wedge(Duration::ZERO, 210, &told).live().await;
    let deaf: Vec<String> = told
        .all("deaf for")
        .into_iter()
        .map(|(_, what)| what)
        .collect();
    let rests = [1, 5, 15, 60, 60, 60, 60, 60].map(|minutes| format!("deaf for {minutes} min"));
    assert_eq!(deaf, rests[..deaf.len()]);
    assert!(deaf.len() >= 5, "{deaf:?}");
    assert_eq!(log.count("the modem is hung"), deaf.len(), "one line each");
    let lines = log.lines();
    let first = lines
        .iter()
        .position(|line| line.contains("the modem is hung"));
    let since = &lines[first.unwrap()..];
    assert_eq!(since.len(), deaf.len(), "and no other: {since:#?}");
    let status: Vec<String> = told
        .all("status")
        .into_iter()
        .map(|(_, what)| what)
        .collect();
    let deaf_at = status
        .iter()
        .position(|words| words.contains("DEAF"))
        .unwrap();
    for words in &status[deaf_at..] {
        assert!(words.contains("DEAF"), "{words:?} while it is hung");
    }
    // Two a minute all the time.
    assert!(
        told.all("alive").len() > 2 * 205,
        "{}",
        told.all("alive").len()
    );
}

#[tokio::test(start_paused = true)]
async fn one_that_was_given_up_and_is_unplugged_is_waited_for() {
    let told = Told::default();
    let mut house = house_of_a_wedge(Duration::from_secs(30), 30, &told);
    let pulled = Fault::new(
        Trigger::At(20 * MINUTE),
        FaultKind::Unplug(Unplug {
            back_after: None,
            other_node: false,
        }),
    );
    house.scenario = house.scenario.fault(pulled);
    house.live().await;
    let alive = told.all("alive");
    let silent = alive.iter().all(|(minute, _)| !(12..20).contains(minute));
    assert!(silent, "{alive:?}");
    assert!(alive.iter().any(|(minute, _)| *minute > 20), "{alive:?}");
}

#[tokio::test(start_paused = true)]
async fn one_that_nothing_helps_is_taken_back_as_soon_as_it_is_replugged() {
    let stops = Fault::new(Trigger::At(Duration::from_secs(30)), FaultKind::Wedge);
    let replug = Fault::new(
        Trigger::At(20 * MINUTE),
        FaultKind::Unplug(Unplug {
            back_after: Some(Duration::from_secs(5)),
            other_node: false,
        }),
    );
    let evening = house(&[stops, replug], 21 * MINUTE).live().await;
    assert_blocked(&evening, "wedged");
}

#[tokio::test(start_paused = true)]
async fn a_modem_that_answers_everything_with_an_error_goes_up_the_ladder() {
    for cure in [Cure::SoftReset, Cure::Dtr, Cure::UsbReset] {
        let log = Log::begin();
        let errs = FaultKind::Confuse(cure);
        let errs = Fault::new(Trigger::At(Duration::from_secs(30)), errs);
        let evening = house(&[errs], 8 * MINUTE).live().await;
        assert_blocked(&evening, &format!("{cure:?}"));
        let lines = log.lines();
        let said = "the modem answers AT with an error: soft reset";
        assert_eq!(log.count(said), 1, "{cure:?}\n{lines:#?}");
        let reopened = log.count("reopening the port with DTR dropped");
        assert_eq!(reopened, usize::from(cure >= Cure::Dtr), "{lines:#?}");
        let reset = log.count("the USB port of");
        assert_eq!(reset, usize::from(cure >= Cure::UsbReset), "{lines:#?}");
        assert!(lines.len() < 20, "{lines:#?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_modem_that_is_found_off_hook_and_streaming_is_put_on_hook() {
    let log = Log::begin();
    let streams = Fault::new(Trigger::At(Duration::from_secs(30)), FaultKind::Stream);
    let evening = house(&[streams], 8 * MINUTE)
        .action(BlockAction::Record {
            limit: Duration::from_secs(5),
        })
        .live()
        .await;
    let story = format!("{}\n{:#?}", evening.story(), log.lines());
    assert!(evening.row().picked_up.is_some(), "{story}");
    // At the first code that only an open line has.
    let on_hook = evening.journal.first(|h| *h == Happening::OnHook);
    assert!(on_hook.is_some_and(|at| at < MINUTE), "{story}");
}

#[tokio::test(start_paused = true)]
async fn one_that_answers_everything_with_an_error_from_the_start_is_deaf() {
    let told = Told::default();
    let errs = FaultKind::Confuse(Cure::Replug);
    let errs = Fault::new(Trigger::At(Duration::ZERO), errs);
    let mut house = house(&[errs], 3 * MINUTE);
    house.observer = told.observer();
    house.live().await;
    assert_eq!(told.all("armed"), []);
    assert_eq!(told.all("deaf for 1 min").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn one_that_came_to_itself_is_noticed_by_its_first_ring() {
    // Tried again at 1 and at 6 min, and then only at 21; the first attempt is over within half a minute.
    for (recovers_at, call_at) in [(10 * MINUTE, 12 * MINUTE), (MINUTE / 2, MINUTE * 2 / 3)] {
        let (told, log) = (Told::default(), Log::begin());
        let stops = Fault::new(Trigger::At(Duration::ZERO), FaultKind::Wedge);
        let recovers = Fault::new(Trigger::At(recovers_at), FaultKind::Recover);
        let mut house = house(&[stops, recovers], call_at);
        house.observer = told.observer();
        house.scenario.calls[0] = house.scenario.calls[0].clone().rings(6);
        let evening = house.live().await;
        let story = format!("{}\n{:#?}", evening.story(), log.lines());
        assert_eq!(told.all("armed")[0].0, call_at.as_secs() / 60, "{story}");
        // In time for the very call.
        assert_eq!(evening.row().verdict, "block", "{story}");
        assert!(log.count("the modem is hung") <= 3, "{story}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_says_much_and_obeys_nothing_is_tried_once_a_minute_at_most() {
    let log = Log::begin();
    let errs = FaultKind::Confuse(Cure::Replug);
    let mut faults = vec![Fault::new(Trigger::At(Duration::ZERO), errs)];
    for seconds in (10..1200).step_by(5) {
        let noise = FaultKind::Garbage(40);
        faults.push(Fault::new(Trigger::At(Duration::from_secs(seconds)), noise));
    }
    let evening = house(&faults, 19 * MINUTE).live().await;
    let tries = log.count("the modem is hung");
    assert!((10..=22).contains(&tries), "{tries}\n{}", evening.story());
}

#[tokio::test(start_paused = true)]
async fn the_status_tells_modem_device_and_the_age_of_the_last_ring() {
    let told = Told::default();
    let call = Call::from(FRIEND).named("A friend").at(MINUTE).rings(2);
    let mut house = House::new(Scenario::default().call(call)).watched(4 * 3600);
    house.heartbeat = Some(Duration::from_secs(30));
    house.observer = told.observer();
    house.live().await;
    let status: Vec<String> = told
        .all("status")
        .into_iter()
        .map(|(_, what)| what)
        .collect();
    let armed = "status: armed on CX93001-EIS_V0.2002-V92 at emulated:";
    assert!(
        status[0].starts_with(armed) && !status[0].contains("ring"),
        "{status:?}"
    );
    assert!(status[1].starts_with("status: in a call on "), "{status:?}");
    for age in ["just now", "5 min ago", "59 min ago", "3 h ago"] {
        let aged = |line: &String| {
            line.starts_with(armed) && line.ends_with(&format!(", last ring {age}"))
        };
        assert_eq!(
            status.iter().filter(|line| aged(line)).count(),
            1,
            "{age}: {status:#?}"
        );
    }
    // It is told when it changed and no more.
    assert!(status.len() < 70, "{}", status.len());
}

#[tokio::test(start_paused = true)]
async fn firmware_that_says_ok_and_stays_on_hook_is_told_the_other_way() {
    let call = Call::from(ROBOCALLER)
        .named("A robocaller")
        .at(Duration::from_secs(10))
        .ends(Ending::Stays);
    let scenario = Scenario::default().chip(Chip::Usr5637Old).call(call);
    let evening = House::new(scenario)
        .action(BlockAction::Record {
            limit: Duration::from_secs(20),
        })
        .live()
        .await;
    assert_eq!(evening.off_hook_count(), 1, "{}", evening.story());
    let row = evening.row();
    assert!(row.trouble.is_some(), "{row:?}");
    assert_eq!(
        row.outcome.as_deref(),
        Some("time-limit"),
        "{row:?}\n{}",
        evening.story()
    );
    // The limit runs from the real pick-up.
    let held = evening.off_hook_time();
    assert!(held >= Duration::from_secs(20), "{held:?}");
}

/// A call that rings and rings, and a modem on which `ATH1` goes wrong whenever it is said.
async fn never_by_ath1(chip: Chip, wrong: FaultKind) -> Evening {
    let call = Call::from(ROBOCALLER)
        .named("A robocaller")
        .at(Duration::from_secs(10))
        .rings(9);
    let scenario = Scenario::default()
        .chip(chip)
        .call(call)
        .fault(Fault::on("H1", wrong).times(0));
    House::new(scenario).watched(120).live().await
}

#[tokio::test(start_paused = true)]
async fn a_modem_that_declines_ath1_is_told_another_way_at_once() {
    for chip in [Chip::Cx93001V2013, Chip::DataOnly] {
        let evening = never_by_ath1(chip, FaultKind::Error).await;
        let row = evening.row();
        let story = format!("{chip:?} {row:?}\n{}", evening.story());
        assert_eq!(evening.off_hook_count(), 1, "{story}");
        assert_eq!(row.outcome.as_deref(), Some("finished"), "{story}");
        let held = evening.off_hook_time();
        assert!(held >= Duration::from_secs(1), "{story}");
        assert!(held < Duration::from_secs(3), "{story}");
        // A modem that answers as one swallows the first byte.
        let beheaded =
            |h: &Happening| matches!(h, Happening::Violation(what) if what.contains("TH0"));
        assert_eq!(evening.journal.count(beheaded), 0, "{story}");
        assert!(evening.ends_on_hook(), "{story}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_mere_hang_up_that_had_no_effect_is_done_the_other_way() {
    let pretends = FaultKind::Pretend;
    let evening = never_by_ath1(Chip::Cx93001V2013, pretends).await;
    let row = evening.row();
    let story = format!("{row:?}\n{}", evening.story());
    assert_eq!(evening.off_hook_count(), 1, "{story}");
    let trouble = row.trouble.as_deref().expect(&story);
    assert!(trouble.contains("answered again"), "{story}");
    assert!(evening.ends_on_hook(), "{story}");
}

type Refusal = fn() -> ResetError;

/// A jack whose bus port cannot be reset.
struct WithoutReset {
    jack: Box<dyn Jack>,
    why: Refusal,
}

impl Jack for WithoutReset {
    fn open(&mut self) -> Result<Box<dyn Port>, OpenError> {
        self.jack.open()
    }

    fn changed(&mut self) -> Changed<'_> {
        self.jack.changed()
    }

    fn reset(&mut self) -> Reset<'_> {
        Box::pin(std::future::ready(Err((self.why)())))
    }

    fn device(&self) -> String {
        self.jack.device()
    }
}

#[tokio::test(start_paused = true)]
async fn a_usb_port_that_cannot_be_reset_says_why_in_one_line_and_the_ladder_goes_on() {
    let reasons: [(Refusal, &str); 3] = [
        (
            || ResetError::NotOnUsb {
                device: "/dev/ttyS0".into(),
            },
            "/dev/ttyS0 is not on USB",
        ),
        (
            || ResetError::Denied {
                usb_node: "/dev/bus/usb/001/005".into(),
            },
            "install the udev rules of callblock (60-callblock.rules)",
        ),
        (
            || ResetError::Gone {
                device: "/dev/ttyACM0".into(),
            },
            "/dev/ttyACM0 has left the USB",
        ),
    ];
    for (why, said) in reasons {
        let log = Log::begin();
        let stops = Fault::new(Trigger::At(Duration::from_secs(30)), FaultKind::Wedge);
        let replug = Fault::new(
            Trigger::At(10 * MINUTE),
            FaultKind::Unplug(Unplug {
                back_after: Some(Duration::from_secs(5)),
                other_node: false,
            }),
        );
        let evening = house(&[stops, replug], 11 * MINUTE)
            .live_with(|jack| Box::new(WithoutReset { jack, why }))
            .await;
        assert_blocked(&evening, said);
        let lines = log.lines();
        assert!(log.count(said) >= 1, "{lines:#?}");
        assert_eq!(
            log.count(said),
            log.count("its USB port cannot be reset"),
            "{lines:#?}"
        );
        assert_eq!(
            log.count("unplug it and plug it in again"),
            log.count("the modem is hung")
        );
    }
}
