//! `callblock emulate`: an emulated modem alone on a pseudo-terminal, for any program to try.

use super::{Failure, runtime};
use callblock::emulator::{Chip, PtyModem, PtyOptions, Scenario};
use callblock::service::signals::StopSignals;
use std::io::{self, Write as _};
use std::path::PathBuf;

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
    #[arg(value_name = "SCENARIO.toml")]
    scenario: PathBuf,
}

/// Runs until SIGINT or SIGTERM, also when the scenario is over.
pub(crate) fn run(args: EmulateArgs) -> Result<(), Failure> {
    let mut scenario =
        Scenario::load(&args.scenario).map_err(|error| Failure::Usage(error.to_string()))?;
    if let Some(chip) = args.chip {
        scenario.chip = chip;
    }
    let options = PtyOptions {
        link: args.link,
        longest_write: args.rx_chunk,
        seed: args.seed,
    };
    let runtime = runtime()?;
    let inside = runtime.enter();
    let mut signals = StopSignals::new().map_err(Failure::because("signals"))?;
    drop(inside);
    let modem = PtyModem::start(scenario, options)
        .map_err(Failure::because("the emulated modem cannot be started"))?;
    // The journal is for watching; nobody asks for the audio afterwards.
    modem.journal().keep_audio(0);
    let node = modem.node().unwrap_or_default();
    writeln!(io::stdout(), "{}", node.display()).map_err(Failure::because("standard output"))?;
    if args.journal {
        modem.journal().listen(|entry| {
            // Who stops reading the journal does not stop the modem.
            let _ = writeln!(io::stdout(), "{entry}");
        });
    }
    runtime.block_on(signals.recv());
    Ok(())
}
