//! The capabilities as plugins of contract 0.1 import them: what the newest contract gives, in the
//! words of 0.1.

use super::config::Config;
use super::inventory::Inventory;
use super::log::Log;
use super::reservation::Reservation;
use crate::contract;
use crate::contract::v01::{config, inventory, log, old_failure, reservation};

impl log::Host for Log {
    fn write(&mut self, level: log::Level, message: String) {
        let level = match level {
            log::Level::Debug => contract::log::Level::Debug,
            log::Level::Info => contract::log::Level::Info,
            log::Level::Warn => contract::log::Level::Warn,
            log::Level::Error => contract::log::Level::Error,
        };
        contract::log::Host::write(self, level, message);
    }
}

impl config::Host for Config {
    fn get(&mut self, name: String) -> Option<String> {
        contract::config::Host::get(self, name)
    }
}

impl inventory::Host for Inventory {
    fn get(&mut self, kind: String, id: String) -> Result<Option<String>, inventory::Failure> {
        contract::inventory::Host::get(self, kind, id).map_err(old_failure)
    }

    fn find(
        &mut self,
        kind: String,
        attribute: String,
        value: String,
    ) -> Result<Vec<String>, inventory::Failure> {
        contract::inventory::Host::find(self, kind, attribute, value).map_err(old_failure)
    }

    fn search(
        &mut self,
        kind: String,
        conditions: Vec<inventory::Condition>,
        shown: Vec<String>,
        limit: u32,
    ) -> Result<Vec<String>, inventory::Failure> {
        let condition = |old: inventory::Condition| contract::inventory::Condition {
            attributes: old.attributes,
            values: old.values,
        };
        let conditions = conditions.into_iter().map(condition).collect();
        contract::inventory::Host::search(self, kind, conditions, shown, limit).map_err(old_failure)
    }
}

impl reservation::Host for Reservation {
    fn reserve(
        &mut self,
        request: reservation::Request,
    ) -> Result<reservation::Reserved, reservation::Failure> {
        let request = contract::reservation::Request {
            pool: request.pool,
            name: request.name,
            attributes: Vec::new(),
        };
        let reserved = contract::reservation::Host::reserve(self, request).map_err(old_failure)?;
        let attribute = |one: contract::types::Attribute| reservation::Attribute {
            name: one.name,
            value: one.value,
        };
        Ok(reservation::Reserved {
            pool: reserved.pool,
            value: reserved.value,
            attributes: reserved.attributes.into_iter().map(attribute).collect(),
        })
    }
}
