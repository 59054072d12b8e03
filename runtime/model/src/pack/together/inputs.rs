//! Checks a step against the plugin that it calls: what it must be told, what it does not know, and
//! values of another type.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Whole, plugin_is_there};
use crate::id::PluginId;
use crate::pack::reader::Reader;
use crate::pack::{Code, WORKFLOWS};
use crate::places::Place;
use crate::workflow::WrittenStep;
use tmf::nearest::nearest;

/// The plugins that packs are used with.
pub type Plugins = BTreeMap<PluginId, Asked>;

/// What a plugin asks of the steps that call it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Whether it can undo what it did.
    pub can_undo: bool,
    /// What must be in the input of a step.
    pub mandatory: Vec<String>,
    /// Of these, one must be in the input of a step.
    pub one_of: Vec<String>,
    /// All keys of the input; where none is listed there may be any.
    pub keys: Vec<AskedKey>,
}

/// A key of the input of a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedKey {
    /// Its name; one within another as `request.path`, one in each entry of a list as `take[].pool`.
    pub name: String,
    /// What its value is.
    pub kind: InputKind,
    /// Of a key within another: whether it must be there when the other is.
    pub mandatory: bool,
}

/// What a value in the input of a plugin is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InputKind {
    /// A text.
    Text,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// A list.
    List,
    /// Names with values.
    Mapping,
    /// Anything.
    Any,
}

impl InputKind {
    /// Its name, for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::List => "list",
            Self::Mapping => "mapping",
            Self::Any => "anything",
        }
    }

    /// Whether a value as it is written can become one: an expression can become anything.
    fn fits(self, value: &Value) -> bool {
        let is_open = value.as_str().is_some_and(|text| text.starts_with('=')) || value.is_null();
        is_open
            || match self {
                Self::Text => value.is_string(),
                Self::Number => value.is_number(),
                Self::Boolean => value.is_boolean(),
                Self::List => value.is_array(),
                Self::Mapping => value.is_object(),
                Self::Any => true,
            }
    }
}

/// Checks a step against the plugin that it calls, where that is known.
pub(super) fn called(
    reader: &mut Reader<'_>,
    place: Place<'_>,
    step: &WrittenStep,
    whole: &Whole<'_>,
) {
    let at = place.get("plugin");
    if !plugin_is_there(reader, (WORKFLOWS, at), &step.plugin, whole) {
        return;
    }
    let plugins = whole.plugins;
    let Some(asked) = plugins.and_then(|all| all.get(&PluginId::new(&step.plugin))) else { return };
    let plugin = step.plugin.as_str();
    if !asked.can_undo && step.undo != Some(false) {
        let message = format!("plugin `{plugin}` has no undo");
        let help = "write `undo: false`, or use a plugin that exports `undo`".to_string();
        let place = if step.undo.is_some() { place.get("undo") } else { at };
        reader.report(Code::NoUndo, WORKFLOWS, place, message, Some(help));
    }
    // Without an input of its own it is given the order, or the input of the run.
    let Value::Object(input) = &step.input else { return };
    let place = place.get("input");
    let told = missing(reader, place, (plugin, asked), input);
    within(reader, place, (plugin, asked), (input, "", &told));
}

/// Reports what the input must have and has not; answers with the keys that were likely meant so.
fn missing(
    reader: &mut Reader<'_>,
    at: Place<'_>,
    (plugin, asked): (&str, &Asked),
    input: &Map<String, Value>,
) -> BTreeSet<String> {
    let has = |name: &String| input.contains_key(name);
    let is_known = |name: &str| {
        let mut keys = asked.keys.iter().map(|key| &key.name);
        asked.mandatory.iter().any(|known| known == name) || keys.any(|known| known == name)
    };
    let mut told = BTreeSet::new();
    for missing in asked.mandatory.iter().filter(|name| !has(name)) {
        let close = nearest(missing, input.keys().map(String::as_str));
        let help = match close.filter(|close| !is_known(close)) {
            Some(close) => {
                told.insert(close.to_string());
                format!("is `{close}` to be `{missing}`?")
            }
            None => format!("it has to have {}", asked.mandatory.join(", ")),
        };
        let message = format!("plugin `{plugin}` needs `{missing}` in its input");
        reader.report(Code::PluginInput, WORKFLOWS, at, message, Some(help));
    }
    if !asked.one_of.is_empty() && !asked.one_of.iter().any(has) {
        let message =
            format!("plugin `{plugin}` needs one of {} in its input", asked.one_of.join(", "));
        reader.report(Code::PluginInput, WORKFLOWS, at, message, None);
        told.extend(input.keys().filter(|name| !is_known(name)).cloned());
    }
    told
}

/// Checks the keys and the types of a mapping within an input. `told` has keys that were told.
fn within(
    reader: &mut Reader<'_>,
    place: Place<'_>,
    (plugin, asked): (&str, &Asked),
    (fields, prefix, told): (&Map<String, Value>, &str, &BTreeSet<String>),
) {
    let own = asked.keys.iter().filter_map(|key| {
        let rest = key.name.strip_prefix(prefix).filter(|rest| !rest.contains(['.', '[']))?;
        Some((rest, key))
    });
    let known: BTreeMap<&str, &AskedKey> = own.collect();
    if known.is_empty() {
        return;
    }
    let names = || known.keys().copied();
    for (name, value) in fields.iter().filter(|(name, _)| !told.contains(*name)) {
        let Some(key) = known.get(name.as_str()) else {
            let message = format!("plugin `{plugin}` has no input `{prefix}{name}`");
            let help = match nearest(name, names()) {
                Some(meant) => format!("is `{meant}` meant?"),
                None => format!("it reads {}", names().collect::<Vec<_>>().join(", ")),
            };
            reader.report(Code::PluginInput, WORKFLOWS, place.key(name), message, Some(help));
            continue;
        };
        let at = place.get(name);
        if !key.kind.fits(value) {
            let kind = key.kind.as_str();
            let message = format!("plugin `{plugin}` wants `{prefix}{name}` to be a {kind}");
            reader.report(Code::PluginInput, WORKFLOWS, at, message, None);
            continue;
        }
        let none = BTreeSet::new();
        if let Value::Object(fields) = value {
            let prefix = format!("{}.", key.name);
            within(reader, at, (plugin, asked), (fields, &prefix, &none));
        }
        for (index, entry) in value.as_array().into_iter().flatten().enumerate() {
            if let Value::Object(fields) = entry {
                let prefix = format!("{}[].", key.name);
                within(reader, at.at(index), (plugin, asked), (fields, &prefix, &none));
            }
        }
    }
    for (name, key) in known.iter().filter(|(name, _)| !fields.contains_key(**name)) {
        if key.mandatory {
            let message = format!("plugin `{plugin}` needs `{prefix}{name}`");
            let close = nearest(name, fields.keys().map(String::as_str));
            // A likely misspelling is reported as unknown.
            if close.is_none_or(|close| known.contains_key(close)) {
                reader.report(Code::PluginInput, WORKFLOWS, place, message, None);
            }
        }
    }
}
