//! `callblock emulate`: an emulated modem alone on a pseudo-terminal, for any program to try.

use super::{Failure, runtime};
use callblock::emulator::{Chip, LinkedModem, PtyModem, PtyOptions, Scenario};
use callblock::service::signals::StopSignals;
use callblock::trace::{Replay, Trace, parse};
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Bytes of a trace that are read: more than what is kept of one takes.
const MOST_TEXT: u64 = 256 << 20;

/// Run an emulated modem on a pseudo-terminal and print the node to open.
#[derive(Debug, clap::Args)]
pub(crate) struct EmulateArgs {
    /// The modem, instead of the scenario's: cx93001-2002, cx93001-2013, usr5637, usr5637-old,
    /// zoom3095, mt9234mu, v253 or data-only
    #[arg(long)]
    chip: Option<Chip>,
    /// Make a symbolic link to the node, which follows the modem to another node
    #[arg(long, value_name = "PATH")]
    link: Option<PathBuf>,
    /// Print one line for each thing that happens: seconds since the start, and what
    #[arg(long)]
    journal: bool,
    /// Write to the program in random pieces of 1 to N bytes
    #[arg(long, value_name = "N")]
    rx_chunk: Option<usize>,
    /// What random bytes and pieces are made from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Who calls when, and what goes wrong: see examples/scenarios
    #[arg(value_name = "SCENARIO.toml", required_unless_present = "replay")]
    scenario: Option<PathBuf>,
    /// Be the modem of a trace instead, as `callblock trace` writes them
    #[arg(long, value_name = "FILE", conflicts_with_all = ["scenario", "chip"])]
    replay: Option<PathBuf>,
}

/// Runs until SIGINT or SIGTERM, also when the scenario or the trace is over.
pub(crate) fn run(args: EmulateArgs) -> Result<(), Failure> {
    let options = PtyOptions {
        link: args.link,
        longest_write: args.rx_chunk,
        seed: args.seed,
    };
    let start = Failure::because("the emulated modem cannot be started");
    if let Some(trace) = &args.replay {
        let replay = Replay::new(read_trace(trace)?, Instant::now());
        let modem = PtyModem::linked(replay, options).map_err(start)?;
        return serve(&modem, args.journal);
    }
    let mut scenario = match &args.scenario {
        Some(file) => Scenario::load(file).map_err(|error| Failure::Usage(error.to_string()))?,
        None => Scenario::default(),
    };
    if let Some(chip) = args.chip {
        scenario.chip = chip;
    }
    let modem = PtyModem::start(scenario, options).map_err(start)?;
    // The journal is for watching; nobody asks for the audio afterwards.
    modem.journal().keep_audio(0);
    serve(&modem, args.journal)
}

fn serve<M: LinkedModem>(modem: &PtyModem<M>, journal: bool) -> Result<(), Failure> {
    let runtime = runtime()?;
    let inside = runtime.enter();
    let mut signals = StopSignals::new().map_err(Failure::because("signals"))?;
    drop(inside);
    let node = modem.node().unwrap_or_default();
    writeln!(io::stdout(), "{}", node.display()).map_err(Failure::because("standard output"))?;
    if journal {
        modem.journal().listen(|entry| {
            // Who stops reading the journal does not stop the modem.
            let _ = writeln!(io::stdout(), "{entry}");
        });
    }
    runtime.block_on(signals.recv());
    Ok(())
}

/// What of a trace cannot be read is told and left out.
fn read_trace(file: &Path) -> Result<Trace, Failure> {
    let name = file.display();
    let mut text = Vec::new();
    let read = File::open(file).and_then(|open| open.take(MOST_TEXT).read_to_end(&mut text));
    read.map_err(|error| Failure::Usage(format!("{name} cannot be read: {error}")))?;
    let trace = parse(&text).map_err(|error| Failure::Usage(format!("{name}: {error}")))?;
    for problem in &trace.problems {
        eprintln!("callblock: {name}: {problem}");
    }
    if trace.more_problems > 0 {
        eprintln!("callblock: {name}: {} more such lines", trace.more_problems);
    }
    Ok(trace)
}
