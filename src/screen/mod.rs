//! Who may ring: callers, lists, and the verdict that says why.
//!
//! Plain values in, plain values out. This room knows nothing of modems and nothing of tokio, so
//! that any kind of line can ask it. Reading a list and writing a changed one are the only things here
//! that touch a disk, and they are done beside calls, never during a decision. The time is passed in.
//!
//! A call is decided by [`Policy::screen`]. What people write in lists is in `docs/lists.md`.

pub mod answer;
mod asked;
mod caller;
mod hits;
mod list;
mod numbering;
mod policy;
mod time;

pub use caller::{Caller, CallerNumber};
pub use hits::{Hit, Hits, LoggedDecision};
pub use list::{
    Complaints, Converted, EditError, Edited, FileSummary, Format, List, ListAction, ListError,
    Loaded, Match, Problem, Reading, Side, add_entry, convert_lists, line_end, remove_entry,
    write_atomically,
};
pub use numbering::{Country, Number, Numbering, UnknownCountry};
pub use policy::{Decider, Matched, Permit, Policy, Source, Verdict, Warning};
pub use time::{BadTime, Date, Days, Hours, LocalTime, Moment, Weekday, When};
