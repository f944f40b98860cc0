//! Who may ring: callers, lists, and the verdict that says why.
//!
//! Plain values in, plain values out. This room knows nothing of modems and nothing of tokio, so
//! that any kind of line can ask it. Reading a list is the only thing here that touches a disk, and
//! it is done before the first call, never during a decision.

mod caller;
mod list;
mod policy;

pub use caller::{Caller, CallerNumber, Number};
pub use list::{List, ListError, Loaded, Match, Problem};
pub use policy::{Policy, Source, Verdict, Warning};
