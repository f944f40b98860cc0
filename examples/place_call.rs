//! An outgoing call: dials, records what the other end says for 30 s, hangs up.
//!
//! ```sh
//! cargo run --example place_call
//! ```
//!
//! calls an emulated talking clock; `place_call NODE NUMBER` uses a real modem.

use callblock::audio::{Recorder, RecordingLimits, RecordingSummary, Recordings, TimeZone};
use callblock::clock::{SystemClock, WallClock};
use callblock::emulator::{PtyModem, PtyOptions, Scenario};
use callblock::modem::port::Jack;
use callblock::modem::serial::{Device, SerialJack};
use callblock::modem::voice::VoiceMode;
use callblock::telephone::{Telephone, TelephoneError};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The call's recording in `folder`, however the call ended once it was answered.
pub async fn record_call(
    jack: Box<dyn Jack>,
    number: &str,
    folder: &Path,
    clock: &dyn WallClock,
) -> Result<RecordingSummary, TelephoneError> {
    let mut telephone = Telephone::open(jack).await?;
    if let Err(error) = telephone.dial(number).await {
        telephone.hang_up().await;
        return Err(error);
    }
    let recordings = Recordings {
        folder: folder.to_owned(),
        zone: TimeZone::UTC,
        limits: RecordingLimits::default(),
    };
    let recorder = Recorder::start(&recordings, clock.now(), Some(number));
    let limit = Duration::from_secs(30);
    let heard = |audio| recorder.push(audio);
    let talked = telephone.talk(VoiceMode::Receive, limit, heard).await;
    // Whatever happened, the line goes on-hook and the recording is closed.
    telephone.hang_up().await;
    let summary = recorder.finish().await;
    talked.map(|_| summary)
}

/// Answers after a while, says the time, and hangs up.
pub const SCENARIO: &str = "
    chip = \"cx93001-2013\"

    [dial]
    answers = 4
    says = [{ speech = 8 }]
    ends = \"busy\"
";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let emulated;
    let (node, number) = if let (Some(node), Some(number)) = (arguments.next(), arguments.next()) {
        (PathBuf::from(node), number.to_string_lossy().into_owned())
    } else {
        emulated = PtyModem::start(Scenario::parse(SCENARIO)?, PtyOptions::default())?;
        let node = emulated.node().ok_or("the emulated modem is unplugged")?;
        (node, "2125550100".to_owned())
    };
    let jack = Box::new(SerialJack::new(Device::Node(node)));
    let summary = record_call(jack, &number, Path::new("."), &SystemClock).await?;
    match summary.path {
        Some(path) => println!("{} samples in {}", summary.samples, path.display()),
        None => println!("no recording: {}", summary.trouble().unwrap_or_default()),
    }
    Ok(())
}
