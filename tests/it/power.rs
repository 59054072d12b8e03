//! The power fails: only synced data survives. Everything acknowledged is there after it.

mod acknowledged;
mod orders;
mod points;
mod repeats;
mod shim;
