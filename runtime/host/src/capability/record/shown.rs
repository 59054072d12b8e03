//! Messages as they may be kept and shown: without the values of settings, without what headers,
//! queries and bodies name as secret, and without bodies that are no text.

use engine::telemetry::Message;
use hyper::header::CONTENT_TYPE;

use crate::grants::rule::without_user;
use crate::mask::{Mask, is_secret};

/// What stands in the place of a value whose name marks it as secret.
pub(crate) const HIDDEN: &str = "[hidden]";

/// Names of headers that contain one of these are secret, beside those of secret settings.
const HEADERS: [&str; 3] = ["cookie", "session", "signature"];

/// Headers that the rules take for secret and that are not.
const OPEN_HEADERS: [&str; 1] = ["idempotency-key"];

/// Names of fields of bodies and of parameters of queries that contain one of these are secret. There
/// are fewer than of settings: a `key` of a document is rarely one that opens anything.
const FIELDS: [&str; 10] = [
    "secret",
    "passw",
    "pwd",
    "token",
    "credential",
    "authorization",
    "apikey",
    "accesskey",
    "privatekey",
    "cookie",
];

/// Names of fields that are secret as a whole.
const FIELD_WORDS: [&str; 6] = ["pin", "puk", "pin1", "puk1", "pin2", "puk2"];

/// A message as it was sent or read, within limits.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) headers: Vec<(String, String)>,
    pub(super) headers_dropped: u32,
    /// The beginning of the body.
    pub(super) body: Vec<u8>,
    /// The bytes of all of it.
    pub(super) body_bytes: u64,
}

impl Kept {
    /// The message without secrets.
    pub(super) fn shown(self, mask: &Mask) -> Message {
        let Self { headers, headers_dropped, body, body_bytes } = self;
        let media = headers.iter().find(|(name, _)| name == CONTENT_TYPE.as_str());
        let is_form = media.is_some_and(|(_, media)| media.contains("form-urlencoded"));
        let is_cut = (body.len() as u64) < body_bytes;
        let text = text(body, is_cut);
        let is_binary = text.is_none();
        let text = text.filter(|text| !text.is_empty()).map(|text| {
            let hidden = if is_form { query(&text) } else { fields(&text) };
            let masked = mask.text(hidden);
            if is_cut { mask.without_partial(masked) } else { masked }
        });
        let headers = headers.into_iter().map(|(name, value)| {
            let value = if is_open(&name) { mask.text(value) } else { HIDDEN.into() };
            (name, value)
        });
        let headers = headers.collect();
        Message { headers, headers_dropped, body: text, body_bytes, is_binary, is_cut }
    }
}

/// A URL without a user and without the values of secret parameters.
pub(crate) fn url(url: &str, mask: &Mask) -> String {
    let url = without_user(url);
    let shown = match url.split_once('?') {
        Some((place, parameters)) => format!("{place}?{}", query(parameters)),
        None => url.into_owned(),
    };
    mask.text(shown)
}

/// A text body without the values of secret fields and parameters.
pub(crate) fn hidden(text: &str, media: Option<&[u8]>) -> String {
    let media = String::from_utf8_lossy(media.unwrap_or_default());
    if media.contains("form-urlencoded") { query(text) } else { fields(text) }
}

/// Whether the value of a header may be shown.
pub(crate) fn is_open(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let is_hidden = is_secret(&name) || HEADERS.iter().any(|part| name.contains(part));
    !is_hidden || OPEN_HEADERS.contains(&name.as_str())
}

/// Whether a name marks the value of a field as secret.
pub(crate) fn is_secret_field(name: &str) -> bool {
    let plain = name.to_ascii_lowercase().replace(['-', '_', '.', ' '], "");
    FIELDS.iter().any(|part| plain.contains(part)) || FIELD_WORDS.contains(&plain.as_str())
}

/// A body as text, without a character that was cut in half; `None` if it is no text.
fn text(body: Vec<u8>, is_cut: bool) -> Option<String> {
    let text = match String::from_utf8(body) {
        Ok(text) => text,
        Err(error) if is_cut && error.utf8_error().error_len().is_none() => {
            let whole = error.utf8_error().valid_up_to();
            let mut bytes = error.into_bytes();
            bytes.truncate(whole);
            String::from_utf8(bytes).ok()?
        }
        Err(_) => return None,
    };
    let is_text = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t');
    text.chars().all(is_text).then_some(text)
}

/// Hides the values of secret parameters of a query or a form.
fn query(text: &str) -> String {
    let parameters = text.split('&').map(|parameter| match parameter.split_once('=') {
        Some((name, _)) if is_secret_field(name) => format!("{name}={HIDDEN}"),
        _ => parameter.to_owned(),
    });
    parameters.collect::<Vec<_>>().join("&")
}

/// Hides the values of secret fields of JSON and XML, also in a text that was cut.
fn fields(text: &str) -> String {
    if text.trim_start().starts_with('<') { elements(text) } else { members(text) }
}

/// Hides the values of secret members of JSON objects.
fn members(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(quote) = rest.find('"') {
        let after = quote + string(&rest[quote..]);
        let name = rest[quote..after].trim_matches('"');
        let Some(value) = member(&rest[after..]).map(|colon| after + colon) else {
            shown.push_str(&rest[..after]);
            rest = &rest[after..];
            continue;
        };
        shown.push_str(&rest[..value]);
        rest = &rest[value..];
        if is_secret_field(name) && !rest.is_empty() {
            shown.push('"');
            shown.push_str(HIDDEN);
            shown.push('"');
            rest = &rest[one_value(rest)..];
        }
    }
    shown.push_str(rest);
    shown
}

/// The length of the JSON string that a text begins with, or of all of it if it was cut.
fn string(text: &str) -> usize {
    let mut is_escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Where a value begins, if a colon comes before it.
fn member(text: &str) -> Option<usize> {
    let value = text.trim_start().strip_prefix(':')?.trim_start();
    Some(text.len() - value.len())
}

/// The length of the JSON value that a text begins with.
fn one_value(text: &str) -> usize {
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(c) = text[at..].chars().next() {
        match c {
            '"' => at += string(&text[at..]),
            ',' | '}' | ']' if depth == 0 => return at,
            '{' | '[' => {
                depth += 1;
                at += 1;
            }
            '}' | ']' => {
                depth -= 1;
                at += 1;
            }
            c if c.is_whitespace() && depth == 0 => return at,
            c => at += c.len_utf8(),
        }
        if depth == 0 && matches!(c, '"' | '}' | ']') {
            return at;
        }
    }
    text.len()
}

/// Hides the texts of secret elements of XML.
fn elements(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find('<') {
        let end = rest[open..].find('>').map_or(rest.len(), |end| open + end + 1);
        let tag = &rest[open + 1..end];
        let name = tag.split([' ', '\t', '\r', '\n', '>', '/']).next().unwrap_or_default();
        let local = name.rsplit(':').next().unwrap_or_default();
        shown.push_str(&rest[..end]);
        rest = &rest[end..];
        let text_bytes = rest.find('<').unwrap_or(rest.len());
        if is_secret_field(local) && !tag.starts_with('/') && text_bytes > 0 {
            shown.push_str(HIDDEN);
            rest = &rest[text_bytes..];
        }
    }
    shown.push_str(rest);
    shown
}

#[cfg(test)]
mod tests;
