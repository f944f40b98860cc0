//! Traces: what crossed the port between driver and modem, both ways, with times, as text.
//!
//! A user with a strange modem sends one file; whoever gets it plays that modem back. The rooms:
//!
//! * [`form`]: the text form, written and read; `docs/trace.md` describes it for people;
//! * [`mask`]: numbers and names replaced, so that nothing parses differently;
//! * [`tap`]: a [`Jack`](crate::modem::port::Jack) that tells what crosses another;
//! * [`recorder`]: what is told goes to a file, off the loop that handles calls;
//! * [`script`] and [`replay`]: a trace as a modem that answers.
//!
//! Nothing here decides about calls, and the driver does not know whether it is listened to. Without a
//! tap none of it runs.

pub mod form;
pub mod mask;
pub mod recorder;
pub mod replay;
mod script;
pub mod tap;

pub use form::{Direction, Header, PortChange, Record, Trace, TraceError, What, parse};
pub use mask::Mask;
pub use recorder::{Recorder, TraceFile, TraceFileError};
pub use replay::Replay;
pub use tap::{Sink, TappedJack};
