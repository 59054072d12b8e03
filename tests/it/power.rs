//! The power fails: only what was synced survives.

mod shim;
