//! The log that is kept with the attempt.

use crate::bindings::step::ferrule::plugin::log::Level;
use crate::host::write;

/// For the developer of the plugin.
pub fn debug(message: impl AsRef<str>) {
    write(Level::Debug, message.as_ref());
}

/// For the people who follow the order.
pub fn info(message: impl AsRef<str>) {
    write(Level::Info, message.as_ref());
}

/// Something is odd, the work goes on.
pub fn warn(message: impl AsRef<str>) {
    write(Level::Warn, message.as_ref());
}

/// The work cannot go on.
pub fn error(message: impl AsRef<str>) {
    write(Level::Error, message.as_ref());
}
