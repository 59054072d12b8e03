//! The items of an order, those inside bundles too.

use serde_json::Value;

/// Max depth of bundles that is read; the API refuses deeper ones.
const DEPTH_MAX: usize = 16;

/// A line of the order.
#[derive(Clone, Copy)]
pub(crate) struct Item<'a> {
    json: &'a Value,
    /// The place of the bundle in `flatten`'s list, for an item inside one.
    pub(crate) bundle: Option<usize>,
}

/// All items of an order, a bundle before what is in it.
pub(crate) fn flatten(order: &Value) -> Vec<Item<'_>> {
    let mut items = Vec::new();
    gather(order, None, 0, &mut items);
    items
}

fn gather<'a>(parent: &'a Value, bundle: Option<usize>, depth: usize, items: &mut Vec<Item<'a>>) {
    let Some(children) = parent["productOrderItem"].as_array().filter(|_| depth < DEPTH_MAX) else {
        return;
    };
    for json in children {
        items.push(Item { json, bundle });
        gather(json, Some(items.len() - 1), depth + 1, items);
    }
}

impl<'a> Item<'a> {
    pub(crate) fn id(self) -> &'a str {
        self.json["id"].as_str().unwrap_or("?")
    }

    pub(crate) fn action(self) -> &'a str {
        self.json["action"].as_str().unwrap_or_default()
    }

    /// The quantity, one by default; `None` if it is no whole number.
    pub(crate) fn quantity(self) -> Option<u64> {
        let quantity = &self.json["quantity"];
        if quantity.is_null() { Some(1) } else { quantity.as_u64() }
    }

    pub(crate) fn is(self, spec: &str) -> bool {
        self.json["product"]["productSpecification"]["id"] == spec
            || self.json["productOffering"]["id"] == spec
    }

    pub(crate) fn has_place(self) -> bool {
        [&self.json["product"]["place"], &self.json["place"]].into_iter().any(|place| match place {
            Value::Array(places) => !places.is_empty(),
            Value::Object(_) => true,
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
        })
    }

    pub(crate) fn has_billing_account(self) -> bool {
        self.json["billingAccount"].is_object()
    }

    /// The value of a characteristic; `None` if it is missing, null or an empty text.
    pub(crate) fn characteristic(self, name: &str) -> Option<&'a Value> {
        let all = self.json["product"]["productCharacteristic"].as_array()?;
        let found = all.iter().find(|characteristic| characteristic["name"] == name)?;
        found.get("value").filter(|value| !value.is_null() && *value != "")
    }
}
