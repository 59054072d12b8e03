//! Hrefs: stored without scheme and host, completed in answers, and leading to the version of the
//! API of the request. Those of ours that a client sends back lose scheme and host again.

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

/// Makes every href of ours that begins with this base relative, as it is stored.
pub fn relative(document: &mut Value, base: &str) {
    each_named(document, &mut |name, href| {
        if href.strip_prefix(base).is_some_and(|rest| is_ours(name, rest)) {
            href.drain(..base.len());
        }
    });
}

/// Whether an href has a scheme (RFC 3986, 3.1), so that it leads to another system: those of ours have
/// none when they are stored. A sample of the standard has `https:/host`.
pub fn is_absolute(href: &str) -> bool {
    let scheme = href.split_once(':').map(|(scheme, _)| scheme).unwrap_or_default();
    scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
}

/// Calls a function for every href of ours in a document.
pub(crate) fn each(document: &mut Value, act: &mut dyn FnMut(&mut String)) {
    each_named(document, &mut |name, href| {
        if is_ours(name, href) {
            act(href);
        }
    });
}

/// Calls a function for every text in a document, with its name.
fn each_named(document: &mut Value, act: &mut dyn FnMut(&str, &mut String)) {
    match document {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text) => act(name, text),
                    Value::Array(_) | Value::Object(_) => each_named(value, act),
                    Value::Null | Value::Bool(_) | Value::Number(_) => {}
                }
            }
        }
        Value::Array(entries) => entries.iter_mut().for_each(|entry| each_named(entry, act)),
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_href_of_ours_is_absolute_for_clients_and_relative_when_it_comes_back() {
        let stored = json!({
            "href": "/tmf-api/productInventory/v4/product/1",
            "relatedParty": [{ "href": "https://crm.example/party/2" }],
            "billDocument": [{ "url": "/orchestration/v1/bills/3.pdf" }],
            "note": "/tmf-api/productInventory/v4/product/1",
        });
        for base in ["http://localhost:8080", "https://ferrule.example"] {
            let mut shown = stored.clone();
            absolute(&mut shown, base);
            assert_eq!(
                shown["billDocument"][0]["url"],
                format!("{base}/orchestration/v1/bills/3.pdf")
            );
            let mut other = shown.clone();
            relative(&mut other, "http://other.example");
            assert_eq!(other, shown);
            relative(&mut shown, base);
            assert_eq!(shown, stored);
        }
    }

    #[test]
    fn an_href_with_a_scheme_leads_to_another_system() {
        for href in ["https://other.example/product/1", "https:/host/1", "urn:product:1"] {
            assert!(is_absolute(href), "{href}");
        }
        for href in ["/tmf-api/product/1", "1", "", "1:2", ":x"] {
            assert!(!is_absolute(href), "{href}");
        }
    }
}
