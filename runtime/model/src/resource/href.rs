//! Hrefs: stored without scheme and host, answered with them.

use serde_json::Value;

/// What a stored href of ours begins with.
pub(crate) const OURS: &str = "/tmf-api/";

/// Makes every href of a document absolute.
pub fn absolute(document: &mut Value, base: &str) {
    match document {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(href)
                        if (name == "href" || name.ends_with("Href")) && href.starts_with(OURS) =>
                    {
                        href.insert_str(0, base);
                    }
                    Value::Array(_) | Value::Object(_) => absolute(value, base),
                    Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
                }
            }
        }
        Value::Array(entries) => {
            for entry in entries {
                absolute(entry, base);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
