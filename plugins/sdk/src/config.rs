//! The settings that the operator gave this plugin.

use crate::Failure;
use crate::bindings::step::ferrule::plugin::config;

/// The value of a setting; nothing where it is not set.
pub fn get(name: &str) -> Option<String> {
    config::get(name)
}

/// The value of a setting that must be there. Fails with `SETTING_MISSING` (class person).
pub fn require(name: &str) -> Result<String, Failure> {
    get(name).ok_or_else(|| {
        let message = format!(
            "setting `{name}` is missing; add `\"{name}\" = \"...\"` under `[plugins.<id>.config]` \
             in the operator's ferrule.toml"
        );
        Failure::person("SETTING_MISSING", message)
    })
}
