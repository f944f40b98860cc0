//! Golden transcripts: what is said on the port in one call, for each chip and each block action.
//!
//! One file of `tests/golden/CHIP/` for each action, to be read by people: `>>` to the modem, `<<`
//! from it, one line for what is said at one instant, audio summed up, pauses of a second and more
//! in brackets. A change of the driver shows here as a difference; if it is meant, write the files
//! afresh with `UPDATE_GOLDEN=1 cargo test --test golden` and look at what `git diff` says.

#![expect(
    unreachable_pub,
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::unchecked_time_subtraction,
    reason = "a test program: what is missing fails the test; the house has more than is used here"
)]

#[path = "calls/house.rs"]
mod house;
#[path = "golden/wiretap.rs"]
mod wiretap;

use callblock::blocker::BlockAction;
use callblock::emulator::{Call, Chip, Ending, Scenario, Sound};
use house::{HANG_UP, House, ROBOCALLER};
use std::path::{Path, PathBuf};
use std::time::Duration;
use wiretap::Wiretap;

const SECOND: Duration = Duration::from_secs(1);

/// Every block action under the name of its file; `file` lasts 2 s.
fn actions(file: &Path) -> [(&'static str, BlockAction); 6] {
    let file = file.to_owned();
    let limit = 5 * SECOND;
    [
        ("hangup", HANG_UP),
        ("fax", BlockAction::Fax),
        ("message", BlockAction::Message { file: file.clone() }),
        ("record", BlockAction::Record { limit }),
        (
            "transmit",
            BlockAction::Transmit {
                file: Some(file.clone()),
                limit,
            },
        ),
        (
            "duplex",
            BlockAction::Duplex {
                file: Some(file),
                limit: 30 * SECOND,
                silence: None,
            },
        ),
    ]
}

/// Rings twice if it may, speaks, presses a key, and hangs up after 8 s.
fn robocall() -> Call {
    Call::from(ROBOCALLER)
        .named("V4231749020")
        .at(5 * SECOND)
        .says(Sound::Speech(3 * SECOND))
        .says(Sound::Dtmf("1".into()))
        .says(Sound::Silence(5 * SECOND))
        .ends(Ending::Busy)
}

async fn transcript(chip: Chip, action_name: &str) -> String {
    let house = House::new(Scenario::default().call(robocall())).watched(50);
    let file = house.wav("greeting.wav", &[0x10; 16_000]);
    let (_, action) = actions(&file)
        .into_iter()
        .find(|(name, _)| *name == action_name)
        .unwrap();
    let mut house = house.action(action);
    house.scenario.chip = chip;
    let (tap, transcript) = Wiretap::new();
    house.live_with(|jack| tap.on(jack)).await;
    transcript.text()
}

fn golden_file(chip: Chip, action: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    folder.join(chip.to_string()).join(format!("{action}.txt"))
}

async fn compare(chip: Chip) {
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut different = Vec::new();
    for (action, _) in actions(Path::new("")) {
        let path = golden_file(chip, action);
        let now = transcript(chip, action).await;
        if update {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, now).unwrap();
            continue;
        }
        let golden = std::fs::read_to_string(&path).unwrap_or_default();
        if golden != now {
            different.push(format!(
                "{}:\n{}",
                path.display(),
                first_difference(&golden, &now)
            ));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}

/// The first line that is not the same, with those before it.
fn first_difference(golden: &str, now: &str) -> String {
    let same = golden.lines().zip(now.lines()).take_while(|(a, b)| a == b);
    let same = same.count();
    let line = |text: &str| text.lines().nth(same).unwrap_or("(the end)").to_owned();
    let before: Vec<_> = golden
        .lines()
        .take(same)
        .skip(same.saturating_sub(5))
        .collect();
    format!(
        "{}\nline {}:\n  golden {}\n  now    {}",
        before.join("\n"),
        same + 1,
        line(golden),
        line(now)
    )
}

macro_rules! golden {
    ($($name:ident: $chip:ident;)*) => {
        $(
            #[tokio::test(start_paused = true)]
            async fn $name() {
                compare(Chip::$chip).await;
            }
        )*

        #[test]
        fn no_chip_is_forgotten() {
            assert_eq!([$(Chip::$chip),*], Chip::ALL);
        }
    };
}

golden! {
    cx93001_2002: Cx93001V2002;
    cx93001_2013: Cx93001V2013;
    usr5637: Usr5637;
    usr5637_old: Usr5637Old;
    zoom3095: Zoom3095;
    mt9234mu: Mt9234mu;
    v253: V253;
    data_only: DataOnly;
}
