//! A log line as text: one line each, whatever the fields contain.
//!
//! A caller chooses the name he sends, so it is treated as hostile: control characters are escaped
//! (a terminal would obey them, a line break would forge a line), and a value that could be taken
//! for several fields is quoted.

use crate::clock::{SystemClock, WallClock};
use chrono::DateTime;
use std::fmt::{self, Write};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

/// What a line begins with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum TextPrefix {
    /// UTC time to the millisecond, and the level.
    TimeAndLevel,
    /// `<6>`, which the journal takes off a captured line as its priority (`sd-daemon(3)`); it adds
    /// the time itself.
    SyslogPriority,
}

/// Formats an event: prefix, message, its fields, then the fields of the spans round it.
#[derive(Clone, Copy, Debug)]
pub(super) struct TextLine {
    prefix: TextPrefix,
}

impl TextLine {
    pub(super) const fn new(prefix: TextPrefix) -> Self {
        Self { prefix }
    }
}

impl<S> FormatEvent<S, FieldText> for TextLine
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, FieldText>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let level = *event.metadata().level();
        match self.prefix {
            TextPrefix::TimeAndLevel => {
                let now = DateTime::from_timestamp_nanos(SystemClock.now().as_nanos());
                write!(
                    writer,
                    "{} {level:>5}",
                    now.format("%Y-%m-%dT%H:%M:%S%.3fZ")
                )?;
            }
            TextPrefix::SyslogPriority => write!(writer, "<{}>", syslog_priority(level))?,
        }
        let mut fields = FieldWriter {
            writer: writer.by_ref(),
            separate: self.prefix == TextPrefix::TimeAndLevel,
            result: Ok(()),
        };
        event.record(&mut fields);
        fields.result?;
        for span in context.event_scope().into_iter().flatten() {
            if let Some(fields) = span.extensions().get::<FormattedFields<FieldText>>()
                && !fields.is_empty()
            {
                write!(writer, " {fields}")?;
            }
        }
        writeln!(writer)
    }
}

/// The same mapping as in the journal.
fn syslog_priority(level: Level) -> u8 {
    match level {
        Level::ERROR => 3,
        Level::WARN => 4,
        Level::INFO => 6,
        _ => 7,
    }
}

/// Formats the fields of a span, once, when it is opened.
#[derive(Clone, Copy, Debug)]
pub(super) struct FieldText;

impl<'writer> FormatFields<'writer> for FieldText {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'writer>, fields: R) -> fmt::Result {
        let mut visitor = FieldWriter {
            writer,
            separate: false,
            result: Ok(()),
        };
        fields.record(&mut visitor);
        visitor.result
    }
}

/// Fields that the journal gets with every line anyway; a second of the same name would make both
/// ambiguous there.
const RESERVED_FIELDS: [&str; 6] = [
    "priority",
    "target",
    "code_file",
    "code_line",
    "syslog_identifier",
    "span_name",
];

/// Writes fields as `name=value`, separated by spaces, and the message as it is.
struct FieldWriter<'writer> {
    writer: Writer<'writer>,
    separate: bool,
    result: fmt::Result,
}

impl FieldWriter<'_> {
    fn write(&mut self, field: &Field, value: &str) -> fmt::Result {
        debug_assert!(
            !RESERVED_FIELDS.contains(&field.name()),
            "the journal has its own {}",
            field.name()
        );
        if std::mem::replace(&mut self.separate, true) {
            self.writer.write_char(' ')?;
        }
        if field.name() == "message" {
            return write_escaped(&mut self.writer, value, "");
        }
        write!(self.writer, "{}=", field.name())?;
        if value.is_empty() || value.contains([' ', '=', '"']) {
            self.writer.write_char('"')?;
            write_escaped(&mut self.writer, value, "\"\\")?;
            self.writer.write_char('"')
        } else {
            write_escaped(&mut self.writer, value, "")
        }
    }
}

impl Visit for FieldWriter<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        if self.result.is_ok() {
            self.result = self.write(field, value);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}

/// Writes `text` with control characters, and those in `also`, escaped as in Rust source.
fn write_escaped(writer: &mut impl Write, text: &str, also: &str) -> fmt::Result {
    for character in text.chars() {
        if character.is_control() || also.contains(character) {
            write!(writer, "{}", character.escape_default())?;
        } else {
            writer.write_char(character)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::text_layer;
    use super::*;
    use proptest::prelude::*;
    use std::io;
    use std::sync::{Arc, Mutex};
    use tracing::subscriber::with_default;
    use tracing_subscriber::Registry;
    use tracing_subscriber::layer::SubscriberExt;

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("not poisoned").write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What `log` writes, each line beginning with its priority.
    fn logged(prefix: TextPrefix, log: impl FnOnce()) -> String {
        let sink = Sink::default();
        let writer = sink.clone();
        let layer = text_layer(prefix, move || writer.clone());
        with_default(Registry::default().with(layer), log);
        let bytes = std::mem::take(&mut *sink.0.lock().expect("not poisoned"));
        String::from_utf8(bytes).expect("text")
    }

    #[test]
    fn a_line_has_its_message_then_its_fields() {
        let text = logged(TextPrefix::SyslogPriority, || {
            tracing::info!(call = 7, number = "5055034455", action = %"hangup", "blocked");
        });
        assert_eq!(text, "<6>blocked call=7 number=5055034455 action=hangup\n");
    }

    #[test]
    fn the_fields_of_spans_follow() {
        let text = logged(TextPrefix::SyslogPriority, || {
            let _call = tracing::info_span!("call", call = 7).entered();
            let _action = tracing::info_span!("action").entered();
            tracing::info!(key = "#", "key pressed");
        });
        assert_eq!(text, "<6>key pressed key=# call=7\n");
    }

    #[test]
    fn each_level_has_its_priority() {
        let text = logged(TextPrefix::SyslogPriority, || {
            tracing::error!("e");
            tracing::warn!("w");
            tracing::info!("i");
            tracing::debug!("d");
            tracing::trace!("t");
        });
        assert_eq!(text, "<3>e\n<4>w\n<6>i\n<7>d\n<7>t\n");
    }

    #[test]
    fn time_is_utc_to_the_millisecond_and_the_level_is_aligned() {
        let text = logged(TextPrefix::TimeAndLevel, || tracing::warn!("x"));
        let (time, rest) = text.split_once(' ').expect("a time stamp");
        assert_eq!(rest, " WARN x\n");
        let time = DateTime::parse_from_rfc3339(time).expect("a time stamp");
        assert_eq!(time.offset().local_minus_utc(), 0);
        assert_eq!(text.find(' '), Some("2026-11-20T23:26:42.123Z".len()));
    }

    #[test]
    fn a_callers_name_commands_no_terminal_and_forges_nothing() {
        let text = logged(TextPrefix::SyslogPriority, || {
            tracing::info!(name = "\x1b[2J\n<3>\u{9b}EVIL", "a");
            tracing::info!(name = %"BOB verdict=ring", "b");
            tracing::info!(name = r"a\", quoted = r#"a \""#, empty = "", "c");
            tracing::info!("line\nbreak");
        });
        assert_eq!(
            text,
            concat!(
                r"<6>a name=\u{1b}[2J\n<3>\u{9b}EVIL",
                "\n",
                r#"<6>b name="BOB verdict=ring""#,
                "\n",
                r#"<6>c name=a\ quoted="a \\\"" empty="""#,
                "\n",
                r"<6>line\nbreak",
                "\n",
            )
        );
    }

    #[test]
    #[should_panic(expected = "the journal has its own priority")]
    #[cfg(debug_assertions)]
    fn a_field_that_collides_in_the_journal_is_found_in_development() {
        logged(TextPrefix::SyslogPriority, || {
            tracing::info!(priority = 1, "x");
        });
    }

    proptest! {
        #[test]
        fn any_value_stays_on_its_line(value: String) {
            let text = logged(TextPrefix::SyslogPriority, || tracing::info!(name = value, "x"));
            prop_assert!(text.ends_with('\n'));
            prop_assert!(!text[..text.len() - 1].contains(char::is_control), "{text:?}");
        }
    }
}
