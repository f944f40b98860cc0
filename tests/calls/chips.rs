//! Every chip in every mode, with the same outcome.

use crate::house::{House, ROBOCALLER, contains, treacherous_audio};
use callblock::blocker::BlockAction;
use callblock::emulator::{Call, Chip, Ending, Happening, Scenario, Sound};
use std::time::Duration;

fn call() -> Call {
    Call::from(ROBOCALLER)
        .named("A robocaller")
        .at(Duration::from_secs(5))
        .says(Sound::Speech(Duration::from_secs(6)))
        .ends(Ending::Stays)
}

#[tokio::test(start_paused = true)]
async fn voice_works_on_every_voice_modem() {
    let voice = [
        Chip::Cx93001V2002,
        Chip::Cx93001V2013,
        Chip::Usr5637,
        Chip::Zoom3095,
        Chip::Mt9234mu,
        Chip::V253,
    ];
    for chip in voice {
        let mut house = House::new(Scenario::default().call(call()));
        let greeting = treacherous_audio(3);
        let file = house.wav("greeting.wav", &greeting);
        let limit = Duration::from_secs(10);
        house = house.action(BlockAction::Duplex {
            file: Some(file),
            limit,
            silence: None,
        });
        house.scenario.chip = chip;
        let evening = house.live().await;
        let row = evening.row();
        let story = format!("{chip:?}\n{}", evening.story());
        assert_eq!(row.outcome.as_deref(), Some("time-limit"), "{story}");
        assert_eq!(row.trouble, None, "{story}");
        assert!(contains(&evening.heard(), &greeting), "{story}");
        assert_eq!(evening.recording(), evening.said(), "{story}");
        assert!(evening.ends_on_hook(), "{story}");
        assert_eq!(
            evening
                .journal
                .count(|h| matches!(h, Happening::Violation(_))),
            0,
            "{story}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn receiving_works_on_a_chip_that_is_deaf_under_vls_1() {
    let mut scenario = Scenario::default().chip(Chip::Usr5637).call(call());
    scenario.deaf_under_vls1 = true;
    let evening = House::new(scenario)
        .action(BlockAction::Record {
            limit: Duration::from_secs(10),
        })
        .live()
        .await;
    let loud = evening.recording().iter().filter(|&&s| s != 0x80).count();
    assert!(loud > 8000, "{}", evening.story());
}

#[tokio::test(start_paused = true)]
async fn a_modem_without_voice_hangs_up_instead() {
    let mut house = House::new(Scenario::default().call(call())).action(BlockAction::Record {
        limit: Duration::from_secs(10),
    });
    house.scenario.chip = Chip::DataOnly;
    let evening = house.live().await;
    let row = evening.row();
    assert_eq!(row.action, "hangup");
    assert_eq!(row.outcome.as_deref(), Some("finished"));
    assert!(row.trouble.as_deref().unwrap().contains("cannot do record"));
    assert_eq!(row.recording, None);
    assert!(evening.ends_on_hook());
}
