//! Placeholder.

pub mod simnet;
