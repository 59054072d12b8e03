//! The things that a plugin may be granted, one file each.

mod base64;
pub(crate) mod caller;
pub(crate) mod calls;
pub(crate) mod config;
pub(crate) mod http;
pub(crate) mod inventory;
pub(crate) mod log;
pub(crate) mod record;
pub(crate) mod reservation;
pub(crate) mod scratch;
pub(crate) mod secrets;
pub(crate) mod tape;

mod v01;
