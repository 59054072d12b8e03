//! Keeps the values of a plugin's settings and secrets out of all that it answers and logs. A plugin reads
//! its settings in clear, an element may tell it a secret that it was sent, and all its answers are kept and
//! shown: in journals, over HTTP, in notifications.
//!
//! A value is found as it is, and escaped for JSON, percent-encoded, in base64 or in hexadecimal,
//! also inside a longer text. A plugin that means to can still tell it in another form: what is
//! granted a secret is trusted with it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value};

use self::forms::forms;
pub(crate) use self::patterns::Patterns;
use self::secrets::Granted;
pub(crate) use self::stream::Stream;
use crate::grants::Grants;
use crate::secret::Safe;

mod forms;
mod patterns;
mod secrets;
mod stream;

/// A value with fewer bytes is not masked, unless its name marks it as secret: it would be
/// found in what has nothing to do with it.
pub(crate) const BYTES_MIN: usize = 8;

/// A value with fewer bytes is not masked, even if its name marks it as secret.
pub(crate) const SECRET_BYTES_MIN: usize = 4;

/// A name that contains one of these, in any case, is that of a secret.
const SECRET_NAMES: [&str; 8] =
    ["secret", "passw", "pwd", "token", "key", "credential", "auth", "private"];

/// Words that are in too many others to look for them anywhere in a name.
const SECRET_WORDS: [&str; 2] = ["pin", "puk"];

/// Addresses of elements: messages must name them, so they are shown where they hold no secret.
const ELEMENT: &str = "element.";

/// What begins the placeholder of a secret, before [`PLACEHOLDER_DIGITS`] digits.
pub(crate) const PLACEHOLDER: &str = "ferrulesecret";

/// The hexadecimal digits of a placeholder.
pub(crate) const PLACEHOLDER_DIGITS: usize = 32;

/// What is masked in the answers of a plugin: the values of its settings, and those of its secrets, which
/// may change meanwhile.
pub(crate) struct Mask {
    settings: Arc<Patterns>,
    secrets: Granted,
}

impl Mask {
    /// The mask of a plugin with these grants.
    pub(crate) fn new(grants: &Grants, safe: &Arc<Safe>) -> Self {
        let settings = of_settings(&grants.config);
        let patterns = Arc::new(Patterns::new(&settings));
        let secrets = Granted::new(grants, Arc::clone(safe), settings);
        Self { settings: patterns, secrets }
    }

    /// The mask of a plugin that has settings alone.
    #[cfg(test)]
    pub(crate) fn of(settings: BTreeMap<String, String>) -> Self {
        Self::new(&Grants { config: settings, ..Grants::default() }, &Arc::default())
    }

    fn patterns(&self) -> Arc<Patterns> {
        if self.secrets.is_empty() { Arc::clone(&self.settings) } else { self.secrets.all() }
    }

    /// The values of secrets alone; `None` if the plugin has none.
    pub(crate) fn secrets(&self) -> Option<Arc<Patterns>> {
        (!self.secrets.is_empty()).then(|| self.secrets.alone())
    }

    /// The settings whose names mark them as secret, and which are too short to be masked.
    pub(crate) fn too_short(settings: &BTreeMap<String, String>) -> Vec<&str> {
        let is_short = |(name, value): &(&String, &String)| {
            is_secret(name) && !value.is_empty() && value.len() < SECRET_BYTES_MIN
        };
        settings.iter().filter(is_short).map(|(name, _)| name.as_str()).collect()
    }

    /// A text without values of settings and secrets.
    pub(crate) fn text(&self, text: String) -> String {
        self.patterns().replace(without_placeholders(text))
    }

    /// A text that was cut, without a part of a value at its end.
    pub(crate) fn without_partial(&self, mut text: String) -> String {
        text.truncate(text.len() - self.patterns().begun(&text));
        text
    }

    /// Whether a text shows the value of a setting or a secret.
    pub(crate) fn is_shown_in(&self, text: &str) -> bool {
        self.patterns().is_in(text)
    }

    fn stand_in(&self, whole: &str) -> Option<String> {
        self.patterns().stand_in(whole).map(str::to_owned)
    }

    /// Takes the values of settings out of an object: out of its texts, numbers and names.
    pub(crate) fn object(&self, object: Map<String, Value>) -> Map<String, Value> {
        let field = |(name, value)| (self.text(name), self.value(value));
        object.into_iter().map(field).collect()
    }

    /// Takes the values of settings out of a value, whose depth is bounded.
    pub(crate) fn value(&self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(text)),
            Value::Array(items) => items.into_iter().map(|item| self.value(item)).collect(),
            Value::Object(object) => Value::Object(self.object(object)),
            // A number shows a setting as a whole only: digits are in many numbers by chance.
            Value::Number(number) => match self.stand_in(&number.to_string()) {
                Some(stand_in) => Value::String(stand_in),
                None => Value::Number(number),
            },
            Value::Null | Value::Bool(_) => value,
        }
    }
}

impl fmt::Debug for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mask({} patterns)", self.patterns().len())
    }
}

/// Whether a name marks a value as secret.
pub(crate) fn is_secret(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    SECRET_NAMES.iter().any(|part| lower.contains(part))
        || lower.split(['-', '_', '.']).any(|word| SECRET_WORDS.contains(&word))
}

fn shortest(name: &str) -> usize {
    if is_secret(name) { SECRET_BYTES_MIN } else { BYTES_MIN }
}

/// Whether a setting is the plain address of an element: no user, no password, no query.
fn is_open(name: &str, value: &str) -> bool {
    let is_plain = |rest: &str| !rest.contains(['@', '?', '#']);
    let rest = value.strip_prefix("http://").or_else(|| value.strip_prefix("https://"));
    name.starts_with(ELEMENT) && rest.is_some_and(is_plain)
}

/// The password that an address holds.
fn password(value: &str) -> Option<&str> {
    let (_, rest) = value.split_once("://")?;
    let (user, _) = rest.split(['/', '?', '#']).next()?.rsplit_once('@')?;
    user.split_once(':').map(|(_, password)| password)
}

/// What is masked of settings, and what stands in its place.
fn of_settings(settings: &BTreeMap<String, String>) -> Texts {
    let mut texts = Texts::new();
    for (name, value) in settings {
        let shortest = shortest(name);
        if is_open(name, value) || value.len() < shortest {
            continue;
        }
        let stand_in = Arc::from(format!("[setting {name}]"));
        // An address is used without its last slash, and its password by itself.
        let parts = [Some(value.as_str()), Some(value.trim_end_matches('/')), password(value)];
        for part in parts.into_iter().flatten().filter(|part| part.len() >= SECRET_BYTES_MIN) {
            add(&mut texts, forms(part), &stand_in);
        }
        add_lines(&mut texts, value, &stand_in);
    }
    texts
}

/// What is masked, and what stands in its place.
type Texts = BTreeMap<String, Arc<str>>;

fn add(texts: &mut Texts, forms: BTreeSet<String>, stand_in: &Arc<str>) {
    for form in forms {
        texts.entry(form).or_insert_with(|| Arc::clone(stand_in));
    }
}

/// Of a value in several lines each line is one: a log splits them.
fn add_lines(texts: &mut Texts, value: &str, stand_in: &Arc<str>) {
    for line in value.lines().filter(|line| line.len() >= BYTES_MIN) {
        texts.entry(line.to_owned()).or_insert_with(|| Arc::clone(stand_in));
    }
}

/// A text in which `[secret]` stands for placeholders: one is good for its call alone, and another call
/// would have another.
fn without_placeholders(text: String) -> String {
    if !text.contains(PLACEHOLDER) {
        return text;
    }
    let mut parts = text.split(PLACEHOLDER);
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.bytes().take_while(u8::is_ascii_hexdigit).count();
        match digits >= PLACEHOLDER_DIGITS {
            true => plain.extend(["[secret]", &part[PLACEHOLDER_DIGITS..]]),
            false => plain.extend([PLACEHOLDER, part]),
        }
    }
    plain
}

#[cfg(test)]
mod tests;
