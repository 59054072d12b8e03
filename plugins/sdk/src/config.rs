//! The settings that the operator gave this plugin.

use crate::{Failure, host};

/// The value of a setting; `None` if it is not set.
pub fn get(name: &str) -> Option<String> {
    host::setting(name)
}

/// The value of a mandatory setting. Fails with `SETTING_MISSING` (class operator).
pub fn require(name: &str) -> Result<String, Failure> {
    get(name).ok_or_else(|| {
        let message = format!(
            "setting `{name}` is missing; add `\"{name}\" = \"...\"` under `[plugins.<id>.config]` \
             in the operator's ferrule.toml"
        );
        Failure::operator("SETTING_MISSING", message)
    })
}
