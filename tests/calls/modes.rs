//! The six block actions, end to end.

use crate::house::{Evening, HANG_UP, House, ROBOCALLER, contains, read_wav, treacherous_audio};
use callblock::blocker::{BlockAction, CallControl, CallHandler, ListScreen};
use callblock::emulator::{Call, Chip, Ending, Happening, LinkOptions, Scenario, Sound};
use callblock::screen::{Caller, Verdict};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn robocall() -> Call {
    Call::from(ROBOCALLER)
        .named("V4231749020")
        .at(Duration::from_secs(5))
        .says(Sound::Speech(Duration::from_secs(12)))
        .ends(Ending::Busy)
}

fn robocall_that_stays() -> Call {
    robocall().ends(Ending::Stays)
}

fn assert_dealt_with(evening: &Evening, action: &str, outcome: &str) {
    let row = evening.row();
    let story = evening.story();
    assert_eq!(row.verdict, "block", "{story}");
    assert_eq!(row.action, action, "{story}");
    assert_eq!(row.outcome.as_deref(), Some(outcome), "{story}");
    assert_eq!(row.number.as_deref(), Some(ROBOCALLER));
    assert_eq!(row.name.as_deref(), Some("V4231749020"));
    assert_eq!(row.source.as_deref(), Some("list.csv:1"));
    assert!(row.picked_up > Some(row.started), "{story}");
    assert!(row.ended > row.picked_up, "{story}");
    assert_eq!(row.trouble, None, "{story}");
    assert!(evening.ends_on_hook(), "{story}");
    assert_eq!(evening.off_hook_count(), 1, "{story}");
    let violations = evening
        .journal
        .count(|h| matches!(h, Happening::Violation(_)));
    assert_eq!(violations, 0, "{story}");
}

fn armed_again(evening: &Evening) -> Duration {
    let on_hook = evening.journal.first(|h| *h == Happening::OnHook).unwrap();
    let entries = evening.journal.entries();
    let next = entries.iter().rposition(|entry| {
        matches!(&entry.what, Happening::Command(line) if line.starts_with("AT-STE") || line.starts_with("AT+VCID=1"))
    });
    entries[next.unwrap()].at.saturating_sub(on_hook)
}

#[tokio::test(start_paused = true)]
async fn the_default_picks_up_holds_a_second_and_hangs_up() {
    let evening = House::new(Scenario::default().call(robocall()))
        .live()
        .await;
    assert_dealt_with(&evening, "hangup", "finished");
    let held = evening.off_hook_time();
    assert!(held >= SECOND && held < SECOND + SECOND / 10, "{held:?}");
}

#[tokio::test(start_paused = true)]
async fn the_hold_can_be_set() {
    let hold = Duration::from_millis(2500);
    let evening = House::new(Scenario::default().call(robocall()))
        .action(BlockAction::HangUp { hold })
        .live()
        .await;
    assert_dealt_with(&evening, "hangup", "finished");
    assert!(evening.off_hook_time() >= hold);
}

#[tokio::test(start_paused = true)]
async fn a_fax_is_answered_in_either_class() {
    for chip in [Chip::Cx93001V2013, Chip::Cx93001V2002, Chip::Usr5637] {
        let evening = House::new(Scenario::default().chip(chip).call(robocall()))
            .action(BlockAction::Fax)
            .live()
            .await;
        let row = evening.row();
        assert_eq!(row.action, "fax", "{chip:?}\n{}", evening.story());
        assert_eq!(
            row.outcome.as_deref(),
            Some("finished"),
            "{chip:?}\n{}",
            evening.story()
        );
        let tone = evening.journal.count(|h| matches!(h, Happening::FaxAnswer));
        assert_eq!(tone, 1, "{chip:?}");
        assert!(
            evening.off_hook_time() > Duration::from_secs(2),
            "CED was cut off"
        );
        assert!(evening.ends_on_hook());
    }
}

#[tokio::test(start_paused = true)]
async fn a_fax_answer_that_is_broken_off_costs_no_command_its_first_letter() {
    // A person answers, who stays in the line and sends no fax: class 2 says nothing for 35 s, and
    // any byte ends its handshake.
    for chip in [Chip::Usr5637, Chip::Cx93001V2013] {
        let evening = House::new(Scenario::default().chip(chip).call(robocall_that_stays()))
            .action(BlockAction::Fax)
            .live()
            .await;
        let story = format!("{chip:?}\n{}", evening.story());
        assert_eq!(
            evening.row().outcome.as_deref(),
            Some("finished"),
            "{story}"
        );
        assert_eq!(evening.row().trouble, None, "{story}");
        let beheaded = |happening: &Happening| matches!(happening, Happening::Violation(what) if what.contains("TH0"));
        assert_eq!(evening.journal.count(beheaded), 0, "{story}");
        assert_eq!(evening.off_hook_count(), 1, "{story}");
        assert!(evening.ends_on_hook(), "{story}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_is_heard_whole_bit_for_bit() {
    let house = House::new(Scenario::default().call(robocall_that_stays()));
    let message = treacherous_audio(7);
    let file = house.wav("message.wav", &message);
    let evening = house.action(BlockAction::Message { file }).live().await;
    assert_dealt_with(&evening, "message", "finished");
    assert!(contains(&evening.heard(), &message));
    let held = evening.off_hook_time();
    assert!(held < Duration::from_secs(9), "{held:?}");
}

#[tokio::test(start_paused = true)]
async fn the_caller_is_recorded_bit_for_bit() {
    let said = treacherous_audio(11);
    let call = robocall().says(Sound::Samples(said.clone().into()));
    let evening = House::new(Scenario::default().call(call.ends(Ending::Stays)))
        .action(BlockAction::Record {
            limit: Duration::from_secs(30),
        })
        .live()
        .await;
    assert_dealt_with(&evening, "record", "time-limit");
    let recording = evening.recording();
    assert_eq!(recording, evening.said());
    assert!(contains(&recording, &said));
    let seconds = recording.len() / 8000;
    assert!((29..=31).contains(&seconds), "{seconds} s");
    assert_eq!(
        evening.row().recording.as_deref(),
        Some("rec/2026-01-02 03-04-10+0000 2125550147.wav")
    );
}

#[tokio::test(start_paused = true)]
async fn a_recording_ends_when_the_caller_hangs_up() {
    for ending in [
        Ending::Busy,
        Ending::LoopBreak,
        Ending::DialTone,
        Ending::Reorder,
    ] {
        let evening = House::new(Scenario::default().call(robocall().ends(ending)))
            .action(BlockAction::Record {
                limit: Duration::from_mins(2),
            })
            .live()
            .await;
        assert_dealt_with(&evening, "record", "caller-hung-up");
        let held = evening.off_hook_time();
        assert!(held < Duration::from_secs(12 + 10), "{ending:?} {held:?}");
        // The tones at the end are cut off.
        assert!(evening.said().starts_with(&evening.recording()));
    }
}

#[tokio::test(start_paused = true)]
async fn transmit_plays_then_is_silent_and_takes_keys() {
    let call = robocall()
        .says(Sound::Dtmf("19*#".into()))
        .ends(Ending::Stays);
    let house = House::new(Scenario::default().call(call));
    let greeting = treacherous_audio(3);
    let file = house.wav("greeting.wav", &greeting);
    let evening = house
        .action(BlockAction::Transmit {
            file: Some(file),
            limit: Duration::from_secs(20),
        })
        .live()
        .await;
    assert_dealt_with(&evening, "transmit", "time-limit");
    assert_eq!(evening.row().dtmf.as_deref(), Some("19*#"));
    let heard = evening.heard();
    assert!(contains(&heard, &greeting));
    assert!(heard.ends_with(&[0x80; 8000]));
    assert!(
        !evening
            .dir
            .path()
            .join("rec")
            .read_dir()
            .unwrap()
            .any(|_| true)
    );
}

#[tokio::test(start_paused = true)]
async fn duplex_records_and_plays_together() {
    let house = House::new(Scenario::default().call(robocall()));
    let greeting = treacherous_audio(4);
    let file = house.wav("greeting.wav", &greeting);
    let evening = house
        .action(BlockAction::Duplex {
            file: Some(file),
            limit: Duration::from_mins(1),
            silence: None,
        })
        .live()
        .await;
    assert_dealt_with(&evening, "duplex", "caller-hung-up");
    assert!(contains(&evening.heard(), &greeting));
    assert!(evening.said().starts_with(&evening.recording()));
    assert!(evening.recording().len() > 12 * 8000);
}

#[tokio::test(start_paused = true)]
async fn silence_is_answered_with_files_of_the_play_folder_never_one_twice_in_a_row() {
    let call = robocall()
        .says(Sound::Silence(Duration::from_mins(1)))
        .ends(Ending::Stays);
    let house = House::new(Scenario::default().call(call));
    let (one, two) = (vec![0x30; 8000], vec![0xC0; 8000]);
    house.wav("play/one.wav", &one);
    house.wav("play/two.wav", &two);
    let evening = house
        .action(BlockAction::Duplex {
            file: None,
            limit: Duration::from_secs(40),
            silence: Some(Duration::from_secs(2)),
        })
        .live()
        .await;
    assert_dealt_with(&evening, "duplex", "time-limit");
    let heard = evening.heard();
    let (mut order, mut lengths) = (Vec::new(), Vec::new());
    for sample in heard.chunk_by(|a, b| a == b) {
        match sample {
            [0x30, ..] => order.push(1),
            [0xC0, ..] => order.push(2),
            _ => continue,
        }
        lengths.push(sample.len());
    }
    // The time limit may cut the last.
    lengths.pop();
    assert!(
        lengths.iter().all(|length| *length == 8000),
        "played with a gap: {lengths:?}"
    );
    assert!(order.len() >= 6, "{order:?}");
    assert!(order.windows(2).all(|pair| pair[0] != pair[1]), "{order:?}");
}

#[tokio::test(start_paused = true)]
async fn the_line_is_ready_for_the_next_call_within_two_seconds() {
    for action in [
        HANG_UP,
        BlockAction::Fax,
        BlockAction::Record { limit: 5 * SECOND },
        BlockAction::Duplex {
            file: None,
            limit: 5 * SECOND,
            silence: None,
        },
    ] {
        let evening = House::new(Scenario::default().call(robocall()))
            .action(action.clone())
            .live()
            .await;
        let took = armed_again(&evening);
        assert!(
            took < 2 * SECOND,
            "{action:?}: {took:?}\n{}",
            evening.story()
        );
        let second = robocall().after(Duration::from_secs(3));
        let evening = House::new(Scenario::default().call(robocall_that_stays()).call(second))
            .action(action)
            .watched(90)
            .live()
            .await;
        assert_eq!(evening.rows.len(), 2, "{}", evening.story());
        assert!(evening.rows.iter().all(|row| row.verdict == "block"));
    }
}

#[tokio::test(start_paused = true)]
async fn never_more_than_the_limit_lies_ahead_of_the_line() {
    let house = House::new(Scenario::default().call(robocall_that_stays()));
    let file = house.wav("long.wav", &treacherous_audio(30));
    let evening = house
        .action(BlockAction::Duplex {
            file: Some(file),
            limit: 20 * SECOND,
            silence: None,
        })
        .live()
        .await;
    let longest = evening.journal.longest_queue();
    // Doubled 0x10 take two bytes on their way: a quarter of the nasty audio.
    assert!(longest <= 3200 * 5 / 4, "{longest} bytes ahead");
    // One underrun is reported before the first byte comes; no more.
    let underruns = evening.journal.count(|h| *h == Happening::Underrun);
    assert!(underruns <= 1, "{underruns} underruns\n{}", evening.story());
    // The abort at the time limit is heard at once.
    assert!(evening.off_hook_time() < 20 * SECOND + Duration::from_millis(600));
}

#[tokio::test(start_paused = true)]
async fn cut_reads_change_nothing() {
    for seed in 0..3 {
        let link = LinkOptions {
            seed,
            longest_read: Some(7),
            ..LinkOptions::default()
        };
        let house = House::new(Scenario::default().call(robocall())).link(link);
        let greeting = treacherous_audio(2);
        let file = house.wav("greeting.wav", &greeting);
        let evening = house
            .action(BlockAction::Duplex {
                file: Some(file),
                limit: Duration::from_mins(1),
                silence: None,
            })
            .live()
            .await;
        assert_dealt_with(&evening, "duplex", "caller-hung-up");
        assert!(
            evening.said().starts_with(&evening.recording()),
            "seed {seed}"
        );
        assert!(contains(&evening.heard(), &greeting), "seed {seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_handset_takes_the_line_over() {
    for chip in [Chip::Cx93001V2013, Chip::Usr5637] {
        let mut call = robocall_that_stays();
        call.handset_lifted = Some(Duration::from_secs(6));
        let evening = House::new(Scenario::default().chip(chip).call(call))
            .action(BlockAction::Record {
                limit: Duration::from_mins(2),
            })
            .live()
            .await;
        let row = evening.row();
        assert_eq!(
            row.outcome.as_deref(),
            Some("handset"),
            "{chip:?}\n{}",
            evening.story()
        );
        let held = evening.off_hook_time();
        assert!(held < Duration::from_secs(7), "{chip:?} {held:?}");
        assert_eq!(evening.recording(), evening.said());
        assert!(evening.recording().len() > 40_000);
    }
}

#[tokio::test(start_paused = true)]
async fn stopping_ends_a_call_at_once() {
    let house = House::new(Scenario::default().call(robocall_that_stays())).watched(20);
    let evening = house
        .action(BlockAction::Record {
            limit: Duration::from_mins(2),
        })
        .live()
        .await;
    let row = evening.row();
    assert_eq!(
        row.outcome.as_deref(),
        Some("stopped"),
        "{}",
        evening.story()
    );
    assert!(evening.ends_on_hook(), "{}", evening.story());
    let recording = row.recording.clone().unwrap();
    let samples = read_wav(&evening.dir.path().join(recording)).len();
    assert!(samples > 8 * 8000, "{samples}");
}

/// Plays a file when a key is pressed, and ends the call at another.
struct Menu {
    lists: ListScreen,
    file: std::path::PathBuf,
}

impl CallHandler for Menu {
    fn on_call(&mut self, caller: &Caller) -> Verdict {
        self.lists.on_call(caller)
    }

    fn on_dtmf(&mut self, digit: char, control: &mut CallControl) {
        match digit {
            '1' => control.play(&self.file),
            '#' => control.hang_up(),
            _ => {}
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_handler_of_ones_own_takes_part() {
    let call = Call::from(ROBOCALLER)
        .at(5 * SECOND)
        .says(Sound::Silence(SECOND))
        .says(Sound::Dtmf("1".into()))
        .says(Sound::Silence(6 * SECOND))
        .says(Sound::Dtmf("#".into()))
        .ends(Ending::Stays);
    let house = House::new(Scenario::default().call(call));
    let answer = treacherous_audio(3);
    let file = house.wav("answer.wav", &answer);
    let lists = ListScreen::new(crate::house::block_list(ROBOCALLER));
    let evening = house
        .handler(Menu { lists, file })
        .action(BlockAction::Transmit {
            file: None,
            limit: 60 * SECOND,
        })
        .live()
        .await;
    let row = evening.row();
    assert_eq!(row.dtmf.as_deref(), Some("1#"));
    assert_eq!(row.outcome.as_deref(), Some("finished"));
    assert!(contains(&evening.heard(), &answer), "{}", evening.story());
    assert!(evening.off_hook_time() < 10 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_line_of_the_list_chooses_its_own_action() {
    // The modem rests in the class of the default action and changes first.
    for (default, wanted, action) in [
        (HANG_UP, "record=6", "record"),
        (HANG_UP, "fax", "fax"),
        (
            BlockAction::Record { limit: 9 * SECOND },
            "hangup",
            "hangup",
        ),
        (BlockAction::Fax, "transmit=5", "transmit"),
    ] {
        let list = format!("{ROBOCALLER},A robocaller,{wanted}\n");
        let evening = House::new(Scenario::default().call(robocall_that_stays()))
            .action(default)
            .policy(crate::house::block_list(&list))
            .live()
            .await;
        let row = evening.row();
        assert_eq!(row.action, action, "{}", evening.story());
        assert_eq!(row.trouble, None, "{}", evening.story());
        assert_eq!(row.recording.is_some(), action == "record");
        assert!(evening.ends_on_hook());
    }
}
