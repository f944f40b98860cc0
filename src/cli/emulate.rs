//! `callblock emulate`: an emulated modem alone on a pseudo-terminal, for any program to try.

use callblock::emulator::{Chip, PtyModem, PtyOptions, Scenario, ScenarioError};
use std::io::{self, Write as _};
use std::path::PathBuf;
use tokio::signal::unix::{SignalKind, signal};

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

/// Why the emulated modem cannot run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EmulateError {
    /// The scenario cannot be used.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// No pseudo-terminal, or no link to it.
    #[error("the emulated modem cannot be started: {0}")]
    Start(#[source] io::Error),
    /// Standard output is closed, or signals cannot be waited for.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// Runs until SIGINT or SIGTERM, also when the scenario is over.
pub(crate) fn run(args: EmulateArgs) -> Result<(), EmulateError> {
    let mut scenario = Scenario::load(&args.scenario)?;
    if let Some(chip) = args.chip {
        scenario.chip = chip;
    }
    let options = PtyOptions {
        link: args.link,
        longest_write: args.rx_chunk,
        seed: args.seed,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    let _inside = runtime.enter();
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let modem = PtyModem::start(scenario, options).map_err(EmulateError::Start)?;
    // The journal is for watching; nobody asks for the audio afterwards.
    modem.journal().keep_audio(0);
    let node = modem.node().unwrap_or_default();
    writeln!(io::stdout(), "{}", node.display())?;
    if args.journal {
        modem.journal().listen(|entry| {
            // Who stops reading the journal does not stop the modem.
            let _ = writeln!(io::stdout(), "{entry}");
        });
    }
    runtime.block_on(async {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    });
    Ok(())
}
