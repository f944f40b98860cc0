//! Who may ring: callers, lists, and the verdict that says why.
//!
//! Plain values in, plain values out. This room knows nothing of modems and nothing of tokio, so
//! that any kind of line can ask it. Reading a list is the only thing here that touches a disk, and
//! it is done before the first call, never during a decision.

mod asked;
mod caller;
mod hits;
mod list;
mod numbering;
mod policy;
mod time;

pub use caller::{Caller, CallerNumber};
pub use hits::{Hit, Hits};
pub use list::{
    Complaints, Converted, EditError, Edited, FileSummary, Format, List, ListAction, ListError,
    Loaded, Match, Problem, Reading, Side, add, convert, remove, write_atomically,
};
pub use numbering::{Country, Number, Numbering, UnknownCountry};
pub use policy::{Decider, Matched, Permit, Policy, Source, Verdict, Warning};
pub use time::{BadTime, Date, Days, Hours, LocalTime, Moment, Weekday, When};
