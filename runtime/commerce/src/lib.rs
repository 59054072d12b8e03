//! What is sold and paid: products are configured, qualified and quoted ([`cpq`]), billed and paid
//! ([`billing`]), and kept in [`stock`]. The engine that carries out orders knows nothing of it. Nothing
//! here does IO, reads a clock, draws a random number or is async.
#![forbid(unsafe_code)]

pub mod billing;
pub mod cpq;
pub mod duplicate;
pub mod stock;
