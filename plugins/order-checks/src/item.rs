//! The items of an order, those inside bundles too.

use serde_json::Value;

/// Max depth of bundles that is read; the API refuses deeper ones.
const DEPTH_MAX: usize = 16;

/// The attributes that may name a place, its own names first.
const PLACE_NAMES: [&str; 7] =
    ["id", "name", "postcode", "city", "locality", "stateOrProvince", "country"];

/// A line of an order.
#[derive(Clone, Copy)]
pub(crate) struct Item<'a> {
    json: &'a Value,
    /// The position of the bundle in `flatten`'s list, for an item inside one.
    bundle: Option<usize>,
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

    pub(crate) fn offering(self) -> Option<&'a str> {
        self.json["productOffering"]["id"].as_str()
    }

    pub(crate) fn is(self, spec: &str) -> bool {
        self.json["product"]["productSpecification"]["id"] == spec || self.offering() == Some(spec)
    }

    /// The names of the place of an item, or of the bundle that it is in.
    pub(crate) fn place_names(self, items: &[Item<'a>]) -> Vec<&'a str> {
        let around = |item: &Item<'a>| item.bundle.map(|bundle| items[bundle]);
        let mut places = std::iter::successors(Some(self), around).map(Self::own_place_names);
        places.find(|names| !names.is_empty()).unwrap_or_default()
    }

    /// Whether the place of an item, or of the bundle that it is in, has an id.
    pub(crate) fn has_place_id(self, items: &[Item<'a>]) -> bool {
        let around = |item: &Item<'a>| item.bundle.map(|bundle| items[bundle]);
        let mut places = std::iter::successors(Some(self), around);
        let place = places.find(|item| !item.own_place_names().is_empty());
        place.and_then(Item::own_place).is_some_and(|place| place["id"].is_string())
    }

    fn own_place(self) -> Option<&'a Value> {
        let place = &self.json["product"]["place"];
        place.as_array().map_or(Some(place), |places| places.first())
    }

    fn own_place_names(self) -> Vec<&'a str> {
        let place = self.own_place();
        let names = PLACE_NAMES.iter().filter_map(|name| place?.get(*name)?.as_str());
        names.filter(|name| !name.is_empty()).collect()
    }
}
