//! The driver of a voice modem.

pub mod port;
