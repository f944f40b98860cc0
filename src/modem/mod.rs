//! The driver of a voice modem: from bytes on a serial port to typed events, and from requests to AT
//! commands.
//!
//! From the inside out: [`wire`] cuts bytes into frames, [`protocol`] makes events of them
//! ([`caller_id`], [`line_code`]), [`driver`] owns the [`port`] and carries out requests as the
//! [`chip`] needs it. All but the driver and the ports are pure: no I/O, no clock. Nothing here
//! decides about calls.

pub mod caller_id;
pub mod chip;
pub mod command;
pub mod driver;
pub mod line_code;
pub mod port;
pub mod protocol;
pub mod raw_caller_id;
pub mod serial;
pub mod voice;
pub mod wire;
