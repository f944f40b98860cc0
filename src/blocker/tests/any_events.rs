//! The state machine under any sequence of events.

use super::*;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Wait(u64),
    Feed(Event),
}

fn step() -> impl Strategy<Value = Step> {
    let caller = |number: Option<&str>| Caller::from_line(number, None);
    let events = vec![
        Event::Ring,
        Event::Ring,
        Event::Ring,
        Event::CallerId {
            caller: caller(Some("1")),
            revision: false,
        },
        Event::CallerId {
            caller: caller(Some("2")),
            revision: false,
        },
        Event::CallerId {
            caller: caller(None),
            revision: false,
        },
        Event::CallerId {
            caller: caller(Some("2")),
            revision: true,
        },
        Event::Code(LineCode::Busy),
        Event::Code(LineCode::LoopBreak),
        Event::Code(LineCode::ExtensionOffHook),
        Event::Code(LineCode::NoCarrier),
        Event::Digit('5'),
        Event::PickedUp(RestingClass::Voice),
        Event::PickedUp(RestingClass::Fax),
        Event::Refused { what: "no".into() },
        Event::VoiceStarted,
        Event::VoiceStarted,
        Event::PlaybackFinished,
        Event::VoiceEnded(VoiceEnd::ByModem),
        Event::FaxEnded,
        Event::FarEndGone,
        Event::OnHook,
        Event::OnHook,
        Event::PortLost,
        Event::EndCall,
        Event::PickedUp(RestingClass::Data),
    ];
    prop_oneof![
        1 => (1..12_000u64).prop_map(Step::Wait),
        2 => prop::sample::select(events).prop_map(Step::Feed),
    ]
}

fn action() -> impl Strategy<Value = BlockAction> {
    let limit = Duration::from_secs(30);
    prop::sample::select(vec![
        BlockAction::HangUp {
            hold: Duration::from_secs(1),
        },
        BlockAction::Fax,
        BlockAction::Message {
            file: "a.wav".into(),
        },
        BlockAction::Record { limit },
        BlockAction::Duplex {
            file: None,
            limit,
            silence: None,
        },
    ])
}

proptest! {
    #[test]
    fn nothing_is_picked_up_without_a_ring_and_every_row_is_completed(
        action in action(),
        sit in any::<bool>(),
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let mut watch = Watch::new(action, sit);
        for step in steps {
            match step {
                Step::Wait(millis) => watch.wait(Duration::from_millis(millis)),
                Step::Feed(event) => watch.feed(event),
            }
        }
        watch.feed(Event::Stop);
        for (key, row) in &watch.rows {
            prop_assert!(row.outcome.is_some(), "call {} has no outcome: {:?}", key, row);
            prop_assert!(row.ended >= row.picked_up);
        }
    }

    #[test]
    fn with_a_modem_that_obeys_the_line_is_always_given_back(
        action in action(),
        sit in any::<bool>(),
        steps in prop::collection::vec(step(), 1..40),
    ) {
        let mut watch = Watch::new(action, sit);
        for step in steps {
            match step {
                Step::Wait(millis) => watch.wait(Duration::from_millis(millis)),
                Step::Feed(event) => watch.feed(event),
            }
        }
        // From here on the modem does what it is told, and nobody calls any more.
        for event in [Event::PickedUp(RestingClass::Voice), Event::VoiceStarted, Event::FaxEnded, Event::PlaybackFinished] {
            watch.feed(event);
            watch.wait(Duration::from_millis(10));
        }
        watch.feed(Event::VoiceEnded(VoiceEnd::Asked));
        watch.wait(Duration::from_mins(2));
        watch.feed(Event::OnHook);
        watch.wait(Duration::from_mins(1));
        if watch.blocker.is_off_hook() {
            // A second answer, to rings after the first: it has its own turn.
            watch.feed(Event::Refused {
                what: "gone".into(),
            });
            watch.feed(Event::OnHook);
            watch.wait(Duration::from_mins(1));
        }
        prop_assert!(!watch.blocker.in_call());
        prop_assert!(watch.rows.values().all(|row| row.outcome.is_some()));
    }
}
