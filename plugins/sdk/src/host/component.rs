//! The imports of the contract.

use crate::Failure;
use crate::bindings::step::ferrule::plugin::{config, inventory, log, reservation, secrets};

pub(crate) use crate::bindings::step::ferrule::plugin::scratch;

pub(crate) use crate::http::wire::send;
pub(crate) use config::get as setting;
pub(crate) use inventory::{find, get, search};
pub(crate) use log::write;
pub(crate) use secrets::get as secret;

pub(crate) fn reserve(request: &reservation::Request) -> Result<reservation::Reserved, Failure> {
    reservation::reserve(request)
}
