//! `callblock listen`: what is heard in a recording, as a timeline for people and for programs.

use super::Failure;
use callblock::audio::as_recorded;
use callblock::audio::listen::{EndRules, Hearing, Timeline, TonePlan, ToneSet};
use callblock::screen::Country;
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

/// Say what is heard in a recording: voice, silence, tones, keys, and where a live call would have
/// ended.
#[derive(clap::Args, Debug)]
pub(crate) struct ListenArgs {
    /// The recording: any WAV, FLAC, MP3, Ogg Vorbis or AIFF file. One that is not mono, unsigned 8 bit,
    /// 8000 Hz is brought to that first, its level unchanged.
    file: PathBuf,
    /// Expect the tones of this country, in two letters [default, and for a country whose tones are
    /// not known: those of any].
    #[arg(long, value_name = "CC")]
    country: Option<Country>,
    /// Let so many seconds of silence after speech end the call, too.
    #[arg(long, value_name = "SEC", value_parser = super::flags::parse_limit)]
    end_silence: Option<Duration>,
    /// Print one JSON object a line.
    #[arg(long)]
    json: bool,
}

/// What is to be said where a country has no plan of tones.
pub(crate) const WITHOUT_PLAN: &str =
    "the tones of that --country are not known: those of all countries are listened for";

/// Whether a country is named of whose tones there is no plan.
pub(crate) fn without_plan(country: Option<Country>) -> bool {
    country.is_some_and(|country| TonePlan::for_country(country.iso()).is_none())
}

/// The tones to listen for on a line in this country.
pub(crate) fn tones(country: Option<Country>) -> ToneSet {
    country
        .and_then(|country| TonePlan::for_country(country.iso()))
        .map_or(ToneSet::Any, ToneSet::Country)
}

pub(crate) fn run(args: &ListenArgs) -> Result<(), Failure> {
    let file = args.file.display();
    let recorded =
        as_recorded(&args.file).map_err(|error| Failure::Usage(format!("{file}: {error}")))?;
    if let Some(shortfall) = recorded.shortfall {
        eprintln!("callblock: {file}: {shortfall}");
    }
    if without_plan(args.country) {
        eprintln!("callblock: {WITHOUT_PLAN}");
    }
    let rules = EndRules {
        end_silence: args.end_silence,
        hearing: Hearing::Audio,
    };
    let timeline = Timeline::of(recorded.samples, tones(args.country), rules);
    let text = if args.json {
        timeline.json_lines()
    } else {
        timeline.to_string()
    };
    match io::stdout().write_all(text.as_bytes()) {
        // `callblock listen FILE | head` closes the pipe early; nothing is wrong then.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::Other(format!(
            "the timeline cannot be written: {error}"
        ))),
        _ => Ok(()),
    }
}
