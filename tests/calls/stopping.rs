//! The daemon is told to stop, at every moment of a call.

use crate::house::{HANG_UP, House, ROBOCALLER};
use callblock::blocker::BlockAction;
use callblock::emulator::{Call, Chip, Ending, Happening, Scenario, Sound};
use std::time::Duration;

const RINGS_AT: Duration = Duration::from_secs(5);
const DUPLEX: BlockAction = BlockAction::Duplex {
    file: None,
    limit: Duration::from_mins(2),
    silence: None,
};

/// Stops the daemon this long after the first ring, and expects that the modem hung up when it was
/// told to, before DTR was dropped: there may be no DTR.
async fn stop_after(ring: Duration, action: BlockAction, chip: Chip) {
    let call = Call::from(ROBOCALLER)
        .at(RINGS_AT)
        .says(Sound::Speech(Duration::from_mins(1)))
        .ends(Ending::Stays);
    let mut house = House::new(Scenario::default().call(call)).action(action.clone());
    house.scenario.chip = chip;
    house.watched = RINGS_AT + ring;
    let evening = house.live().await;
    let entries = evening.journal.entries();
    let dropped = entries
        .iter()
        .position(|entry| entry.what == Happening::Dtr(false))
        .expect("DTR is dropped");
    let hook = entries[..dropped]
        .iter()
        .rev()
        .find(|entry| matches!(entry.what, Happening::OffHook | Happening::OnHook));
    let on_hook = hook.is_none_or(|entry| entry.what == Happening::OnHook);
    let story = evening.story();
    assert!(on_hook, "{action:?} on {chip:?}, after {ring:?}:\n{story}");
    let took = entries[dropped].at.saturating_sub(RINGS_AT + ring);
    assert!(took <= Duration::from_secs(2), "took {took:?}:\n{story}");
    let outcome = evening.row().outcome.clone();
    assert!(outcome.is_some(), "{story}");
}

/// Every 2 ms while it picks up, then now and then.
fn moments() -> impl Iterator<Item = Duration> {
    let caller_id = Duration::from_secs(1);
    let picking_up = (0..20).map(move |step| caller_id + Duration::from_millis(2 * step));
    let talking = (1..24).map(move |step| caller_id + Duration::from_millis(470 * step));
    picking_up.chain(talking)
}

async fn stop_at_every_moment(action: BlockAction, chip: Chip) {
    for moment in moments() {
        stop_after(moment, action.clone(), chip).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_plain_hang_up_can_be_stopped() {
    stop_at_every_moment(HANG_UP, Chip::Cx93001V2002).await;
}

#[tokio::test(start_paused = true)]
async fn a_fax_answer_can_be_stopped() {
    for chip in [Chip::Cx93001V2002, Chip::Cx93001V2013] {
        stop_at_every_moment(BlockAction::Fax, chip).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_recording_can_be_stopped() {
    let limit = Duration::from_mins(2);
    for chip in [Chip::Cx93001V2013, Chip::Usr5637] {
        stop_at_every_moment(BlockAction::Record { limit }, chip).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_transmission_can_be_stopped() {
    let (file, limit) = (None, Duration::from_mins(2));
    let action = BlockAction::Transmit { file, limit };
    for chip in [Chip::Cx93001V2013, Chip::Mt9234mu] {
        stop_at_every_moment(action.clone(), chip).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_conversation_can_be_stopped() {
    stop_at_every_moment(DUPLEX, Chip::Cx93001V2013).await;
}
