//! The forms in which a value is found: as it is, escaped for JSON, percent-encoded, in base64 or in
//! hexadecimal, also inside a longer text.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::Value;

use super::SECRET_BYTES_MIN;

/// Max bytes of a value that is masked in all its forms. Of a longer one, such as a chain of certificates, the
/// lines are masked, and the whole as it is.
const FORMS_BYTES_MAX: usize = 8 * 1024;

/// Max bytes of a value that is masked in forms of forms.
const DEEP_BYTES_MAX: usize = 512;

/// The forms in which a value is found.
pub(super) fn forms(value: &str) -> BTreeSet<String> {
    if value.len() > FORMS_BYTES_MAX {
        return BTreeSet::from([value.to_owned()]);
    }
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
    forms.extend(encoded(value));
    // A form of less than a value may have would be found in what has nothing to do with it.
    forms.retain(|form| form.len() >= SECRET_BYTES_MIN);
    forms
}

/// The same and what becomes of each form when it is encoded once more: an element that logs in base64 or in
/// hexadecimal has the header `Authorization` and the escaped text of a body in it.
pub(super) fn deep(value: &str) -> BTreeSet<String> {
    let mut forms = forms(value);
    if value.len() > DEEP_BYTES_MAX {
        return forms;
    }
    forms.insert(xml_escaped(value));
    let again: Vec<String> = forms.iter().flat_map(|form| encoded(form)).collect();
    forms.extend(again);
    let slashes = forms.iter().filter(|form| form.contains(['/', '+']));
    let escaped: Vec<String> = slashes
        .flat_map(|form| [percent_encoded(form, "-._~"), form.replace('/', "\\/")])
        .collect();
    forms.extend(escaped);
    forms.retain(|form| form.len() >= SECRET_BYTES_MIN);
    forms
}

/// A text in base64 and in hexadecimal.
fn encoded(text: &str) -> Vec<String> {
    let hex = hex::encode(text);
    let mut encoded = vec![hex.to_ascii_uppercase(), hex];
    for before in 0..3 {
        let base64 = base64_within(text.as_bytes(), before);
        encoded.push(base64.replace('+', "-").replace('/', "_"));
        encoded.push(base64);
    }
    encoded
}

fn xml_escaped(text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    escaped.replace('"', "&quot;").replace('\'', "&apos;")
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
