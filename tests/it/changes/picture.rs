//! What there is of an order's products at one time, in the inventories and in the network, without
//! what is of this instance alone: so what was changed can be compared with what was ordered so.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::sold::Sold;
use crate::world::{World, text};

/// What there is, a line each, sorted.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Picture {
    products: Vec<String>,
    services: Vec<String>,
    resources: Vec<String>,
    network: Vec<String>,
}

/// The instances that products are made of, by id.
#[derive(Default)]
pub(super) struct Instances {
    pub(super) products: BTreeMap<String, Value>,
    pub(super) services: BTreeMap<String, Value>,
    pub(super) resources: BTreeMap<String, Value>,
}

impl Instances {
    /// Reads the products of an order, and all that they lead to.
    pub(super) async fn of(world: &World, sold: &Sold) -> Self {
        let mut found = Self::default();
        let products = sold.lines().into_iter().map(|line| sold.product(&line.id)).collect();
        found.products = read_all(world, "product", products).await;
        let products = found.products.values();
        let mut open: BTreeSet<String> =
            products.flat_map(|product| ids(&product["realizingService"])).collect();
        // One level after the other.
        while !open.is_empty() {
            let level = read_all(world, "service", open).await;
            let below = level.values().flat_map(|service| ids(&service["supportingService"]));
            open = below.filter(|id| !found.services.contains_key(id)).collect();
            open.retain(|id| !level.contains_key(id));
            found.services.extend(level);
        }
        let services = found.services.values();
        let resources = services.flat_map(|service| ids(&service["supportingResource"])).collect();
        found.resources = read_all(world, "resource", resources).await;
        found
    }

    /// The services that products name themselves.
    pub(super) fn named(&self) -> BTreeSet<String> {
        self.products.values().flat_map(|product| ids(&product["realizingService"])).collect()
    }

    /// The picture, with what the network holds under the keys of these orders.
    pub(super) async fn picture(&self, world: &World, sold: &Sold) -> Picture {
        let plain = Plain::of(sold);
        let product = |row: &Value| {
            let characteristics = plain.named(&row["productCharacteristic"]);
            format!(
                "{} {} {characteristics}",
                text(&row["productOffering"]["id"]),
                text(&row["status"])
            )
        };
        let service = |row: &Value| {
            let spec = text(&row["serviceSpecification"]["id"]);
            let characteristics = plain.named(&row["serviceCharacteristic"]);
            format!("{spec} {} {characteristics}", text(&row["state"]))
        };
        let resource = |row: &Value| {
            let spec = text(&row["resourceSpecification"]["id"]);
            let states = (text(&row["resourceStatus"]), text(&row["usageState"]));
            let characteristics = plain.named(&row["resourceCharacteristic"]);
            format!("{spec} {} {} {characteristics}", states.0, states.1)
        };
        let is_ours = |key: &Value| {
            let (order, _) = key.as_str().unwrap_or_default().split_once(':').unwrap_or_default();
            sold.orders.iter().any(|own| own == order)
        };
        let state = world.network.state().await;
        let held = state.iter().filter(|entry| is_ours(&entry["idempotencyKey"]));
        Picture {
            products: sorted(self.products.values().map(product)),
            services: sorted(self.services.values().map(service)),
            resources: sorted(self.resources.values().map(resource)),
            network: sorted(held.map(|entry| plain.held(entry))),
        }
    }
}

impl Picture {
    /// What differs from a picture; empty if both are the same.
    pub(super) fn differences(&self, expected: &Self) -> String {
        let parts = [
            (&self.products, &expected.products),
            (&self.services, &expected.services),
            (&self.resources, &expected.resources),
            (&self.network, &expected.network),
        ];
        let mut told = Vec::new();
        for (found, expected) in parts {
            told.extend(beyond(found, expected).map(|line| format!("  + {line}")));
            told.extend(beyond(expected, found).map(|line| format!("  - {line}")));
        }
        told.join("\n")
    }

    /// Whether the network is as in a picture.
    pub(super) fn same_network(&self, before: &Self) -> Result<(), String> {
        if self.network == before.network {
            return Ok(());
        }
        Err(format!("the network had {:#?}\nand has {:#?}", before.network, self.network))
    }

    /// Whether the network holds nothing of it.
    pub(super) fn holds_nothing(&self) -> Result<(), String> {
        if self.network.is_empty() {
            return Ok(());
        }
        Err(format!("the network has {}", self.network.join(", ")))
    }
}

/// What one list has more of than another.
fn beyond<'a>(one: &'a [String], other: &[String]) -> impl Iterator<Item = &'a String> {
    let mut left: Vec<&String> = other.iter().collect();
    one.iter().filter(move |line| match left.iter().position(|own| own == line) {
        Some(position) => {
            left.remove(position);
            false
        }
        None => true,
    })
}

/// How values are written without what is of one instance alone.
struct Plain {
    orders: Vec<String>,
    /// Texts that were ordered, and so are compared as they are.
    ordered: BTreeSet<String>,
}

impl Plain {
    fn of(sold: &Sold) -> Self {
        let lines = sold.lines();
        let all = lines.iter().flat_map(|line| sold.characteristics(&line.id).into_iter());
        let ordered = all.filter_map(|(_, value)| value.as_str().map(Into::into));
        Self { orders: sold.orders.clone(), ordered: ordered.collect() }
    }

    fn named(&self, list: &Value) -> Value {
        let all = list.as_array().into_iter().flatten();
        all.map(|one| (text(&one["name"]), self.value(&one["value"])))
            .collect::<serde_json::Map<_, _>>()
            .into()
    }

    fn held(&self, entry: &Value) -> String {
        let place = (text(&entry["element"]), text(&entry["collection"]));
        let (id, config) = (self.value(&entry["id"]), self.value(&entry["config"]));
        format!("{}/{}/{id} {} {config}", place.0, place.1, text(&entry["state"]))
    }

    fn value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => self.text(text).into(),
            Value::Array(all) => all.iter().map(|value| self.value(value)).collect(),
            Value::Object(all) => {
                let all = all.iter().map(|(name, value)| (name.clone(), self.value(value)));
                all.collect::<serde_json::Map<_, _>>().into()
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        }
    }

    /// Values of pools and lines have numbers, which differ from one instance to the next.
    fn text(&self, text: &str) -> String {
        if self.ordered.contains(text) {
            return text.into();
        }
        let address = text.split_once('/').map_or(text, |(address, _)| address);
        if address.parse::<IpAddr>().is_ok() {
            return "address".into();
        }
        let mut text = text.to_string();
        for order in &self.orders {
            text = text.replace(order.as_str(), "order");
        }
        let mut plain = String::new();
        for char in text.chars() {
            match char.is_ascii_digit() {
                true if plain.ends_with('#') => {}
                true => plain.push('#'),
                false => plain.push(char),
            }
        }
        plain
    }
}

async fn read_all(world: &World, resource: &str, ids: BTreeSet<String>) -> BTreeMap<String, Value> {
    let rows = ids.into_iter().map(async |id| {
        let row = read(world, resource, &id).await;
        (id, row)
    });
    join_all(rows).await.into_iter().collect()
}

async fn read(world: &World, resource: &str, id: &str) -> Value {
    let path = format!("{}/{id}", tmf::table::path(resource));
    let answer = world.http.send("GET", &path, &[], "").await.unwrap();
    if answer.status == 404 {
        return json!({ "id": id, "state": "is not there", "status": "is not there" });
    }
    assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    answer.body
}

fn ids(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().map(|one| text(&one["id"])).collect()
}

fn sorted(lines: impl Iterator<Item = String>) -> Vec<String> {
    let mut lines: Vec<String> = lines.collect();
    lines.sort();
    lines
}
