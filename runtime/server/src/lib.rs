//! The server: HTTP, the command line, and what wires the engine, the store and the host together.
#![forbid(unsafe_code)]

pub mod app;
pub mod config;
pub mod packs;
pub mod simnet;
