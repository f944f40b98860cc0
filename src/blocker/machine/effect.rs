//! What the machine asks for.

use crate::call::{ActionKind, CallRecord};
use crate::clock::Timestamp;
use crate::modem::driver::RestingClass;
use crate::modem::voice::VoiceMode;
use crate::store::CallKey;
use std::path::PathBuf;

/// What is to be done.
#[derive(Clone, PartialEq, Debug)]
pub enum Effect {
    /// A ring burst of a call began; its count, from 1.
    Rang(u32),
    /// Off-hook, before anything else is done, in the class that the action needs.
    PickUp(RestingClass),
    /// Off-hook by another command: the line still rings.
    PickUpOtherWay,
    /// Open a voice stream.
    StartVoice(VoiceMode),
    /// Play the three special information tones.
    PlaySpecialInformation,
    /// Play a file.
    Play(PathBuf),
    /// End the voice stream when everything has been heard.
    FinishVoice,
    /// On-hook, whatever is going on.
    HangUp,
    /// Begin to record.
    StartRecording {
        /// For this call.
        call: CallKey,
        /// The call's start, for the file's name.
        started: Timestamp,
        /// The number as received, for the file's name.
        number: Option<String>,
    },
    /// Close the recording.
    StopRecording,
    /// Write the row.
    Save(CallKey, CallRecord),
    /// A call has been screened (again).
    Screened(CallKey, CallRecord),
    /// A call was answered, with this action.
    Answered(CallKey, ActionKind),
    /// A call is over.
    Ended(CallKey, CallRecord),
    /// Something a person should know.
    Warn(String),
}
