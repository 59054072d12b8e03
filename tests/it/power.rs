//! The power fails: only what was synced survives. What was acknowledged is there after it.

mod acknowledged;
mod orders;
mod repeats;
mod shim;
