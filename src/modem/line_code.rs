//! DLE-shielded codes: what the modem says of the line in one byte after 0x10.
//!
//! The meanings are those of ITU-T V.253 and of the Conexant and US Robotics manuals. Whether a code
//! can be believed is not decided here: every modem's detectors take speech for tones now and then.

/// A shielded code from the modem, other than those that only frame data (`DLE`, `SUB`, `ETX`, `X`,
/// `.`), digits and the ring, which become events of their own.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum LineCode {
    /// `o`: the host was too slow to take the audio it was sent.
    ReceiveOverrun,
    /// `u`: the modem had nothing to play. Normal once, right after `CONNECT`.
    TransmitUnderrun,
    /// `c`: a fax machine calls (CNG, 1100 Hz).
    FaxCalling,
    /// `e`: a data modem calls (1300 Hz).
    DataCalling,
    /// `h`: the local phone went on-hook.
    LocalPhoneOnHook,
    /// `H`: the local phone went off-hook. Some chips say so of their own relay.
    LocalPhoneOffHook,
    /// `s`: no voice was heard since the start.
    Silence,
    /// `q`: voice was heard, then quiet.
    Quiet,
    /// `J`: special information tones.
    SpecialInformation,
    /// `$`: calling-card prompt.
    Bong,
    /// `l`: loop current interrupted; the far end has hung up.
    LoopBreak,
    /// `L`: polarity reversed.
    PolarityReversal,
    /// `w`: call-waiting tone.
    CallWaiting,
    /// `r`: ringback.
    Ringback,
    /// `b`: busy tone.
    Busy,
    /// `d`, `i`: dial tone.
    DialTone,
    /// `K`: reorder, congestion.
    Reorder,
    /// `p`: an extension was put down (the line's voltage rose).
    ExtensionOnHook,
    /// `P`: an extension was picked up (the line's voltage fell).
    ExtensionOffHook,
    /// `a`: fax or data answer tone (2100 Hz).
    AnswerTone,
    /// `f`: data answer tone (2225 Hz).
    DataAnswer,
    /// `v`, `V`: voice.
    Voice,
    /// `E`: the modem does not understand the voice data it was given.
    InvalidVoiceFormat,
    /// `Y`: the modem lost data.
    LostData,
    /// Text result `NO CARRIER` (or `BUSY`, `NO ANSWER`) that no command asked for.
    NoCarrier,
}

impl LineCode {
    /// The meaning of the byte after `DLE`, or `None` for one without a meaning here.
    pub const fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            b'o' => Self::ReceiveOverrun,
            b'u' => Self::TransmitUnderrun,
            b'c' | b'm' => Self::FaxCalling,
            b'e' => Self::DataCalling,
            b'h' => Self::LocalPhoneOnHook,
            b'H' => Self::LocalPhoneOffHook,
            b's' => Self::Silence,
            b'q' => Self::Quiet,
            b'J' => Self::SpecialInformation,
            b'$' => Self::Bong,
            b'l' => Self::LoopBreak,
            b'L' => Self::PolarityReversal,
            b'w' => Self::CallWaiting,
            b'r' => Self::Ringback,
            b'b' => Self::Busy,
            b'd' | b'i' => Self::DialTone,
            b'K' => Self::Reorder,
            b'p' => Self::ExtensionOnHook,
            b'P' => Self::ExtensionOffHook,
            b'a' => Self::AnswerTone,
            b'f' => Self::DataAnswer,
            b'v' | b'V' => Self::Voice,
            b'E' => Self::InvalidVoiceFormat,
            b'Y' => Self::LostData,
            _ => return None,
        })
    }

    /// Whether somebody in the house lifts a handset.
    pub const fn is_handset(self) -> bool {
        matches!(self, Self::ExtensionOffHook | Self::LocalPhoneOffHook)
    }
}

/// A DTMF key, as the modem reports it.
pub const fn is_dtmf_digit(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'A'..=b'D' | b'*' | b'#')
}
