//! The references in a document of any resource, found by a path such as `productOrderItem.product`.

use serde_json::Value;

/// A reference in a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Referred<'a> {
    /// The path of this one, such as `productOrderItem[0].product`.
    pub path: String,
    pub id: Option<&'a str>,
    pub href: Option<&'a str>,
}

impl Referred<'_> {
    /// Whether it has an absolute href to another system than the one whose hrefs begin with `base`.
    pub fn leads_elsewhere(&self, base: &str) -> bool {
        let href = self.href.unwrap_or_default();
        // With a scheme (RFC 3986, 3.1): a sample of the standard has `https:/host`.
        let scheme = href.split_once(':').map(|(scheme, _)| scheme).unwrap_or_default();
        let is_absolute = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
        let own = href.strip_prefix(base).filter(|_| !base.is_empty());
        is_absolute && !own.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
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

    #[test]
    fn absolute_hrefs_lead_elsewhere_unless_they_begin_with_the_base() {
        let leads = |href: &str, base: &str| {
            Referred { path: String::new(), id: None, href: Some(href) }.leads_elsewhere(base)
        };
        assert!(leads("https://other.example/product/1", "https://own.example"));
        assert!(leads("https://own.example.org/1", "https://own.example"));
        assert!(leads("https:/host/1", ""));
        assert!(!leads("https://own.example/1", "https://own.example"));
        assert!(!leads("/tmf-api/product/1", "https://own.example"));
        assert!(!leads("1", ""));
    }
}
