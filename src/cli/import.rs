//! `callblock import`: lists of other programs become lines of one of ours.
//!
//! What the list has stays as it is, with comments and order; new lines are added at its end. So
//! nothing can be lost, and an import can be repeated.

use super::Failure;
use super::edit_list::change_file;
use super::home_country;
use super::list_flags::ComplaintFlags;
use callblock::audio::TimeZone;
use callblock::clock::{SystemClock, WallClock as _};
use callblock::screen::{Country, Format, Numbering, Reading, Side, convert_lists, line_end};
use std::path::PathBuf;
use std::process::ExitCode;

/// The most bad lines that are named one by one.
const MOST_NAMED: usize = 100;

/// Convert lists of other programs and add what they hold to a list of ours. Lines that the list has
/// already are not added again; nothing in it is changed. Says what could not be used.
#[derive(clap::Args, Debug)]
pub(crate) struct ImportArgs {
    /// Lists in any format that is known, or folders of them
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The list to add to; made if it is not there
    #[arg(long, value_name = "LIST")]
    to: PathBuf,
    /// Which callers to take from a file that has both: block or allow
    #[arg(long, value_name = "block|allow", default_value = "block", value_parser = parse_side)]
    side: Side,
    /// The country of the telephone line, in two letters [default: that of the system's time zone]
    #[arg(long, value_name = "CC")]
    country: Option<Country>,
    #[command(flatten)]
    complaints: ComplaintFlags,
}

fn parse_side(text: &str) -> Result<Side, &'static str> {
    match text {
        "block" => Ok(Side::Block),
        "allow" => Ok(Side::Allow),
        _ => Err("say block or allow"),
    }
}

pub(crate) fn run(args: &ImportArgs) -> Result<ExitCode, Failure> {
    let today = TimeZone::UTC.moment(SystemClock.now()).local.date;
    let reading = Reading {
        numbering: Numbering::new(args.country.or_else(home_country::of_machine)),
        side: args.side,
        complaints: args.complaints.on(today),
    };
    for file in &args.files {
        if !file.exists() {
            let file = file.display();
            return Err(Failure::Usage(format!(
                "{file}: there is no such file; check the path"
            )));
        }
    }
    let mut unusable = 0;
    let mut outcome = None;
    change_file(&args.to, |old| {
        // What the list has comes first; what is behind it is new.
        let there = args.to.exists();
        let own: Vec<&PathBuf> = there.then_some(&args.to).into_iter().collect();
        let had = convert_lists(&reading, &own, &args.to);
        if had.files.iter().any(|(_, format)| *format != Format::Csv) {
            let to = args.to.display();
            return Err(Failure::Usage(format!(
                "{to}: this is a list of another kind"
            )));
        }
        let all: Vec<&PathBuf> = own.into_iter().chain(&args.files).collect();
        let converted = convert_lists(&reading, &all, &args.to);
        let mut text = old.to_vec();
        let end = line_end(old);
        if !text.is_empty() && !text.ends_with(b"\n") {
            text.extend(end);
        }
        for new in converted.text.lines().skip(had.entries) {
            text.extend(new.bytes());
            text.extend(end);
        }
        let added = converted.entries.saturating_sub(had.entries);
        unusable = converted.errors.len();
        outcome = Some((converted, added));
        Ok((added > 0).then_some(text))
    })?;
    let Some((converted, added)) = outcome else {
        return Ok(ExitCode::SUCCESS);
    };
    for (file, format) in converted.files.iter().filter(|(file, _)| *file != args.to) {
        eprintln!("{}: {format}", file.display());
    }
    for error in &converted.errors {
        eprintln!("{error}");
    }
    let bad: Vec<_> = converted
        .problems
        .iter()
        .filter(|bad| bad.file != args.to)
        .collect();
    for problem in bad.iter().take(MOST_NAMED) {
        eprintln!("{problem}");
    }
    println!(
        "{added} added to {}, {} could not be used, {} with too few or too old complaints left out",
        args.to.display(),
        bad.len(),
        converted.left_out
    );
    Ok(ExitCode::from(u8::from(unusable > 0)))
}
