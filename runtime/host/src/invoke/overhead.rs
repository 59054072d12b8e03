//! The bytes that the host keeps for a call, beside the guest's own memory. They are bounded, and
//! charged to the budget of all guests before the call begins.

use engine::limits::EXCHANGES_BYTES_MAX;
use engine::worker::Effects;
use serde_json::Value;

use crate::capability::log;
use crate::install::Plugin;
use crate::limits::{FIELDS_BYTES_MAX, HOSTCALL_BYTES_MAX};

/// Max handles of a guest.
pub(super) const RESOURCES_MAX: usize = 128;
/// The bytes of a handle in the host: a stream or a pollable, and its place in the table.
const RESOURCE_BYTES: usize = 1 << 10;
/// Max bytes of a guest's stack.
const STACK_BYTES: usize = 512 << 10;
/// Copies of the arguments in memory while they are passed to the guest.
const COPIES: usize = 2;

/// Max bytes that the host keeps for a call of a plugin, if its arguments have this many.
pub(super) fn overhead(plugin: &Plugin, asked: usize) -> usize {
    let (fields, exchanges) = match plugin.installed.effects {
        Effects::External => (FIELDS_BYTES_MAX, EXCHANGES_BYTES_MAX),
        Effects::Pure => (0, 0),
    };
    HOSTCALL_BYTES_MAX
        + plugin.instance_bytes
        + STACK_BYTES
        + log::BYTES_MAX
        + exchanges
        + RESOURCES_MAX * (RESOURCE_BYTES + fields)
        + asked * COPIES
        + plugin.grants.scratch.map_or(0, |quota| COPIES * ((quota.call_kib as usize) << 10))
        + if plugin.grants.secrets.is_empty() { 0 } else { HOSTCALL_BYTES_MAX * COPIES }
}

/// The approximate bytes of a JSON object as text.
pub(super) fn size<'a>(object: impl IntoIterator<Item = (&'a String, &'a Value)>) -> usize {
    object.into_iter().map(|(name, value)| name.len() + 4 + size_of_value(value)).sum::<usize>() + 2
}

fn size_of_value(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) => 5,
        Value::Number(_) => 20,
        Value::String(text) => text.len() + 2,
        Value::Array(values) => {
            values.iter().map(|value| size_of_value(value) + 1).sum::<usize>() + 2
        }
        Value::Object(map) => size(map),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_size_of_an_object_is_that_of_its_text_or_a_little_more() {
        for value in [
            json!({}),
            json!({ "a": null, "b": [true, 1, -2.5], "c": { "d": "text" } }),
            json!({ "long": "x".repeat(10_000), "many": vec![[0; 3]; 100] }),
        ] {
            let Value::Object(map) = &value else { panic!("{value}") };
            let (size, text) = (size(map), value.to_string().len());
            assert!(text <= size && size <= text * 10, "{size} for {text}");
        }
    }
}
