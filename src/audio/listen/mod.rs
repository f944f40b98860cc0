//! Hears the line: tones, keys, voice and silence, and from these the end of the call.
//!
//! The modem's own detectors cannot be trusted: they take speech for tones, and miss the tones. The
//! audio is at hand, so it is listened to here. Line samples (8-bit unsigned, 8 kHz) go in by blocks
//! of any size, timed observations come out; the same code hears a live call and a recording.
//!
//! * [`Listener`]: samples to [`Observation`]s, and [`LineQuality`];
//! * [`EndOfCall`]: observations and line codes to one verdict;
//! * [`KeyPresses`]: keys heard and keys reported by the modem, merged;
//! * [`samples_to_keep`]: how much of a recording is worth keeping;
//! * [`Timeline`]: all of it over a recording, as text or JSON lines;
//! * [`SpecialInformation`]: the tones before "not in service", to play.
//!
//! Nothing here reads a clock, a file or a port, and nothing takes memory while it listens.

mod activity;
mod cadence;
mod close_look;
mod dtmf;
mod echo;
mod end_of_call;
mod fourier;
mod front_end;
mod hum;
mod key_press;
mod lanes;
mod least_squares;
mod line_quality;
mod listener;
mod observation;
mod pulse;
mod sit;
mod spectrum;
mod timeline;
mod tone_plan;
mod trim;
mod whitening;

pub use end_of_call::{CallEnd, EndOfCall, EndReason, EndRules, Hearing};
pub use key_press::{KeyPress, KeyPresses, Witness};
pub use line_quality::{LineQuality, QualityProblem, QualityWatch};
pub use listener::Listener;
pub use observation::{Activity, Event, Key, Observation, Position, SAMPLES_PER_SECOND, Tone};
pub use sit::SpecialInformation;
pub use timeline::{Entry, Happening, Timeline};
pub use tone_plan::{HOWLER, Meaning, PLANS, Signal, TonePlan, ToneSet};
pub use trim::samples_to_keep;
