//! Cuts a command line into commands.

/// One command of a line, such as `+VLS=1` or `S0?`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Command {
    /// Upper case, with its prefix: `Z`, `S0`, `&F`, `+VLS`, `-STE`.
    pub(crate) name: String,
    pub(crate) argument: Argument,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Argument {
    None,
    /// `?`
    Query,
    /// `=?`
    Test,
    /// `=value`, or the number after a letter.
    Value(String),
}

impl Command {
    /// The number given, 0 if none is.
    pub(crate) fn number(&self) -> Option<u32> {
        match &self.argument {
            Argument::None => Some(0),
            Argument::Value(value) => value.split(',').next()?.trim().parse().ok(),
            _ => None,
        }
    }

    /// The text given, if one is.
    pub(crate) fn value(&self) -> Option<&str> {
        match &self.argument {
            Argument::Value(value) => Some(value),
            _ => None,
        }
    }

    /// As it would be written, without `AT`.
    pub(crate) fn written(&self) -> String {
        let extended = self.name.len() > 1;
        match &self.argument {
            Argument::None => self.name.clone(),
            Argument::Query => format!("{}?", self.name),
            Argument::Test => format!("{}=?", self.name),
            Argument::Value(value) if extended => format!("{}={value}", self.name),
            Argument::Value(value) => format!("{}{value}", self.name),
        }
    }
}

/// The commands after `AT`; `None` where the line makes no sense.
pub(crate) fn parse(body: &str) -> Option<Vec<Command>> {
    let mut commands = Vec::new();
    let mut rest = body;
    loop {
        rest = rest.trim_start_matches([' ', ';']);
        if rest.is_empty() {
            return Some(commands);
        }
        let (command, after) = first(rest)?;
        commands.push(command);
        rest = after;
    }
}

fn first(text: &str) -> Option<(Command, &str)> {
    let letter = text.chars().next()?.to_ascii_uppercase();
    match letter {
        '+' | '-' | '#' | '*' | '!' => Some(extended(text)),
        '&' | '\\' | '%' => {
            let second = text.chars().nth(1).filter(char::is_ascii_alphabetic)?;
            let name = format!("{letter}{}", second.to_ascii_uppercase());
            Some(numbered(name, text.get(2..)?))
        }
        // The dial string is the rest of the line.
        'D' => Some((
            Command {
                name: "D".into(),
                argument: Argument::Value(text.get(1..)?.to_owned()),
            },
            "",
        )),
        'S' => {
            let (register, after) = digits(text.get(1..)?);
            let name = format!("S{register}");
            let (argument, after) = assignment(after, |c| !c.is_ascii_digit());
            Some((Command { name, argument }, after))
        }
        'A'..='Z' => Some(numbered(letter.to_string(), text.get(1..)?)),
        _ => None,
    }
}

fn digits(text: &str) -> (&str, &str) {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    text.split_at(end)
}

fn numbered(name: String, after: &str) -> (Command, &str) {
    let (number, after) = digits(after.trim_start_matches(' '));
    let argument = if number.is_empty() {
        Argument::None
    } else {
        Argument::Value(number.to_owned())
    };
    (Command { name, argument }, after)
}

/// `+NAME`, up to the next `;`.
fn extended(text: &str) -> (Command, &str) {
    let named = |c: char| c.is_ascii_alphanumeric();
    let end = text
        .char_indices()
        .skip(1)
        .find(|(_, c)| !named(*c))
        .map_or(text.len(), |(at, _)| at);
    let (name, after) = text.split_at(end);
    let (argument, after) = assignment(after, |c| c == ';');
    let name = name.to_ascii_uppercase();
    (Command { name, argument }, after)
}

/// `?`, `=?`, `=value` or nothing; a value goes on until `ends`.
fn assignment(text: &str, ends: impl Fn(char) -> bool) -> (Argument, &str) {
    let text = text.trim_start_matches(' ');
    if let Some(after) = text.strip_prefix('?') {
        return (Argument::Query, after);
    }
    let Some(after) = text.strip_prefix('=') else {
        return (Argument::None, text);
    };
    let after = after.trim_start_matches(' ');
    if let Some(after) = after.strip_prefix('?') {
        return (Argument::Test, after);
    }
    let end = after.find(ends).unwrap_or(after.len());
    let (value, after) = after.split_at(end);
    (Argument::Value(value.trim_end().to_owned()), after)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(body: &str) -> Option<Vec<String>> {
        parse(body).map(|commands| commands.iter().map(Command::written).collect())
    }

    #[test]
    fn lines_that_programs_send() {
        let cases: [(&str, &[&str]); 8] = [
            ("Z", &["Z"]),
            (" Z S0=0 E1 V1 Q0", &["Z", "S0=0", "E1", "V1", "Q0"]),
            (
                "Q0 V1 E1 &C1 &D2 +FCLASS=0",
                &["Q0", "V1", "E1", "&C=1", "&D=2", "+FCLASS=0"],
            ),
            ("-SCID=1;+VCID=1;-STE=3", &["-SCID=1", "+VCID=1", "-STE=3"]),
            (
                "+vts=[933,0,120],[900,900,50]",
                &["+VTS=[933,0,120],[900,900,50]"],
            ),
            ("+FCLASS=?", &["+FCLASS=?"]),
            ("DT5551234;", &["DT5551234;"]),
            ("s0?i3", &["S0?", "I3"]),
        ];
        for (body, expected) in cases {
            assert_eq!(written(body).unwrap(), expected, "{body}");
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for body in ["?", "Z?", "=1", "&", "&1", "é"] {
            assert_eq!(written(body), None, "{body}");
        }
    }
}
