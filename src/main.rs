//! The `callblock` program: parses the command line, sets up the log, runs one command.
fn main() {}
