//! Calls as a table for people.

use super::asking::printable;
use callblock::audio::TimeZone;
use callblock::store::LoggedCall;

const HEAD: [&str; 7] = [
    "started", "number", "name", "verdict", "reason", "action", "outcome",
];

/// One line a call under a head, in columns; times in the given zone.
pub(crate) fn table(calls: &[LoggedCall], zone: TimeZone) -> String {
    let mut rows = vec![HEAD.map(String::from)];
    rows.extend(calls.iter().map(|call| {
        let text = |text: &Option<String>| printable(text.as_deref().unwrap_or(""));
        [
            zone.local_time(call.started),
            text(&call.number),
            text(&call.name),
            call.verdict.clone(),
            printable(&call.reason),
            call.action.clone(),
            text(&call.outcome),
        ]
    }));
    let widths: Vec<usize> = (0..HEAD.len())
        .map(|column| {
            let width = |row: &[String; 7]| row[column].chars().count();
            rows.iter().map(width).max().unwrap_or(0)
        })
        .collect();
    let mut table = String::new();
    for row in &rows {
        let line: Vec<String> = row
            .iter()
            .zip(&widths)
            .map(|(cell, &width)| format!("{cell:width$}"))
            .collect();
        table.push_str(line.join("  ").trim_end());
        table.push('\n');
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use callblock::clock::Timestamp;

    #[test]
    fn columns_line_up_and_names_cannot_steer_the_terminal() {
        let call = LoggedCall {
            id: 1,
            started: Timestamp::from_nanos(0),
            number: Some("2125550147".into()),
            normalised: None,
            name: Some("\u{1b}[2JX".into()),
            verdict: "block".into(),
            reason: "on the block list".into(),
            source: None,
            action: "hangup".into(),
            picked_up: None,
            ended: None,
            outcome: None,
            recording: None,
            dtmf: None,
            trouble: None,
            level_dbfs: None,
            noise_dbfs: None,
            clipped: None,
            dc_offset: None,
        };
        let table = table(&[call], TimeZone::UTC);
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines[0].find("number"), lines[1].find("2125550147"));
        assert!(lines[1].contains("\u{FFFD}[2JX"));
        assert!(!table.contains('\u{1b}'));
    }
}
