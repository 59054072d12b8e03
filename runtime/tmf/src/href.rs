//! Hrefs: stored without scheme and host, answered with them, and leading to the version of the API
//! that is answered in.

use serde_json::Value;

/// What a stored href of ours begins with.
pub(crate) const OURS: &str = "/tmf-api/";

/// What the address of a document that we serve beside the standard begins with, such as a bill as PDF.
const OWN: &str = "/orchestration/v1/";

/// Makes every href of a document absolute.
pub fn absolute(document: &mut Value, base: &str) {
    each(document, &mut |href| href.insert_str(0, base));
}

/// Does something to every href of ours in a document.
pub(crate) fn each(document: &mut Value, act: &mut dyn FnMut(&mut String)) {
    match document {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(href) if is_ours(name, href) => act(href),
                    Value::Array(_) | Value::Object(_) => each(value, act),
                    Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
                }
            }
        }
        Value::Array(entries) => entries.iter_mut().for_each(|entry| each(entry, act)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Whether a text is an href of ours, or the place of a document of a bill.
fn is_ours(name: &str, text: &str) -> bool {
    match name {
        "url" => text.starts_with(OWN),
        _ => (name == "href" || name.ends_with("Href")) && text.starts_with(OURS),
    }
}
