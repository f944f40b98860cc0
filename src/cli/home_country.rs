//! The country of this machine, by the time zone it is set to: how numbers are read if no flag names a
//! country.
//!
//! Only the zone's name is looked at, never its rules: times stay in the zone that `--timezone` names.

use callblock::screen::Country;
use std::path::Path;

const LINK: &str = "/etc/localtime";
const FILE: &str = "/etc/timezone";

/// The country in which this machine is set up, if its time zone is in one.
pub(crate) fn of_machine() -> Option<Country> {
    let variable = std::env::var("TZ").ok();
    let link = std::fs::read_link(LINK).ok();
    // A word; what is no text is no zone.
    let file = std::fs::read_to_string(FILE).ok();
    by(variable.as_deref(), link.as_deref(), file.as_deref())
}

/// `TZ` speaks for itself alone; else the link that the C library follows, else the name that Debian
/// keeps beside it.
fn by(variable: Option<&str>, link: Option<&Path>, file: Option<&str>) -> Option<Country> {
    if let Some(variable) = variable {
        return of_zone(variable);
    }
    let link = link.and_then(Path::to_str).and_then(of_zone);
    link.or_else(|| file.and_then(of_zone))
}

/// `Europe/Paris`, `:Europe/Paris`, or the path of its file.
fn of_zone(text: &str) -> Option<Country> {
    let text = text.trim();
    let text = text.strip_prefix(':').unwrap_or(text);
    let name = text.rsplit_once("zoneinfo/").map_or(text, |(_, name)| name);
    let name = ["posix/", "right/"]
        .iter()
        .find_map(|kind| name.strip_prefix(kind))
        .unwrap_or(name);
    Country::of_time_zone(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_zone_of_the_machine_names_the_country() {
        let paris = Some(Path::new("/usr/share/zoneinfo/Europe/Paris"));
        let utc = Some(Path::new("../usr/share/zoneinfo/Etc/UTC"));
        for (variable, link, file, expected) in [
            (None, None, None, None),
            (None, paris, Some("America/New_York\n"), Some("FR")),
            (None, utc, Some("America/New_York\n"), Some("US")),
            (None, utc, Some("Etc/UTC\n"), None),
            (None, None, Some("Europe/Berlin\n"), Some("DE")),
            (Some("Europe/London"), paris, None, Some("GB")),
            (Some(":America/Toronto"), paris, None, Some("CA")),
            (
                Some("/usr/share/zoneinfo/posix/Europe/Rome"),
                None,
                None,
                Some("IT"),
            ),
            (Some("US/Eastern"), None, None, Some("US")),
            (Some("UTC"), paris, None, None),
            (Some(""), paris, None, None),
            (Some("CET-1CEST"), paris, None, None),
            (Some("CET"), paris, None, None),
        ] {
            let found = by(variable, link, file).map(Country::iso);
            assert_eq!(found, expected, "{variable:?} {link:?} {file:?}");
        }
    }
}
