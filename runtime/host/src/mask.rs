//! Keeps the values of a plugin's settings out of all that it answers and logs. A plugin reads its
//! settings in clear, and all its answers are kept and shown: in journals, over
//! HTTP, in notifications.
//!
//! A value is found as it is, and escaped for JSON, percent-encoded, in base64 or in hexadecimal,
//! also inside a longer text. A plugin that means to can still tell it in another form: what is
//! granted a secret is trusted with it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};

use serde_json::{Map, Value};

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

/// What is masked, and what stands in its place. Longer patterns come first.
#[derive(Default)]
pub(crate) struct Mask(Vec<(String, String)>);

impl Mask {
    /// The mask of a plugin with these settings.
    pub(crate) fn new(settings: &BTreeMap<String, String>) -> Self {
        let mut patterns = BTreeMap::new();
        for (name, value) in settings {
            let shortest = shortest(name);
            if is_open(name, value) || value.len() < shortest {
                continue;
            }
            // An address is used without its last slash, and its password by itself.
            let parts = [Some(value.as_str()), Some(value.trim_end_matches('/')), password(value)];
            for part in parts.into_iter().flatten().filter(|part| part.len() >= SECRET_BYTES_MIN) {
                for form in forms(part) {
                    patterns.entry(form).or_insert_with(|| format!("[setting {name}]"));
                }
            }
            // Of a key in several lines each line is one: a log splits them.
            for line in value.lines().filter(|line| line.len() >= BYTES_MIN) {
                patterns.entry(line.to_owned()).or_insert_with(|| format!("[setting {name}]"));
            }
        }
        let mut patterns: Vec<_> = patterns.into_iter().collect();
        patterns.sort_by_key(|(form, _)| std::cmp::Reverse(form.len()));
        Self(patterns)
    }

    /// The settings whose names mark them as secret, and which are too short to be masked.
    pub(crate) fn too_short(settings: &BTreeMap<String, String>) -> Vec<&str> {
        let is_short = |(name, value): &(&String, &String)| {
            is_secret(name) && !value.is_empty() && value.len() < SECRET_BYTES_MIN
        };
        settings.iter().filter(is_short).map(|(name, _)| name.as_str()).collect()
    }

    /// A text without values of settings.
    pub(crate) fn text(&self, text: String) -> String {
        let mut text = text;
        for (form, stand_in) in &self.0 {
            if text.contains(form) {
                text = text.replace(form, stand_in);
            }
        }
        text
    }

    /// A text that was cut, without a part of a value at its end.
    pub(crate) fn without_partial(&self, mut text: String) -> String {
        let part = |form: &str| {
            let lengths = (SECRET_BYTES_MIN..form.len().min(text.len() + 1)).rev();
            let mut parts = lengths.filter(|&bytes| form.is_char_boundary(bytes));
            parts.find(|&bytes| text.ends_with(&form[..bytes])).unwrap_or(0)
        };
        let longest = self.0.iter().map(|(form, _)| part(form)).max().unwrap_or(0);
        text.truncate(text.len() - longest);
        text
    }

    /// Whether a text shows the value of a setting.
    pub(crate) fn is_shown_in(&self, text: &str) -> bool {
        self.0.iter().any(|(form, _)| text.contains(form))
    }

    fn stand_in(&self, whole: &str) -> Option<&str> {
        let found = self.0.iter().find(|(form, _)| form == whole);
        found.map(|(_, stand_in)| stand_in.as_str())
    }

    /// Takes the values of settings out of an object: out of its texts, numbers and names.
    pub(crate) fn object(&self, object: Map<String, Value>) -> Map<String, Value> {
        if self.0.is_empty() {
            return object;
        }
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
                Some(stand_in) => Value::String(stand_in.into()),
                None => Value::Number(number),
            },
            Value::Null | Value::Bool(_) => value,
        }
    }
}

impl fmt::Debug for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mask({} patterns)", self.0.len())
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

/// The forms in which a value is found.
fn forms(value: &str) -> BTreeSet<String> {
    let mut forms = BTreeSet::from([value.to_owned()]);
    let one_line = |c: char| if c.is_control() { ' ' } else { c };
    forms.insert(value.chars().map(one_line).collect());
    let json = json_escaped(value);
    forms.insert(json_escaped(&json));
    forms.insert(json.replace('/', "\\/"));
    forms.insert(ascii_escaped(&json));
    forms.insert(json);
    for plain in ["-._~", "-._~!'()*", "-._*"] {
        let encoded = percent_encoded(value, plain);
        forms.insert(encoded.replace("%20", "+"));
        forms.insert(lower_hex(&encoded));
        forms.insert(encoded);
    }
    for before in 0..3 {
        let base64 = base64_within(value.as_bytes(), before);
        forms.insert(base64.replace('+', "-").replace('/', "_"));
        forms.insert(base64);
    }
    let hex = value.bytes().fold(String::new(), |mut hex, byte| {
        // Writing to a text cannot fail.
        let _ok = write!(hex, "{byte:02x}");
        hex
    });
    forms.insert(hex.to_ascii_uppercase());
    forms.insert(hex);
    // A form of less than a value may have would be found in what has nothing to do with it.
    forms.retain(|form| form.len() >= SECRET_BYTES_MIN);
    forms
}

fn json_escaped(text: &str) -> String {
    let quoted = Value::String(text.to_owned()).to_string();
    quoted.get(1..quoted.len() - 1).unwrap_or_default().to_owned()
}

fn ascii_escaped(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        if c.is_ascii() {
            escaped.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            // Writing to a text cannot fail.
            let _ok = write!(escaped, "\\u{unit:04x}");
        }
    }
    escaped
}

fn percent_encoded(text: &str, plain: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        let c = char::from(byte);
        if c.is_ascii_alphanumeric() || plain.contains(c) {
            encoded.push(c);
        } else {
            // Writing to a text cannot fail.
            let _ok = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// The same with escapes such as `%2f`.
fn lower_hex(encoded: &str) -> String {
    let mut lower = String::new();
    let mut left = 0;
    for c in encoded.chars() {
        left = if c == '%' { 3_u8 } else { left };
        lower.push(if left > 0 { c.to_ascii_lowercase() } else { c });
        left = left.saturating_sub(1);
    }
    lower
}

/// What base64 shows of these bytes after this number of others, modulo three: the
/// characters that hold bits of neighbours are left out.
fn base64_within(bytes: &[u8], before: usize) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bit = |at: usize| bytes.get(at / 8).is_some_and(|byte| byte >> (7 - at % 8) & 1 == 1);
    let bits = bytes.len() * 8;
    // The first character that begins within these bytes.
    let mut at = (6 - before * 8 % 6) % 6;
    let mut text = String::new();
    while at + 6 <= bits {
        let index = (at..at + 6).fold(0, |index, at| index << 1 | usize::from(bit(at)));
        text.push(char::from(ALPHABET[index]));
        at += 6;
    }
    text
}

#[cfg(test)]
mod tests;
