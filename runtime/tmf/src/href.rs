//! Hrefs: stored without scheme and host, completed in answers, and leading to the version of the
//! API of the request.

use serde_json::Value;

/// The prefix of our stored hrefs.
pub(crate) const OURS: &str = "/tmf-api/";

/// The prefix of documents beside the standard, such as a bill as PDF.
const OWN: &str = "/orchestration/v1/";

/// The href of a document that is kept here, by the key of its resource.
pub fn of(resource: &str, id: &str) -> String {
    format!("{}/{id}", crate::table::path(resource))
}

/// Makes every href of a document absolute.
pub fn absolute(document: &mut Value, base: &str) {
    each(document, &mut |href| href.insert_str(0, base));
}

/// Calls a function for every href of ours in a document.
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

/// Whether a text is an href of ours, or the URL of a document of a bill.
fn is_ours(name: &str, text: &str) -> bool {
    match name {
        "url" => text.starts_with(OWN),
        _ => (name == "href" || name.ends_with("Href")) && text.starts_with(OURS),
    }
}
