//! Whether the places of what is added are served.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::item::Item;
use crate::{Act, Finding};

/// Which places are served. A place is meant by its id, its name, post code, city or country.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Rules {
    /// specifications and offerings whose places are checked
    pub(crate) specs: Vec<String>,
    /// beginnings of postcodes that are served
    pub(crate) served: Vec<String>,
    /// beginnings of postcodes that are not
    pub(crate) not_served: Vec<String>,
    /// as for `credit`
    pub(crate) otherwise: Act,
}

/// Looks at the place of each item that is added.
pub(crate) fn check(rules: &Rules, items: &[Item<'_>]) -> Vec<Finding> {
    let is_asked = |item: &&Item<'_>| {
        item.action() == "add"
            && (rules.specs.is_empty() || rules.specs.iter().any(|spec| item.is(spec)))
    };
    let looked_at = items.iter().filter(is_asked);
    let wrong = looked_at.filter_map(|item| {
        let (code, text) = wrong(rules, items, *item)?;
        let message = format!("item `{}`: `product.place` {text}", item.id());
        Some(Finding { code, message, act: rules.otherwise })
    });
    wrong.collect()
}

fn wrong(rules: &Rules, items: &[Item<'_>], item: Item<'_>) -> Option<(&'static str, String)> {
    let names = item.place_names(items);
    let Some(first) = names.first() else {
        let text = "has no name that tells where it is".to_string();
        return (!rules.served.is_empty()).then_some(("ADDRESS_UNKNOWN", text));
    };
    let is_any = |list: &[String]| names.iter().any(|name| list.iter().any(|one| one == name));
    let is_served = rules.served.is_empty() || is_any(&rules.served);
    let stops = !is_served || is_any(&rules.not_served);
    stops.then(|| ("ADDRESS_NOT_SERVED", format!("`{first}` is not served")))
}
