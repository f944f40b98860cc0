//! Framing: the modem's bytes cut into text lines, shielded codes and audio.
//!
//! The innermost layer of the driver. It knows the two alphabets of a voice modem (text lines in the
//! command state, DLE-shielded audio in the data states) and nothing of what they mean. It does no
//! I/O, has no clock, and gives the same frames however its input is cut.
//!
//! Facts: V.253 and the Conexant manual for the shielding (`DLE DLE` is one 0x10, `DLE SUB` two,
//! `DLE ETX` the end of a stream, `DLE X` … `DLE .` a complex event report); lines end with CR LF,
//! echoes with CR, the lines of a complex report with CR alone.

/// Data Link Escape: the next byte is a code.
pub const DLE: u8 = 0x10;
/// After DLE: the end of a stream.
pub const ETX: u8 = 0x03;
/// After DLE: two 0x10 bytes of audio.
pub const SUB: u8 = 0x1A;
/// After DLE, from the host: clear the transmit buffer.
pub const CAN: u8 = 0x18;

/// The longest text line kept. An MDMF message as hex has at most 516 characters.
const LONGEST_LINE: usize = 1024;
/// The longest complex event report inside a stream. What is longer was a false `DLE X`.
const LONGEST_REPORT: usize = 512;

/// What the bytes from the modem are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DataState {
    /// Text lines and shielded codes.
    Command,
    /// `+VTX`: we send audio; the modem says codes and, at the end, text.
    Transmit,
    /// `+VRX`, `+VTR`: the modem sends shielded audio.
    Receive,
}

/// One piece of what the modem said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Frame {
    /// A line of text without its line end, never empty, NULs removed.
    Line(Vec<u8>),
    /// A shielded code: the byte after DLE.
    Code(u8),
    /// `DLE .`: the end of a complex event report, whose lines came as [`Frame::Line`].
    ReportEnd,
    /// Audio: 8-bit unsigned samples, shielding removed. Never empty.
    Audio(Vec<u8>),
    /// `DLE ETX`: the stream is over; the wire is back in the command state.
    StreamEnd,
}

/// The state of the framing.
#[derive(Debug)]
pub struct Wire {
    state: DataState,
    after_dle: bool,
    /// The LF that belongs to the CR which ended `CONNECT` is not audio.
    swallow_line_feed: bool,
    line: Vec<u8>,
    line_overflowed: bool,
    /// LFs since the last byte of a line.
    line_feeds: u8,
    /// LFs before the line that was read last, or has begun.
    line_feeds_before: u8,
    /// Inside a complex event report in the middle of audio: the bytes since `DLE X`, kept so that a
    /// false one can be given back as audio.
    report: Option<Vec<u8>>,
}

impl Default for Wire {
    fn default() -> Self {
        Self::new()
    }
}

impl Wire {
    /// In the command state, with nothing read.
    pub const fn new() -> Self {
        Self {
            state: DataState::Command,
            after_dle: false,
            swallow_line_feed: false,
            line: Vec::new(),
            line_overflowed: false,
            line_feeds: 1,
            line_feeds_before: 0,
            report: None,
        }
    }

    /// The state that the next byte will be read in.
    pub const fn state(&self) -> DataState {
        self.state
    }

    /// Whether a blank line was before the line that was read last: each line in verbose form (`ATV1`)
    /// has CR LF around it. In numeric form a result is a number and a CR.
    pub const fn line_was_framed(&self) -> bool {
        self.line_feeds_before > 1
    }

    /// From now on the bytes are read in this state.
    pub fn enter(&mut self, state: DataState) {
        self.state = state;
        self.swallow_line_feed = state == DataState::Receive;
        self.after_dle = false;
        self.forget_partial();
    }

    /// Gives up a code or line that has begun and whose end will not come; the line, if there is one.
    /// Audio is left alone.
    pub fn give_up_unfinished(&mut self) -> Option<Vec<u8>> {
        if self.state == DataState::Receive {
            return None;
        }
        self.after_dle = false;
        self.line_overflowed = false;
        Some(std::mem::take(&mut self.line)).filter(|line| !line.is_empty())
    }

    /// Forgets a line or report that has begun: what follows is unrelated.
    pub fn forget_partial(&mut self) {
        self.line.clear();
        self.line_overflowed = false;
        self.report = None;
    }

    /// Reads one frame from the front of `bytes` and moves `bytes` past what was read. `None` when
    /// all is read and no frame is complete. The caller may call [`Wire::enter`] between two frames.
    pub fn next_frame(&mut self, bytes: &mut &[u8]) -> Option<Frame> {
        if self.state == DataState::Receive {
            self.next_in_stream(bytes)
        } else {
            self.next_in_text(bytes)
        }
    }

    fn next_in_text(&mut self, bytes: &mut &[u8]) -> Option<Frame> {
        while let Some((&byte, rest)) = bytes.split_first() {
            // `DLE .` first gives up the line before it, then is read again.
            if self.after_dle && byte == b'.' {
                if let Some(line) = self.take_line() {
                    return Some(line);
                }
                *bytes = rest;
                self.after_dle = false;
                return Some(Frame::ReportEnd);
            }
            *bytes = rest;
            if self.after_dle {
                self.after_dle = false;
                match byte {
                    DLE | SUB | b'X' => {}
                    ETX => {
                        self.state = DataState::Command;
                        return Some(Frame::StreamEnd);
                    }
                    code => return Some(Frame::Code(code)),
                }
                continue;
            }
            if byte == b'\n' {
                self.line_feeds = self.line_feeds.saturating_add(1);
            } else if !matches!(byte, b'\r' | DLE | 0) {
                let line_feeds = std::mem::take(&mut self.line_feeds);
                if self.line.is_empty() {
                    self.line_feeds_before = line_feeds;
                }
            }
            match byte {
                DLE => self.after_dle = true,
                b'\r' | b'\n' => {
                    if let Some(line) = self.take_line() {
                        return Some(line);
                    }
                }
                0 => {}
                _ if self.line.len() < LONGEST_LINE => self.line.push(byte),
                _ => self.line_overflowed = true,
            }
        }
        None
    }

    fn next_in_stream(&mut self, bytes: &mut &[u8]) -> Option<Frame> {
        let mut audio = Vec::new();
        while let Some((&byte, rest)) = bytes.split_first() {
            if std::mem::take(&mut self.swallow_line_feed) && byte == b'\n' {
                *bytes = rest;
                continue;
            }
            if self.report.is_some() {
                // Audio read so far goes out first; the report's bytes stay unread.
                if !audio.is_empty() {
                    break;
                }
                if let Some(frame) = self.next_in_report(bytes) {
                    return Some(frame);
                }
                continue;
            }
            if !self.after_dle {
                *bytes = rest;
                if byte == DLE {
                    self.after_dle = true;
                } else {
                    audio.push(byte);
                }
                continue;
            }
            if !matches!(byte, DLE | SUB | b'X') && !audio.is_empty() {
                break;
            }
            *bytes = rest;
            self.after_dle = false;
            match byte {
                DLE => audio.push(DLE),
                SUB => audio.extend([DLE, DLE]),
                b'X' => self.report = Some(Vec::new()),
                ETX => {
                    self.state = DataState::Command;
                    return Some(Frame::StreamEnd);
                }
                b'.' => return Some(Frame::ReportEnd),
                code => return Some(Frame::Code(code)),
            }
        }
        (!audio.is_empty()).then_some(Frame::Audio(audio))
    }

    /// A complex event report in the middle of audio: text up to `DLE .`, or given back as audio
    /// when it grows longer than any report.
    fn next_in_report(&mut self, bytes: &mut &[u8]) -> Option<Frame> {
        let mut report = self.report.take()?;
        let before = &bytes[..bytes.len().min(LONGEST_REPORT - report.len())];
        let mut text = before;
        let frame = self.next_in_text(&mut text);
        let read = before.len() - text.len();
        report.extend_from_slice(&before[..read]);
        *bytes = &bytes[read..];
        if matches!(frame, Some(Frame::ReportEnd | Frame::StreamEnd)) {
            self.forget_partial();
            return frame;
        }
        if frame.is_none() && report.len() == LONGEST_REPORT && text.is_empty() {
            self.forget_partial();
            self.after_dle = false;
            return Some(Frame::Audio(report));
        }
        self.report = Some(report);
        frame
    }

    fn take_line(&mut self) -> Option<Frame> {
        // An overlong line is noise: it is handed on cut, so that it shows up as unknown.
        self.line_overflowed = false;
        let line = std::mem::take(&mut self.line);
        (!line.is_empty()).then_some(Frame::Line(line))
    }
}

/// Appends `audio` with every 0x10 doubled, ready for the modem.
pub fn shield(audio: &[u8], out: &mut Vec<u8>) {
    for &sample in audio {
        out.push(sample);
        if sample == DLE {
            out.push(DLE);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn frames(state: DataState, input: &[u8]) -> Vec<Frame> {
        let mut wire = Wire::new();
        wire.enter(state);
        read_all(&mut wire, &[input])
    }

    /// All frames of the pieces, with neighbouring audio joined: how audio is cut means nothing.
    fn read_all(wire: &mut Wire, pieces: &[&[u8]]) -> Vec<Frame> {
        let mut frames: Vec<Frame> = Vec::new();
        for piece in pieces {
            let mut bytes = *piece;
            while let Some(frame) = wire.next_frame(&mut bytes) {
                match (frames.last_mut(), frame) {
                    (Some(Frame::Audio(before)), Frame::Audio(more)) => before.extend(more),
                    (_, frame) => frames.push(frame),
                }
            }
            assert!(bytes.is_empty(), "bytes left unread");
        }
        frames
    }

    fn line(text: &str) -> Frame {
        Frame::Line(text.as_bytes().to_vec())
    }

    #[test]
    fn lines_come_with_and_without_blank_lines_around_them() {
        assert_eq!(
            frames(
                DataState::Command,
                b"ATI3\r\r\nCX93001-EIS_V0.2002-V92\r\n\r\nOK\r\n"
            ),
            [line("ATI3"), line("CX93001-EIS_V0.2002-V92"), line("OK")]
        );
        assert_eq!(
            frames(DataState::Command, b"AT+FCLASS?\r\r\n0\r\nOK\r\n"),
            [line("AT+FCLASS?"), line("0"), line("OK")]
        );
    }

    #[test]
    fn codes_and_reports_stand_between_lines() {
        assert_eq!(
            frames(
                DataState::Command,
                b"\x10R\x10XDATE=0117\rNMBR=2125550147\x10.\r\nOK\r\n"
            ),
            [
                Frame::Code(b'R'),
                line("DATE=0117"),
                line("NMBR=2125550147"),
                Frame::ReportEnd,
                line("OK")
            ]
        );
    }

    #[test]
    fn shielding_is_removed_from_audio() {
        assert_eq!(
            frames(DataState::Receive, b"\x80\x10\x10\x81\x10\x1a\x82\x10b\x83"),
            [
                Frame::Audio(vec![0x80, 0x10, 0x81, 0x10, 0x10, 0x82]),
                Frame::Code(b'b'),
                Frame::Audio(vec![0x83])
            ]
        );
    }

    #[test]
    fn a_stream_ends_and_text_follows() {
        assert_eq!(
            frames(DataState::Receive, b"\n\x80\x10\x03\r\nOK\r\n"),
            [Frame::Audio(vec![0x80]), Frame::StreamEnd, line("OK")]
        );
    }

    #[test]
    fn a_report_in_the_middle_of_audio_is_text() {
        assert_eq!(
            frames(
                DataState::Receive,
                b"\x80\x10XNMBR=2125550147\r\x10R\rNAME=A B\x10.\x81"
            ),
            [
                Frame::Audio(vec![0x80]),
                line("NMBR=2125550147"),
                Frame::Code(b'R'),
                line("NAME=A B"),
                Frame::ReportEnd,
                Frame::Audio(vec![0x81])
            ]
        );
    }

    #[test]
    fn a_false_report_is_given_back_as_audio() {
        let mut input = b"\x10X".to_vec();
        input.extend(std::iter::repeat_n(0x80, LONGEST_REPORT + 100));
        assert_eq!(
            frames(DataState::Receive, &input),
            [Frame::Audio(vec![0x80; LONGEST_REPORT + 100])]
        );
    }

    #[test]
    fn noise_without_line_ends_stays_bounded() {
        let mut wire = Wire::new();
        for _ in 0..100 {
            let mut noise: &[u8] = &[b'x'; 1000];
            assert_eq!(wire.next_frame(&mut noise), None);
        }
        assert!(wire.line.capacity() <= 2 * LONGEST_LINE);
    }

    #[test]
    fn shielded_audio_comes_back_whole() {
        let audio: Vec<u8> = (0..=255).chain([DLE, DLE, 0x21, DLE]).collect();
        let mut shielded = Vec::new();
        shield(&audio, &mut shielded);
        shielded.splice(0..0, [b'\n']);
        assert_eq!(frames(DataState::Receive, &shielded), [Frame::Audio(audio)]);
    }

    fn line_noise() -> impl Strategy<Value = Vec<u8>> {
        // Mostly bytes that mean something, so that the interesting paths are walked.
        let telling = prop::sample::select(b"\x10\x10\x10\x03\x1aXR.b\r\nOK=\x80\x00".to_vec());
        prop::collection::vec(prop_oneof![4 => telling, 1 => any::<u8>()], 0..1500)
    }

    proptest! {
        #[test]
        fn any_cut_gives_the_same_frames(
            input in line_noise(),
            cuts in prop::collection::vec(0..1500usize, 0..20),
            state in prop::sample::select(vec![
                DataState::Command, DataState::Transmit, DataState::Receive,
            ]),
        ) {
            let mut cuts: Vec<usize> = cuts.into_iter().map(|c| c.min(input.len())).collect();
            cuts.extend([0, input.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|w| &input[w[0]..w[1]]).collect();
            let mut cut = Wire::new();
            cut.enter(state);
            prop_assert_eq!(frames(state, &input), read_all(&mut cut, &pieces));
        }

        #[test]
        fn shielding_round_trips(audio in prop::collection::vec(any::<u8>(), 1..500)) {
            let mut shielded = vec![b'\n'];
            shield(&audio, &mut shielded);
            prop_assert_eq!(frames(DataState::Receive, &shielded), [Frame::Audio(audio)]);
        }
    }
}
