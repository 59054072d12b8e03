//! What the server and the elements say, as far as the oracle has an opinion of it.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::world::{World, text};

/// The inventories and the network at one time.
#[derive(Clone, Debug, Default)]
pub(super) struct Observed {
    pub(super) products: BTreeMap<String, Value>,
    pub(super) services: BTreeMap<String, Value>,
    pub(super) resources: BTreeMap<String, Value>,
    /// What the elements hold.
    pub(super) network: Vec<Value>,
    /// Writes at elements that were carried out more than once under one key.
    pub(super) repeated: Vec<String>,
}

/// How an order was carried out.
#[derive(Clone, Debug, Default)]
pub(super) struct Plan {
    pub(super) items: Vec<Item>,
    pub(super) tasks: Vec<Task>,
    /// The states of the items of the three orders, with their ids.
    pub(super) states: Vec<(String, String)>,
}

#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) name: String,
    /// The id of its service; empty for a product.
    pub(super) service: String,
    pub(super) action: String,
    pub(super) chars: BTreeMap<String, Value>,
}

/// A task with the places in the journal at which it began and was done.
#[derive(Clone, Debug)]
pub(super) struct Task {
    pub(super) name: String,
    /// The id of the service of its item; empty where it is for none.
    pub(super) service: String,
    pub(super) step: String,
    pub(super) began: usize,
    pub(super) done: usize,
    /// The time at which it began, as the journal has it; empty if it never did.
    pub(super) at: String,
    /// Whether it was done, and not undone after.
    pub(super) stands: bool,
}

impl Observed {
    pub(super) async fn read(world: &World) -> Self {
        let mut read = Vec::new();
        for resource in ["product", "service", "resource"] {
            let rows = world.http.list(tmf::table::path(resource)).await;
            let rows = rows.into_iter().map(|row| (text(&row["id"]), row));
            read.push(rows.collect::<BTreeMap<String, Value>>());
        }
        let [products, services, resources] = <[_; 3]>::try_from(read).expect("three were read");
        let network = world.network.state().await;
        let effects = world.network.effects().await.into_iter();
        let repeated =
            effects.filter(|effect| effect.applied > 1).map(|effect| format!("{effect:?}"));
        Self { products, services, resources, network, repeated: repeated.collect() }
    }
}

impl Plan {
    /// Reads how a completed order was carried out.
    pub(super) async fn read(world: &World, id: &str) -> Self {
        let path = format!("/orchestration/v1/fulfilments/{id}?journal=true");
        let fulfilment = world.http.get(&path).await;
        let mut states = Vec::new();
        let mut services: BTreeMap<String, String> = BTreeMap::new();
        for (resource, name) in
            [("productOrder", "productOrderItem"), ("serviceOrder", "serviceOrderItem")]
        {
            let path = format!("{}/{id}", tmf::table::path(resource));
            let answer = world.http.send("GET", &path, &[], "").await.unwrap();
            if answer.status == 404 {
                continue;
            }
            states.push((resource.to_string(), text(&answer.body["state"])));
            for item in crate::world::items_of(&answer.body, name) {
                states
                    .push((format!("{resource} item {}", text(&item["id"])), text(&item["state"])));
                if resource == "serviceOrder" {
                    services.insert(text(&item["id"]), text(&item["service"]["id"]));
                }
            }
        }
        let items: Vec<Item> = array(&fulfilment["items"])
            .iter()
            .map(|item| {
                let is_service = item["level"] != "product";
                let service = services.get(&text(&item["line"])).filter(|_| is_service);
                Item {
                    name: text(&item["name"]),
                    service: service.cloned().unwrap_or_default(),
                    action: text(&item["action"]),
                    chars: fields(&item["characteristics"]),
                }
            })
            .collect();
        let tasks = tasks(&fulfilment, &items);
        Self { items, tasks, states }
    }
}

fn tasks(fulfilment: &Value, items: &[Item]) -> Vec<Task> {
    let records = array(&fulfilment["journal"]).iter();
    let events = records.flat_map(|record| {
        array(&record["events"]).iter().map(|event| (text(&record["at"]), event))
    });
    let events: Vec<(String, &Value)> = events.collect();
    let tasks = array(&fulfilment["tasks"]).iter().map(|task| {
        let of_it = |kinds: &'static [&'static str]| {
            let events = events.iter().enumerate();
            events.filter(move |(_, (_, event))| {
                event["taskId"] == task["id"]
                    && kinds.contains(&event["type"].as_str().unwrap_or(""))
            })
        };
        let began = of_it(&["started", "waiting", "succeeded"]).next();
        let done = of_it(&["succeeded"]).next_back();
        let last = of_it(&["succeeded", "undone"]).next_back();
        let item = items.iter().find(|item| item.name == text(&task["item"]));
        Task {
            name: text(&task["name"]),
            service: item.map(|item| item.service.clone()).unwrap_or_default(),
            step: text(&task["step"]),
            began: began.map_or(usize::MAX, |(at, _)| at),
            done: done.map_or(usize::MAX, |(at, _)| at),
            at: began.map(|(_, (at, _))| at.clone()).unwrap_or_default(),
            stands: last.is_some_and(|(_, (_, event))| event["type"] == "succeeded"),
        }
    });
    tasks.collect()
}

pub(super) fn array(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn fields(value: &Value) -> BTreeMap<String, Value> {
    let fields = value.as_object().into_iter().flatten();
    fields.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Characteristics as a document has them.
pub(super) fn characteristics(document: &Value, attribute: &str) -> BTreeMap<String, Value> {
    let entries = array(&document[attribute]).iter();
    entries.map(|entry| (text(&entry["name"]), entry["value"].clone())).collect()
}

/// The ids of a list of references.
pub(super) fn references(document: &Value, attribute: &str) -> Vec<String> {
    array(&document[attribute]).iter().map(|reference| text(&reference["id"])).collect()
}
