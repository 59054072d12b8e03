//! `[targets."host:port"]` of `ferrule.toml`: what all plugins share of a target.

use std::collections::BTreeMap;

use ::host::Throttle;
use ::host::grants::Target;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// Reads the targets, which have a host and a port each.
pub(super) fn shared<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<Target, Throttle>, D::Error> {
    let targets = BTreeMap::<Target, Throttle>::deserialize(deserializer)?;
    for (target, throttle) in &targets {
        if *target == Target::Others {
            return Err(D::Error::custom(
                "all plugins share one target each: name it by `host:port`",
            ));
        }
        throttle.check().map_err(|what| D::Error::custom(format!("`{target}`: {what}")))?;
    }
    Ok(targets)
}
