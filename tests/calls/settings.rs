//! A modem that lost its settings, or never had them as it said: how that is noticed.

use crate::house::{Evening, FRIEND, HANG_UP, House, ROBOCALLER};
use crate::log::Log;
use crate::recovery::{MINUTE, assert_blocked, house};
use callblock::blocker::BlockAction;
use callblock::emulator::{
    Call, Chip, Ending, Fault, FaultKind, Happening, Scenario, StoredResults, Trigger,
};
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn caller_id_that_was_switched_off_is_switched_on_again() {
    // The modem loses its settings without a word, as after a brown-out: it goes and comes back so
    // quickly that the port survives.
    let log = Log::begin();
    let forgets = Fault::new(Trigger::At(2 * MINUTE), FaultKind::Forget);
    let evening = house(&[forgets], 8 * MINUTE).live().await;
    assert_blocked(&evening, "settings lost");
    let said = "the modem has switched caller ID off: soft reset";
    assert_eq!(log.count(said), 1, "{:#?}", log.lines());
}

/// A robocaller comes to a modem that so many times answers this setting with `OK` and does not make it.
async fn swallowed(setting: &str, times: u32, action: BlockAction) -> (Evening, Log) {
    let log = Log::begin();
    let call = Call::from(ROBOCALLER)
        .named("A robocaller")
        .at(Duration::from_secs(20))
        .ends(Ending::Stays);
    let pretends = Fault::on(setting, FaultKind::Pretend).times(times);
    let scenario = Scenario::default().call(call).fault(pretends);
    let evening = House::new(scenario).action(action).live().await;
    (evening, log)
}

#[tokio::test(start_paused = true)]
async fn a_setting_that_was_answered_with_ok_and_not_made_is_noticed_at_once() {
    for (setting, action) in [("+VCID=1", HANG_UP), ("+FCLASS=2", BlockAction::Fax)] {
        let (evening, log) = swallowed(setting, 1, action.clone()).await;
        let story = format!("{setting}\n{}\n{:#?}", evening.story(), log.lines());
        let row = evening.row();
        assert_eq!(row.verdict, "block", "{story}");
        assert_eq!(row.action, action.kind().as_str(), "{story}");
        assert_eq!(row.outcome.as_deref(), Some("finished"), "{story}");
        assert_eq!(
            log.count("right after it was set up; once more"),
            1,
            "{story}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_says_it_is_in_a_fax_class_and_shows_another_hangs_up_instead() {
    let (evening, log) = swallowed("+FCLASS=", 0, BlockAction::Fax).await;
    let story = format!("{}\n{:#?}", evening.story(), log.lines());
    assert_eq!(evening.row().action, "hangup", "{story}");
    assert!(evening.row().trouble.is_some(), "{story}");
}

#[tokio::test(start_paused = true)]
async fn a_modem_that_never_shows_caller_id_as_it_was_set_is_armed_and_warned_of_once() {
    let (evening, log) = swallowed("+VCID=1", 0, HANG_UP).await;
    assert_eq!(evening.row().verdict, "ring", "{}", evening.story());
    let said = "the modem says that caller ID is off, whatever it is told";
    assert_eq!(log.count(said), 1, "{:#?}", log.lines());
}

#[tokio::test(start_paused = true)]
async fn one_that_answered_wrongly_at_first_is_believed_once_it_is_right() {
    let log = Log::begin();
    let questions = ["+VCID?", "+VCID?", "+FCLASS?", "+FCLASS?"];
    let mut faults = questions
        .map(|question| Fault::on(question, FaultKind::Error))
        .to_vec();
    // By then it has been looked at twice, and once more before the call.
    faults.push(Fault::new(Trigger::At(14 * MINUTE), FaultKind::Forget));
    let evening = house(&faults, 20 * MINUTE).live().await;
    assert_blocked(&evening, "settings lost");
    let said = "the modem has switched caller ID off: soft reset";
    assert_eq!(log.count(said), 1, "{:#?}", log.lines());
}

#[tokio::test(start_paused = true)]
async fn calls_that_come_without_the_caller_id_they_used_to_have_are_a_reason_to_reset() {
    let log = Log::begin();
    let known = Call::from(FRIEND).named("A friend").at(MINUTE).rings(2);
    let unknown = Call::without_caller_id().at(2 * MINUTE).rings(4);
    let scenario = Scenario::default().call(known).call(unknown);
    let evening = House::new(scenario).watched(4 * 60).live().await;
    assert_eq!(evening.rows.len(), 2, "{}", evening.story());
    let said = "calls come without caller ID, which they used to have: soft reset";
    assert_eq!(log.count(said), 1, "{:#?}", log.lines());
    let resets = evening
        .journal
        .count(|h| matches!(h, Happening::Command(line) if line == "ATZ"));
    assert!(resets >= 2, "{}", evening.story());
}

#[tokio::test(start_paused = true)]
async fn a_modem_that_reset_itself_is_found_out_by_the_first_ringing() {
    // Its rings look as ever, no caller ID was ever seen, and the look of every five minutes is far
    // away.
    let log = Log::begin();
    let forgets = Fault::new(Trigger::At(Duration::from_secs(30)), FaultKind::Forget);
    let unscreened = Call::from(ROBOCALLER).at(MINUTE).rings(2);
    let next = Call::from(ROBOCALLER).at(MINUTE + Duration::from_secs(17));
    let scenario = Scenario::default()
        .fault(forgets)
        .call(unscreened)
        .call(next);
    let evening = House::new(scenario).watched(120).live().await;
    let rows = evening.rows.iter();
    let verdicts: Vec<&str> = rows.map(|row| row.verdict.as_str()).collect();
    assert_eq!(verdicts, ["ring", "block"], "{}", evening.story());
    assert_eq!(log.count("soft reset"), 1, "{:#?}", log.lines());
}

#[tokio::test(start_paused = true)]
async fn one_that_reset_itself_to_numbers_or_out_of_its_class_is_mended_before_the_caller_id_comes()
{
    let record = BlockAction::Record {
        limit: Duration::from_secs(3),
    };
    for (stored_results, action) in [
        (StoredResults::Numeric, HANG_UP),
        (StoredResults::Numeric, record.clone()),
        (StoredResults::Words, record),
    ] {
        let log = Log::begin();
        let forgets = Fault::new(Trigger::At(Duration::from_secs(30)), FaultKind::Forget);
        let call = Call::from(ROBOCALLER).at(MINUTE).ends(Ending::Stays);
        let mut scenario = Scenario::default().fault(forgets).call(call);
        scenario.stored_results = stored_results;
        let evening = House::new(scenario)
            .action(action)
            .watched(100)
            .live()
            .await;
        let story = format!("{stored_results:?} {}\n{:#?}", evening.story(), log.lines());
        assert_eq!(evening.row().verdict, "block", "{story}");
        assert_eq!(log.count("soft reset"), 1, "{story}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_reset_itself_to_numbers_is_found_out_by_the_look() {
    let log = Log::begin();
    let forgets = Fault::new(Trigger::At(Duration::from_secs(30)), FaultKind::Forget);
    let mut house = house(&[forgets], 8 * MINUTE);
    house.scenario.stored_results = StoredResults::Numeric;
    let evening = house.live().await;
    assert_blocked(&evening, "numeric");
    let said = "the modem has reset itself: soft reset";
    assert_eq!(log.count(said), 1, "{:#?}", log.lines());
}

#[tokio::test(start_paused = true)]
async fn a_line_without_caller_id_is_not_looked_at_after_every_call() {
    let mut scenario = Scenario::default();
    for call in 1..=4 {
        scenario = scenario.call(Call::without_caller_id().at(call * MINUTE).rings(3));
    }
    let evening = House::new(scenario).watched(280).live().await;
    assert_eq!(evening.rows.len(), 4, "{}", evening.story());
    let looks = evening
        .journal
        .count(|h| matches!(h, Happening::Command(line) if line == "AT+FCLASS?"));
    // One when it is set up.
    assert_eq!(looks, 2, "{}", evening.story());
}

#[tokio::test(start_paused = true)]
async fn a_result_too_many_leads_to_a_look_at_once() {
    // The modem forgets, and all there is to see of it is an `OK` that nobody asked for.
    let forgets = Fault::new(Trigger::At(Duration::from_secs(30)), FaultKind::Forget);
    let stray = Fault::new(
        Trigger::At(Duration::from_secs(31)),
        FaultKind::Line("OK".into()),
    );
    let evening = house(&[forgets, stray], MINUTE).live().await;
    assert_eq!(evening.rows.len(), 1, "{}", evening.story());
    assert_blocked(&evening, "a stray result");
}

#[tokio::test(start_paused = true)]
async fn a_stored_profile_with_numeric_or_no_results_is_told_to_speak() {
    for stored_results in [
        StoredResults::Numeric,
        StoredResults::NumericForGood,
        StoredResults::None,
    ] {
        for chip in [Chip::Cx93001V2013, Chip::Usr5637, Chip::Mt9234mu] {
            let log = Log::begin();
            let first = Call::from(ROBOCALLER).at(MINUTE).ends(Ending::Stays);
            let next = Call::from(ROBOCALLER).at(2 * MINUTE).ends(Ending::Stays);
            let mut scenario = Scenario::default().chip(chip).call(first).call(next);
            scenario.stored_results = stored_results;
            let evening = House::new(scenario)
                .action(BlockAction::Record {
                    limit: Duration::from_secs(5),
                })
                .watched(170)
                .live()
                .await;
            let what = format!("{stored_results:?} {chip:?}\n{}", evening.story());
            assert_eq!(evening.rows.len(), 2, "{what}");
            for row in &evening.rows {
                assert_eq!(row.verdict, "block", "{what}");
                assert_eq!(row.outcome.as_deref(), Some("time-limit"), "{what}");
                assert_eq!(row.trouble, None, "{what}");
            }
            // Ready for the next call within 2 s of going on-hook: it is asked nothing twice.
            let lines = log.lines();
            assert!(lines.len() < 20, "{lines:#?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_modem_that_never_answers_what_is_only_asked_for_information_is_armed_all_the_same() {
    for question in ["E0", "I0", "I3", "+GMI", "+FCLASS=?"] {
        let silent = Fault::on(question, FaultKind::NoReply).times(0);
        let evening = house(&[silent], 2 * MINUTE).live().await;
        assert_blocked(&evening, question);
    }
}

/// A robocaller comes to a modem with this peculiarity a minute after the start, and is recorded.
async fn recorded_by(peculiar: impl FnOnce(&mut Scenario)) -> (Evening, Log) {
    let log = Log::begin();
    let call = Call::from(ROBOCALLER).at(MINUTE).rings(9);
    let mut scenario = Scenario::default().call(call.ends(Ending::Stays));
    peculiar(&mut scenario);
    let limit = Duration::from_secs(5);
    let house = House::new(scenario).action(BlockAction::Record { limit });
    (house.watched(150).live().await, log)
}

#[tokio::test(start_paused = true)]
async fn a_modem_that_swallows_what_comes_too_soon_after_a_result_is_given_time() {
    for deaf in [5, 20, 60, 150, 240] {
        let deaf = Duration::from_millis(deaf);
        let (evening, log) = recorded_by(|scenario| scenario.deaf_after_result = deaf).await;
        let story = format!("{deaf:?}\n{}\n{:#?}", evening.story(), log.lines());
        assert_eq!(
            evening.row().outcome.as_deref(),
            Some("time-limit"),
            "{story}"
        );
        assert_eq!(evening.row().trouble, None, "{story}");
        assert!(log.count("does not answer") <= 3, "{story}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_modem_that_takes_seconds_for_each_answer_is_waited_for() {
    for latency in [900, 1000, 1200, 1500, 2400] {
        let latency = Duration::from_millis(latency);
        let (evening, log) = recorded_by(|scenario| scenario.latency = Some(latency)).await;
        let story = format!("{latency:?}\n{}\n{:#?}", evening.story(), log.lines());
        assert_eq!(evening.row().verdict, "block", "{story}");
        assert!(evening.row().picked_up.is_some(), "{story}");
        assert!(evening.ends_on_hook(), "{story}");
        assert!(log.count("does not answer") <= 3, "{story}");
    }
}
