//! All that a server and its network say at one time, and what has to be true of it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Effect, Http, Network};

/// The orders of a fulfilment, with the name of their items.
pub(crate) const ORDERS: [(&str, &str); 3] = [
    ("productOrder", "productOrderItem"),
    ("serviceOrder", "serviceOrderItem"),
    ("resourceOrder", "orderItem"),
];

const RESOURCES: [&str; 7] = [
    "productOrder",
    "serviceOrder",
    "resourceOrder",
    "product",
    "service",
    "resource",
    "appliedCustomerBillingRate",
];

/// Everything, by resource and id.
pub(crate) struct Books {
    documents: BTreeMap<&'static str, BTreeMap<String, Value>>,
    /// Every write at every element.
    pub(crate) effects: Vec<Effect>,
    /// What every element holds.
    pub(crate) state: Vec<Value>,
    pub(crate) events: Vec<Value>,
}

impl Books {
    /// Reads all of it.
    pub(crate) async fn read(http: &Http, network: &Network) -> Self {
        let mut documents = BTreeMap::new();
        for resource in RESOURCES {
            let rows = http.list(tmf::table::path(resource)).await;
            let rows = rows.into_iter().map(|row| (text(&row["id"]), row)).collect();
            documents.insert(resource, rows);
        }
        let events = read_events(http).await;
        let (effects, state) = (network.effects().await, network.state().await);
        Self { documents, effects, state, events }
    }

    /// The documents of a resource by id.
    pub(crate) fn of(&self, resource: &str) -> &BTreeMap<String, Value> {
        &self.documents[resource]
    }

    /// Whether there is no document at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.documents.values().all(BTreeMap::is_empty)
    }

    /// The documents of a resource that an order made: `items` is where they say which.
    fn made_by(&self, resource: &str, items: &str, id: &str) -> Vec<&Value> {
        let order = items.strip_suffix("Item").expect("such as `productOrderItem`");
        let order = format!("{order}Id");
        self.of(resource).values().filter(|row| row[items][0][&order] == id).collect()
    }

    /// The products that an order made.
    pub(crate) fn products(&self, id: &str) -> Vec<&Value> {
        self.made_by("product", "productOrderItem", id)
    }

    /// The services that an order made.
    pub(crate) fn services(&self, id: &str) -> Vec<&Value> {
        self.made_by("service", "serviceOrderItem", id)
    }

    /// The resources that an order took.
    pub(crate) fn resources(&self, id: &str) -> Vec<&Value> {
        self.made_by("resource", "resourceOrderItem", id)
    }

    /// The charges for a product.
    pub(crate) fn charges(&self, product: &str) -> Vec<&Value> {
        let charges = self.of("appliedCustomerBillingRate").values();
        charges.filter(|charge| charge["product"]["id"] == product).collect()
    }

    /// What an order did at the elements.
    pub(crate) fn effects_of(&self, id: &str) -> Vec<&Effect> {
        let prefix = format!("{id}:");
        self.effects.iter().filter(|effect| effect.key.starts_with(&prefix)).collect()
    }

    /// Holds a completed product order against everything that has to follow from it.
    pub(crate) fn check_delivered(&self, id: &str) {
        for (resource, items) in ORDERS {
            let order = &self.of(resource)[id];
            assert_eq!(order["state"], "completed", "{resource}: {order:#}");
            let items = items_of(order, items);
            assert!(!items.is_empty(), "{order:#}");
            for item in items {
                assert_eq!(item["state"], "completed", "{resource} {id}: {item:#}");
            }
        }
        self.check_products(id);
        self.check_services(id);
        for effect in self.effects_of(id) {
            assert_eq!(effect.applied, 1, "{effect:?}");
            assert!(!effect.key.ends_with(":undo"), "{effect:?}");
        }
    }

    fn check_products(&self, id: &str) {
        let products = self.products(id);
        let items = items_of(&self.of("productOrder")[id], "productOrderItem");
        let ids: BTreeSet<_> = products.iter().map(|product| text(&product["id"])).collect();
        let named: BTreeSet<_> = items.iter().map(|item| text(&item["product"]["id"])).collect();
        assert_eq!(ids, named, "the products of {id} and those that its items name");
        for product in products {
            assert_eq!(product["status"], "active", "{product:#}");
            for service in references(&product["realizingService"]) {
                assert_eq!(self.of("service")[&service]["state"], "active", "{product:#}");
            }
            let charges = self.charges(product["id"].as_str().unwrap());
            let charged = charges.iter().map(|charge| price_of(charge));
            let priced = array(&product["productPrice"]);
            let priced = priced.iter().map(|price| text(&price["productOfferingPrice"]["id"]));
            assert_eq!(sorted(charged), sorted(priced), "the charges of {product:#}");
        }
    }

    fn check_services(&self, id: &str) {
        let services = self.services(id);
        let items = items_of(&self.of("serviceOrder")[id], "serviceOrderItem");
        let ids: BTreeSet<_> = services.iter().map(|service| text(&service["id"])).collect();
        let named: BTreeSet<_> = items.iter().map(|item| text(&item["service"]["id"])).collect();
        assert_eq!(ids, named, "the services of {id} and those that its items name");
        let mut used = BTreeSet::new();
        for service in services {
            assert_eq!(service["state"], "active", "{service:#}");
            for other in references(&service["supportingService"]) {
                assert!(ids.contains(&other), "{service:#}");
            }
            for resource in references(&service["supportingResource"]) {
                let row = &self.of("resource")[&resource];
                assert_eq!(row["resourceStatus"], "reserved", "{row:#}");
                assert_eq!(row["usageState"], "busy", "{row:#}");
                assert_eq!(row["resourceOrderItem"][0]["resourceOrderId"], id, "{row:#}");
                used.insert(resource);
            }
        }
        let taken = self.resources(id).iter().map(|row| text(&row["id"])).collect();
        assert_eq!(used, taken, "the resources of {id} and those that its services are made of");
    }

    /// Every value of a pool has one user, and every place at an element has one order.
    pub(crate) fn check_pools(&self) {
        let mut holders = BTreeMap::new();
        // One that has ceased names what it had.
        let services = self.of("service").values();
        for service in services.filter(|service| service["state"] != "terminated") {
            for resource in references(&service["supportingResource"]) {
                let before = holders.insert(resource.clone(), &service["id"]);
                assert_eq!(before, None, "`{resource}` is held twice, by {} too", service["id"]);
            }
        }
        let mut places = BTreeSet::new();
        for entry in &self.state {
            let place = (text(&entry["element"]), text(&entry["collection"]), text(&entry["id"]));
            assert!(places.insert(place), "{entry:#}");
        }
    }

    /// Every write was applied once, and nothing was rolled back.
    pub(crate) fn check_once(&self) {
        assert!(!self.effects.is_empty());
        for effect in &self.effects {
            assert_eq!(effect.applied, 1, "{effect:?}");
        }
    }

    /// The notifications are numbered without a gap, and none comes twice but for what is used
    /// again: the values of pools.
    pub(crate) fn check_outbox(&self) {
        let mut seen = BTreeSet::new();
        for (number, event) in self.events.iter().enumerate() {
            assert_eq!(event["sequence"], number, "{event:#}");
            assert_eq!(event["eventId"], number.to_string(), "{event:#}");
            if event["event"].get("resource").is_some() {
                continue;
            }
            let what = (event["eventType"].to_string(), event["event"].to_string());
            assert!(seen.insert(what), "told twice: {event:#}");
        }
    }

    /// What subscribers are told of an order, in order.
    pub(crate) fn told(&self, resource: &str, id: &str) -> Vec<String> {
        let events = self.events.iter().filter(|event| event["event"][resource]["id"] == id);
        let told = events.map(|event| {
            format!("{} {}", text(&event["eventType"]), text(&event["event"][resource]["state"]))
        });
        told.collect()
    }

    /// No element, no pool and no inventory holds anything of an order that was unwound.
    pub(crate) fn check_nothing_left(&self, id: &str) {
        for (resource, _) in ORDERS {
            assert_eq!(self.of(resource)[id]["state"], "failed", "{resource}");
        }
        for product in self.products(id) {
            assert_eq!(product["status"], "aborted", "{product:#}");
        }
        for service in self.services(id) {
            assert_ne!(service["state"], "active", "{service:#}");
        }
        let held = self.resources(id);
        assert!(held.is_empty(), "{held:#?}");
        assert!(self.of("appliedCustomerBillingRate").is_empty());
        let prefix = format!("{id}:");
        let left =
            self.state.iter().filter(|entry| text(&entry["idempotencyKey"]).starts_with(&prefix));
        assert_eq!(left.count(), 0, "{:#?}", self.state);
    }
}

async fn read_events(http: &Http) -> Vec<Value> {
    let mut events: Vec<Value> = Vec::new();
    loop {
        let after = events.last().map(|event| format!("?after={}", event["sequence"]));
        let page =
            http.get(&format!("/orchestration/v1/events{}", after.unwrap_or_default())).await;
        match page.as_array() {
            Some(page) if !page.is_empty() => events.extend(page.iter().cloned()),
            _ => return events,
        }
    }
}

/// The items of an order, those within others too.
pub(crate) fn items_of<'a>(order: &'a Value, name: &str) -> Vec<&'a Value> {
    let own = order[name].as_array().into_iter().flatten();
    own.flat_map(|item| [vec![item], items_of(item, name)].concat()).collect()
}

fn references(list: &Value) -> Vec<String> {
    array(list).iter().map(|reference| text(&reference["id"])).collect()
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn sorted(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut texts: Vec<String> = texts.collect();
    texts.sort();
    texts
}

/// The id of the price that a charge comes from.
pub(crate) fn price_of(charge: &Value) -> String {
    let all = array(&charge["characteristic"]);
    let price = all.iter().find(|one| one["name"] == "price");
    price.map(|price| text(&price["value"])).unwrap_or_default()
}

/// A JSON text without its quotes.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_string()
}

impl Books {
    /// What became of an order, as a text: ids without that of the order.
    pub(crate) fn summary(&self, id: &str) -> String {
        let mut lines = Vec::new();
        for (resource, items) in ORDERS {
            let order = &self.of(resource)[id];
            lines.push(format!("{resource} {}", text(&order["state"])));
            for item in items_of(order, items) {
                lines.push(format!("  {} {}", text(&item["id"]), text(&item["state"])));
            }
        }
        for product in self.products(id) {
            lines.push(format!("{} {}", text(&product["name"]), text(&product["status"])));
            for service in references(&product["realizingService"]) {
                lines.push(format!("  realized by {service}"));
            }
            for charge in self.charges(product["id"].as_str().unwrap()) {
                lines.push(format!(
                    "  charged {} {}",
                    text(&charge["name"]),
                    text(&charge["type"])
                ));
            }
        }
        for service in self.services(id) {
            lines.push(format!("{} {}", text(&service["name"]), text(&service["state"])));
            for other in references(&service["supportingService"]) {
                lines.push(format!("  supported by {other}"));
            }
            for resource in references(&service["supportingResource"]) {
                let row = &self.of("resource")[&resource];
                let use_of = (text(&row["resourceStatus"]), text(&row["usageState"]));
                lines.push(format!("  made of {resource} {} {}", use_of.0, use_of.1));
            }
        }
        lines.join("\n").replace(id, "F")
    }
}
