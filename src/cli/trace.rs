//! `callblock trace`: what a modem says goes to a file, and no call is answered. The daemon's
//! `--trace` writes the same.

use super::flags::{DeviceChoice, TraceSettings, require_device};
use super::{Failure, daemon, flags, runtime};
use callblock::audio::TimeZone;
use callblock::clock::{SystemClock, WallClock as _};
use callblock::modem::driver::{self, ModemEvent, ModemOptions, RestingClass};
use callblock::modem::port::{Changed, Jack, OpenError, Port, Reset};
use callblock::modem::serial::BAUD;
use callblock::service::log::{self, LogOptions};
use callblock::service::signals::StopSignals;
use callblock::trace::{Header, Mask, Recorder, TappedJack, TraceFile};
use clap::builder::{OsStringValueParser, TypedValueParser};
use std::path::PathBuf;

/// Write down what crosses a modem's port, both ways, with times, until Ctrl-C: see docs/trace.md.
///
/// The modem is set up as the daemon does it. Rings and caller ID are shown and no call is answered.
#[derive(clap::Args, Debug)]
pub(crate) struct TraceArgs {
    /// The file to write; a trace that is there is appended to
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// The modem: a serial port, or `auto` for the first known USB modem
    #[arg(
        long,
        value_name = "DEV",
        default_value = "/dev/ttyACM0",
        value_parser = OsStringValueParser::new().try_map(flags::parse_device)
    )]
    device: DeviceChoice,
    /// Replace the numbers and names of callers
    #[arg(long)]
    mask_numbers: bool,
    /// Tell the modem its country: the two digits of AT+GCI, such as B5 for the USA
    #[arg(long, value_name = "HEX", value_parser = flags::parse_country)]
    gci: Option<u8>,
    /// Send this AT command too whenever the modem is set up. May be given several times
    #[arg(long, value_name = "CMD", value_parser = flags::parse_init_command)]
    init: Vec<String>,
}

/// A file that is open, and whether numbers are masked in it.
pub(super) struct OpenTrace {
    file: TraceFile,
    masked: bool,
}

/// Opens the file of a trace: a wrong one is the user's mistake.
pub(super) fn open_trace(settings: &TraceSettings) -> Result<OpenTrace, Failure> {
    let file = TraceFile::open(&settings.file);
    let file = file.map_err(|error| Failure::Usage(error.to_string()))?;
    Ok(OpenTrace {
        file,
        masked: settings.masked,
    })
}

/// Puts a tap on the jack, if a trace is wanted.
pub(super) fn tapped(
    jack: Box<dyn Jack>,
    trace: Option<OpenTrace>,
) -> (Box<dyn Jack>, Option<Recorder>) {
    let Some(OpenTrace { file, masked }) = trace else {
        return (jack, None);
    };
    let header = Header {
        program: concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")).into(),
        started: TimeZone::UTC.local_time(SystemClock.now()),
        baud: BAUD,
        masked,
        device: jack.device(),
    };
    let (sink, recorder) = file.record(&header, masked.then(Mask::random));
    (Box::new(TappedJack::new(jack, sink)), Some(recorder))
}

/// Runs until SIGINT or SIGTERM.
pub(crate) fn run(args: TraceArgs) -> Result<(), Failure> {
    require_device(&args.device).map_err(|error| Failure::Usage(error.to_string()))?;
    let emulated = daemon::emulated(&args.device)?;
    let link = emulated.as_ref().map(|(_, link)| link);
    let to_stderr = LogOptions {
        stderr: true,
        ..LogOptions::default()
    };
    log::init(&to_stderr).map_err(|error| Failure::Usage(error.to_string()))?;
    let settings = TraceSettings {
        file: args.out,
        masked: args.mask_numbers,
    };
    runtime()?.block_on(async {
        let mut signals = StopSignals::new().map_err(Failure::because("signals"))?;
        let jack = Box::new(TakenJack::take(daemon::jack(&args.device, link))?);
        let (jack, recorder) = tapped(jack, Some(open_trace(&settings)?));
        let options = ModemOptions {
            // All that a modem can be set up for.
            resting: RestingClass::Voice,
            country: args.gci,
            init: args.init,
        };
        let (modem, mut events, driver) = driver::start(jack, options);
        loop {
            tokio::select! {
                event = events.next() => match event {
                    Some(event) => show(&event),
                    None => break,
                },
                _ = signals.recv() => break,
            }
        }
        let drained = async { while events.next().await.is_some() {} };
        tokio::join!(driver.shut_down(), drained);
        drop(modem);
        if let Some(recorder) = recorder {
            recorder.finish().await;
        }
        let file = settings.file.display();
        tracing::info!("the trace is in {file}; callblock emulate --replay {file} plays it back");
        if !settings.masked {
            tracing::info!("numbers of callers are in it; --mask-numbers replaces them");
        }
        Ok(())
    })
}

/// A line for each event. The logger makes what callers choose harmless.
fn show(event: &ModemEvent) {
    match event {
        ModemEvent::Waiting { why } => tracing::info!("waiting for the modem: {why}"),
        ModemEvent::PortBack { device } => tracing::info!("{device} is open"),
        ModemEvent::Armed(armed) => tracing::info!(
            class = ?armed.class,
            caller_id = armed.caller_id,
            "armed on {}; waiting for calls, which are not answered",
            armed.identity
        ),
        ModemEvent::PortLost { why } => tracing::warn!("{why}"),
        ModemEvent::Ring => tracing::info!("ring"),
        ModemEvent::CallerId { id, .. } => tracing::info!(
            number = id.number.as_deref().unwrap_or_default(),
            name = id.name.as_deref().unwrap_or_default(),
            "caller ID"
        ),
        ModemEvent::MessageWaiting(_) => tracing::info!("message waiting"),
        ModemEvent::Code(code) => tracing::info!(?code, "the line"),
        ModemEvent::Unknown(text) => tracing::info!(text, "not understood"),
        // The driver has told of being deaf; the rest comes in calls that are answered.
        _ => {}
    }
}

/// A jack whose port was opened before the driver asks for it, so that one which another program has
/// is a mistake to be told, and not something to wait for.
struct TakenJack {
    jack: Box<dyn Jack>,
    taken: Option<Box<dyn Port>>,
}

impl TakenJack {
    fn take(mut jack: Box<dyn Jack>) -> Result<Self, Failure> {
        let taken = match jack.open() {
            Ok(port) => Some(port),
            Err(OpenError::Absent { .. }) => None,
            Err(error @ OpenError::Busy { .. }) => {
                return Err(Failure::Usage(format!(
                    "{error}; if that is the daemon, stop it (sudo systemctl stop callblock) or \
                     start it with --trace FILE"
                )));
            }
            Err(error) => return Err(Failure::Usage(error.to_string())),
        };
        Ok(Self { jack, taken })
    }
}

impl Jack for TakenJack {
    fn open(&mut self) -> Result<Box<dyn Port>, OpenError> {
        self.taken.take().map_or_else(|| self.jack.open(), Ok)
    }

    fn changed(&mut self) -> Changed<'_> {
        self.jack.changed()
    }

    fn reset(&mut self) -> Reset<'_> {
        self.jack.reset()
    }

    fn device(&self) -> String {
        self.jack.device()
    }
}
