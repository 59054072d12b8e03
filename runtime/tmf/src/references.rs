//! The references in a document of any resource, found by a path such as `productOrderItem.product`.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::href;

/// A reference in a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Referred<'a> {
    /// The path of this one, such as `productOrderItem[0].product`.
    pub path: String,
    pub id: Option<&'a str>,
    pub href: Option<&'a str>,
}

impl Referred<'_> {
    /// Whether it has an absolute href, which leads to another system.
    pub fn leads_elsewhere(&self) -> bool {
        self.href.is_some_and(href::is_absolute)
    }
}

/// The references at a path of a document, in order. Lists on the way have one for each element.
pub fn referred<'a>(document: &'a Value, path: &str) -> Vec<Referred<'a>> {
    let mut found = vec![(String::new(), document)];
    for name in path.split('.') {
        let below = found.into_iter().filter_map(|(at, value)| {
            let at = if at.is_empty() { name.to_string() } else { format!("{at}.{name}") };
            Some((at, value.get(name)?))
        });
        found = below.flat_map(|(at, value)| elements(at, value)).collect();
    }
    let text = |value: &'a Value, name| value.get(name).and_then(Value::as_str);
    let referred =
        |(path, value)| Referred { path, id: text(value, "id"), href: text(value, "href") };
    found.into_iter().map(referred).collect()
}

fn elements(at: String, value: &Value) -> Vec<(String, &Value)> {
    let Some(entries) = value.as_array() else { return vec![(at, value)] };
    let entries = entries.iter().enumerate();
    entries.map(|(position, entry)| (format!("{at}[{position}]"), entry)).collect()
}

/// The ids that a document refers to at a path.
pub fn ids<'a>(document: &'a Value, path: &str) -> Vec<&'a str> {
    referred(document, path).into_iter().filter_map(|referred| referred.id).collect()
}

/// Whether a document refers to one of some ids by the path of an index, such as `relatedParty.id`.
pub fn refers_by(document: &Value, path: &str, wanted: &BTreeSet<String>) -> bool {
    let reference = path.trim_end_matches(".id");
    ids(document, reference).into_iter().any(|id| wanted.contains(id))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn references_in_lists_have_their_positions() {
        let order = json!({ "item": [
            { "product": { "id": "1" } },
            {},
            { "product": [{ "id": "2" }, { "href": "https://other.example/3" }] },
        ] });
        let found = referred(&order, "item.product");
        let paths: Vec<&str> = found.iter().map(|found| found.path.as_str()).collect();
        assert_eq!(paths, ["item[0].product", "item[2].product[0]", "item[2].product[1]"]);
        assert_eq!(found[2].href, Some("https://other.example/3"));
        assert_eq!(ids(&order, "item.product"), ["1", "2"]);
    }
}
