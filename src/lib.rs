//! `callblock`: a call blocker for a landline behind a USB voice modem.
//!
//! The daemon is built from rooms that can be used alone:
//!
//! * [`modem`]: the driver, from bytes on a serial port to typed events and back;
//! * [`screen`]: who may ring;
//! * [`audio`]: WAV files in and out, always 8-bit unsigned PCM, mono, 8000 samples a second;
//! * [`store`]: the call log;
//! * [`emulator`]: a modem and a telephone line in software, so that everything runs without hardware;
//! * [`trace`]: what crosses a modem's port, as a file, and played back.

pub mod audio;
pub mod blocker;
pub mod call;
pub mod clock;
pub mod emulator;
pub mod modem;
pub mod screen;
pub mod service;
pub mod store;
pub mod telephone;
pub mod trace;
pub mod watch;
