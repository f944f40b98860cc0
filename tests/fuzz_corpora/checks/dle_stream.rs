//! The shielded stream of a voice state, both ways.
//!
//! Audio that is shielded and read again is the same audio. A stream that is read and shielded again
//! is the same bytes, but for the two ways to write a pair of 0x10 and for reports, whose text is not
//! audio. How the stream was cut means nothing.

use super::cuts;
use callblock::modem::wire::{DLE, DataState, ETX, Frame, SUB, Wire, shield};

/// The bytes are audio once, and a stream once.
pub(crate) fn check(bytes: &[u8]) {
    audio_comes_back(bytes);
    stream_comes_back(bytes);
}

fn audio_comes_back(audio: &[u8]) {
    let mut shielded = Vec::new();
    shield(audio, &mut shielded);
    assert!(shielded.len() <= 2 * audio.len());
    for pieces in cuts(&shielded) {
        let mut read = Vec::new();
        for frame in frames(&pieces).0 {
            match frame {
                Frame::Audio(more) => read.extend(more),
                other => panic!("{other:?} in shielded audio"),
            }
        }
        assert_eq!(read, audio);
    }
}

fn stream_comes_back(stream: &[u8]) {
    if has_report(stream) {
        return;
    }
    let (read, rest) = frames(&[stream]);
    let mut again = Vec::new();
    for frame in &read {
        match frame {
            Frame::Audio(audio) => shield(audio, &mut again),
            Frame::Code(code) => again.extend([DLE, *code]),
            Frame::ReportEnd => again.extend([DLE, b'.']),
            Frame::StreamEnd => again.extend([DLE, ETX]),
            Frame::Line(line) => panic!("{line:?} in a stream without a report"),
        }
    }
    let taken = &stream[..stream.len() - rest];
    assert_eq!(pairs_doubled(taken), again);
}

/// Whether there is a `DLE X`, whatever becomes of it.
fn has_report(stream: &[u8]) -> bool {
    stream.windows(2).any(|pair| pair == [DLE, b'X'])
}

/// The stream with every `DLE SUB` as `DLE DLE DLE DLE`, and without a DLE that nothing follows.
fn pairs_doubled(stream: &[u8]) -> Vec<u8> {
    let mut doubled = Vec::new();
    let mut bytes = stream.iter();
    while let Some(&byte) = bytes.next() {
        match (byte, (byte == DLE).then(|| bytes.next())) {
            (_, None) => doubled.push(byte),
            (_, Some(Some(&SUB))) => doubled.extend([DLE; 4]),
            (_, Some(Some(&code))) => doubled.extend([DLE, code]),
            (_, Some(None)) => {}
        }
    }
    doubled
}

/// The frames up to the end of the stream, and how many bytes were left unread there.
fn frames(pieces: &[&[u8]]) -> (Vec<Frame>, usize) {
    let mut wire = Wire::new();
    wire.enter(DataState::Receive);
    // The line feed after `CONNECT`, which is not audio.
    let mut line_feed: &[u8] = b"\n";
    assert_eq!(wire.next_frame(&mut line_feed), None);
    let mut frames = Vec::new();
    for piece in pieces {
        let mut unread = *piece;
        while let Some(frame) = wire.next_frame(&mut unread) {
            let over = frame == Frame::StreamEnd;
            frames.push(frame);
            if over {
                assert_eq!(wire.state(), DataState::Command);
                return (frames, unread.len());
            }
        }
    }
    (frames, 0)
}
