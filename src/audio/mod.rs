//! Under construction.

pub mod listen;
