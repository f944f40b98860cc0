//! The call's state machine and the block actions.

mod action;

pub use action::BlockAction;
