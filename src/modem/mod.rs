//! The driver of a voice modem.

pub mod caller_id;
pub mod line_code;
pub mod port;
pub mod raw_caller_id;
pub mod wire;
