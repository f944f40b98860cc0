//! A call blocker of one's own: callers without a name are answered, and whoever presses 1 hears a
//! file. Everything else is as in the daemon.
//!
//! ```sh
//! cargo run --example custom_blocker
//! ```
//!
//! runs it on the emulated modem; give it the node of a real one as its argument.

use callblock::blocker::daemon::{Daemon, Observer, Setup, StartError};
use callblock::blocker::{BlockAction, CallControl, CallHandler};
use callblock::call::VerdictClass;
use callblock::emulator::{PtyModem, PtyOptions, Scenario};
use callblock::modem::port::Jack;
use callblock::modem::serial::{Device, SerialJack};
use callblock::screen::{Caller, Verdict};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Plays a file to callers without a name who press 1.
pub struct Menu {
    /// The file.
    pub file: PathBuf,
}

impl CallHandler for Menu {
    fn on_call(&mut self, caller: &Caller) -> Verdict {
        match &caller.name {
            Some(_) => Verdict::new(VerdictClass::Ring, "callers with a name may ring"),
            None => Verdict::new(
                VerdictClass::Block,
                "callers without a name talk to the menu",
            ),
        }
    }

    fn on_dtmf(&mut self, digit: char, control: &mut CallControl) {
        match digit {
            '1' => control.play(&self.file),
            '#' => control.hang_up(),
            _ => {}
        }
    }
}

/// Screens calls until `stop` resolves.
pub async fn block_calls(
    jack: Box<dyn Jack>,
    data_dir: &Path,
    file: &Path,
    stop: impl Future<Output = ()>,
) -> Result<(), StartError> {
    let setup = Setup {
        action: BlockAction::Transmit {
            file: None,
            limit: Duration::from_mins(1),
        },
        ..Setup::new(data_dir)
    };
    let handler = Box::new(Menu {
        file: file.to_owned(),
    });
    let observer: Observer = Box::new(|notice| println!("{notice:?}"));
    Daemon::run(setup, jack, handler, observer, stop).await
}

/// Somebody without a name calls and presses 1.
pub const SCENARIO: &str = "
    chip = \"cx93001-2013\"

    [[call]]
    at = 1
    number = \"2125550147\"
    says = [{ silence = 2 }, { dtmf = \"1\" }, { silence = 6 }]
    ends = \"loop-break\"
";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let emulated;
    let node = if let Some(node) = std::env::args_os().nth(1) {
        PathBuf::from(node)
    } else {
        emulated = PtyModem::start(Scenario::parse(SCENARIO)?, PtyOptions::default())?;
        emulated.node().ok_or("the emulated modem is unplugged")?
    };
    let jack = Box::new(SerialJack::new(Device::Node(node)));
    let data_dir = std::env::temp_dir().join("callblock-example");
    let file = Path::new("play/hold-on.wav");
    let stop = async {
        let _ = tokio::signal::ctrl_c().await;
    };
    Ok(block_calls(jack, &data_dir, file, stop).await?)
}
