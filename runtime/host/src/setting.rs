//! The settings that a manifest declares: type, default, bounds. Those of `ferrule.toml` are checked against
//! them. No message has a value: it may be a secret.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use tmf::money::Decimal;
use tmf::nearest::nearest;

use crate::grants;

/// Max settings of a manifest.
pub const COUNT_MAX: usize = 256;

/// The settings by name. One `*` in a name stands for anything.
pub type Settings = BTreeMap<String, Setting>;

/// A setting that a plugin declares.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Setting {
    /// The type of its value.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// Its purpose, in a line.
    #[serde(default)]
    pub about: String,
    /// Whether it must be set.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mandatory: bool,
    /// Its value if it is not set.
    #[serde(default, deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// The least value.
    #[serde(default, deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub min: Option<String>,
    /// The greatest value.
    #[serde(default, deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub max: Option<String>,
    /// All values that it may have; any if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub one_of: Vec<String>,
}

/// The type of a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Any text.
    Text,
    /// A whole number.
    Integer,
    /// A number with a fraction.
    Decimal,
    /// `true` or `false`.
    Boolean,
    /// An `http` or `https` address without a user.
    Url,
    /// A time such as `250ms`, `30s`, `5m`, `2h` or `1d`.
    Duration,
    /// Texts with commas between them, none of which is empty.
    List,
}

/// A bound or a default, which may be written as a number too.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    use toml::Value;
    match Value::deserialize(deserializer)? {
        Value::String(text) => Ok(Some(text)),
        written @ (Value::Integer(_) | Value::Float(_) | Value::Boolean(_)) => {
            Ok(Some(written.to_string()))
        }
        Value::Datetime(_) | Value::Array(_) | Value::Table(_) => {
            Err(D::Error::custom("expected a text, a number or a boolean"))
        }
    }
}

impl Setting {
    /// Checks the declaration itself; fails with what is wrong.
    pub(crate) fn check_itself(&self, name: &str) -> Result<(), String> {
        let wrong = |what: &str| Err(format!("setting `{name}`: {what}"));
        if name.is_empty() || name.matches('*').count() > 1 {
            return wrong("a name has at most one `*`, and is not empty");
        }
        if self.mandatory && self.default.is_some() {
            return wrong("what is mandatory has no default");
        }
        let bounds = [("min", &self.min), ("max", &self.max)];
        for (key, bound) in bounds.iter().filter_map(|(key, bound)| Some((key, bound.as_ref()?))) {
            if self.kind.measure(bound).is_none() {
                return wrong(&format!("`{key}` is none of its type, or its type has none"));
            }
        }
        let values = self.one_of.iter().map(|value| ("one-of", value));
        for (key, value) in values.chain(self.default.as_ref().map(|value| ("default", value))) {
            if let Err(what) = self.check(value) {
                return wrong(&format!("its `{key}` {what}"));
            }
        }
        Ok(())
    }

    /// A value that it may have.
    fn example(&self) -> String {
        let known = self.one_of.first().or(self.min.as_ref()).or(self.max.as_ref());
        known.map_or_else(|| self.kind.example().into(), String::to_owned)
    }

    /// Checks a value; fails with what it must be.
    fn check(&self, value: &str) -> Result<(), String> {
        if !self.kind.fits(value) {
            return Err(format!("must be {}", self.kind.expected()));
        }
        let measure = |text: &Option<String>| self.kind.measure(text.as_ref()?);
        let own = self.kind.measure(value);
        if measure(&self.min).is_some_and(|min| own < Some(min)) {
            return Err(format!("must be at least {}", self.min.as_deref().unwrap_or_default()));
        }
        if measure(&self.max).is_some_and(|max| own > Some(max)) {
            return Err(format!("must be at most {}", self.max.as_deref().unwrap_or_default()));
        }
        match self.one_of.is_empty() || self.one_of.iter().any(|known| known == value) {
            true => Ok(()),
            false => Err(format!("must be one of `{}`", self.one_of.join("`, `"))),
        }
    }
}

impl Kind {
    /// The name, as a manifest has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "integer",
            Self::Decimal => "decimal",
            Self::Boolean => "boolean",
            Self::Url => "url",
            Self::Duration => "duration",
            Self::List => "list",
        }
    }

    fn example(self) -> &'static str {
        match self {
            Self::Text | Self::List => "VALUE",
            Self::Integer | Self::Decimal => "1",
            Self::Boolean => "true",
            Self::Url => "http://element.example:80",
            Self::Duration => "30s",
        }
    }

    fn expected(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Integer => "a whole number, such as \"3\"",
            Self::Decimal => "a number, such as \"2.5\"",
            Self::Boolean => "\"true\" or \"false\"",
            Self::Url => "an address such as \"http://10.0.0.7:8080/api\", without a user",
            Self::Duration => "a time such as \"250ms\", \"30s\", \"5m\", \"2h\" or \"1d\"",
            Self::List => "texts with commas between them, such as \"a,b\"",
        }
    }

    fn fits(self, value: &str) -> bool {
        match self {
            Self::Text => true,
            Self::Integer | Self::Decimal | Self::Duration => self.measure(value).is_some(),
            Self::Boolean => matches!(value, "true" | "false"),
            Self::Url => is_url(value),
            Self::List => value.split(',').all(|one| !one.trim().is_empty()),
        }
    }

    /// The number that is compared with bounds: of a time, its milliseconds.
    fn measure(self, value: &str) -> Option<Decimal> {
        match self {
            Self::Integer => value.parse::<i64>().ok().map(Decimal::from),
            Self::Decimal => value.parse().ok(),
            Self::Duration => milliseconds(value),
            Self::Text | Self::Boolean | Self::Url | Self::List => None,
        }
    }
}

fn milliseconds(value: &str) -> Option<Decimal> {
    let digits = value.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = value.split_at(digits);
    let ms: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    Some(Decimal::from(number.parse::<u64>().ok()?.checked_mul(ms)?))
}

fn is_url(value: &str) -> bool {
    let Ok(uri) = value.parse::<hyper::Uri>() else { return false };
    let authority = uri.authority().filter(|authority| !authority.as_str().contains('@'));
    matches!(uri.scheme_str(), Some("http" | "https")) && authority.is_some()
}

/// Checks the settings of a plugin that declares some. Fails with a line for each mistake, with the fix.
pub(crate) fn check(
    plugin: &str,
    declared: &Settings,
    given: &BTreeMap<String, String>,
) -> Result<(), Vec<String>> {
    if declared.is_empty() {
        return Ok(());
    }
    let table = format!("[plugins.{}.config]", grants::table_key(plugin));
    let mut mistakes = Vec::new();
    for (name, value) in given {
        match find(declared, name) {
            Some(setting) => {
                if let Err(what) = setting.check(value) {
                    mistakes.push(format!("`{name}` of `{table}` {what}"));
                }
            }
            None => mistakes.push(format!(
                "`{name}` of `{table}` is no setting of the plugin: {}",
                match nearest(name, declared.keys().map(String::as_str)) {
                    Some(near) => format!("write `{near}`, or remove it"),
                    None => "remove it".into(),
                }
            )),
        }
    }
    for (name, setting) in declared.iter().filter(|(_, setting)| setting.mandatory) {
        if !given.keys().any(|given| matches(name, given)) {
            let key = grants::quote(name);
            let (example, expected) = (grants::quote(&setting.example()), setting.kind.expected());
            mistakes.push(format!("add `{key} = {example}` to `{table}`, as {expected}"));
        }
    }
    if mistakes.is_empty() { Ok(()) } else { Err(mistakes) }
}

/// The settings that a plugin declares, as its calls need them.
#[derive(Debug)]
pub(crate) struct Declared {
    /// The values of settings that are not set.
    defaults: BTreeMap<String, String>,
    /// Those that may be left unset.
    optional: BTreeSet<String>,
    /// Those that must be set, with an example of each.
    mandatory: BTreeMap<String, String>,
}

impl Declared {
    pub(crate) fn new(declared: &Settings) -> Self {
        let named = declared.iter().filter(|(name, _)| !name.contains('*'));
        let default = |(name, setting): (&String, &Setting)| {
            Some((name.to_owned(), setting.default.to_owned()?))
        };
        let (mandatory, optional): (Vec<_>, Vec<_>) =
            declared.iter().partition(|(_, setting)| setting.mandatory);
        let example = |(name, setting): (&String, &Setting)| (name.to_owned(), setting.example());
        Self {
            defaults: named.filter_map(default).collect(),
            optional: optional.into_iter().map(|(name, _)| name.to_owned()).collect(),
            mandatory: mandatory.into_iter().map(example).collect(),
        }
    }

    /// The value of a setting that is not set.
    pub(crate) fn default(&self, name: &str) -> Option<&String> {
        self.defaults.get(name)
    }

    /// An example of a setting, unless the plugin does without it.
    pub(crate) fn needed(&self, name: &str) -> Option<String> {
        let is_it = |pattern: &str| matches(pattern, name);
        if self.optional.iter().any(|pattern| is_it(pattern)) {
            return None;
        }
        let example = self.mandatory.iter().find(|(pattern, _)| is_it(pattern));
        Some(example.map_or_else(|| "VALUE".to_owned(), |(_, example)| example.to_owned()))
    }
}

/// The declaration of a name; that of the name itself before one with a `*`.
pub(crate) fn find<'a>(declared: &'a Settings, name: &str) -> Option<&'a Setting> {
    let by_pattern = || declared.iter().find(|(pattern, _)| matches(pattern, name));
    declared.get(name).or_else(|| by_pattern().map(|(_, setting)| setting))
}

fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((before, after)) => {
            let rest = name.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
            rest.is_some_and(|rest| !rest.is_empty())
        }
    }
}

#[cfg(test)]
mod tests;
