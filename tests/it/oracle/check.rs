//! Compares the observed state with the expected one. Each difference is a line.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::observed::{Observed, characteristics, references};
use super::order::{Key, product_id};
use super::pack::{Act, Chars, ELEMENTS, Pack, SITE, Speech, pool};
use super::state::{Field, Slot, State};
use super::written::resource;
use crate::world::text;

/// What things are called that the oracle cannot name: the ids of orders and services, the values of
/// pools. Once seen they must stay.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    /// By the number of the order.
    pub(super) orders: BTreeMap<usize, String>,
    /// By instance, also of those that have ended.
    pub(super) services: BTreeMap<u32, String>,
    /// By instance and step.
    pub(super) taken: BTreeMap<(u32, usize), String>,
}

/// Compares the inventories and the network with a state.
pub(super) fn differences(
    pack: &Pack,
    state: &State,
    names: &mut Names,
    seen: &Observed,
) -> Vec<String> {
    let mut check = Check { pack, state, names, seen, found: Vec::new() };
    check.products();
    check.services();
    check.resources();
    check.network();
    check.found
}

/// What tells an instance apart from others of its specification.
fn part_of(chars: &BTreeMap<String, Value>) -> Option<i64> {
    chars.get("number").or_else(|| chars.get(SITE)).and_then(Value::as_i64)
}

struct Check<'a> {
    pack: &'a Pack,
    state: &'a State,
    names: &'a mut Names,
    seen: &'a Observed,
    found: Vec<String>,
}

impl Check<'_> {
    fn differs(&mut self, what: String) {
        self.found.push(what);
    }

    fn products(&mut self) {
        let mut known = BTreeSet::new();
        for (key, product) in &self.state.products {
            let id = product_id(key, &self.names.orders);
            known.insert(id.clone());
            let Some(document) = self.seen.products.get(&id) else {
                self.differs(format!("product {key:?} is not in the inventory"));
                continue;
            };
            let status = if product.is_suspended { "suspended" } else { "active" };
            self.is(&format!("product {key:?}: status"), &document["status"], &json!(status));
            let place = product.place.as_ref().map_or(Value::Null, |place| json!(place));
            self.is(&format!("product {key:?}: place"), &document["place"][0]["id"], &place);
            self.has_chars(
                &format!("product {key:?}"),
                document,
                "productCharacteristic",
                &product.chars,
            );
            self.parts(key, None, document, "realizingService");
        }
        for key in &self.state.ended {
            let id = product_id(key, &self.names.orders);
            known.insert(id.clone());
            let status = self.seen.products.get(&id).map(|document| text(&document["status"]));
            if status.as_deref() != Some("terminated") {
                self.differs(format!("product {key:?} has ended and is {status:?}"));
            }
        }
        for (id, document) in &self.seen.products {
            let status = text(&document["status"]);
            if !known.contains(id) && !matches!(status.trim(), "aborted" | "cancelled") {
                self.differs(format!("product {id} came of no order and is `{status}`"));
            }
        }
    }

    /// The parts of a product, or of an instance of it, by their references.
    fn parts(&mut self, key: &Key, above: Option<Slot>, document: &Value, attribute: &str) {
        let (pack, state, seen) = (self.pack, self.state, self.seen);
        let wanted = state.wanted(pack, key).expect("it was grown");
        let mut listed: BTreeSet<String> = references(document, attribute).into_iter().collect();
        for (slot, _) in wanted.iter().filter(|(_, wanted)| wanted.above.contains(&above)) {
            let instance = state.products[key].tree[slot];
            let name = &pack.services[slot.0].name;
            let is_it = |id: &&String| {
                seen.services.get(*id).is_some_and(|service| {
                    let chars = characteristics(service, "serviceCharacteristic");
                    text(&service["serviceSpecification"]["id"]) == *name
                        && part_of(&chars) == slot.1
                })
            };
            let Some(id) = listed.iter().find(is_it).cloned() else {
                let whose = format!("{key:?} {}", self.called(above));
                self.differs(format!(
                    "{whose} lists no {} in {attribute}",
                    self.called(Some(*slot))
                ));
                continue;
            };
            listed.remove(&id);
            if self.bind(instance, &id) {
                self.parts(key, Some(*slot), &seen.services[&id], "supportingService");
            }
        }
        for id in listed {
            let what = seen.services.get(&id).map(|one| text(&one["serviceSpecification"]["id"]));
            let whose = format!("{key:?} {}", self.called(above));
            self.differs(format!("{whose} lists {what:?} {id} in {attribute}, and should not"));
        }
    }

    fn called(&self, slot: Option<Slot>) -> String {
        match slot {
            None => "itself".into(),
            Some((service, None)) => self.pack.services[service].name.clone(),
            Some((service, Some(number))) => {
                format!("{} number {number}", self.pack.services[service].name)
            }
        }
    }

    /// Notes the id of an instance. It must stay the same and be unique: then sharing is as
    /// expected.
    fn bind(&mut self, instance: u32, id: &str) -> bool {
        let name = &self.pack.services[self.state.instances[&instance].service].name;
        if let Some(known) = self.names.services.get(&instance).cloned() {
            if known != id {
                let message = format!("{name} of instance {instance} was {known} and is {id} now");
                self.differs(message);
            }
            return known == id;
        }
        let other =
            self.names.services.iter().find(|(_, known)| *known == id).map(|(other, _)| *other);
        if let Some(other) = other {
            let message =
                format!("{name} {id} serves instances {other} and {instance}, which are two");
            self.differs(message);
            return false;
        }
        self.names.services.insert(instance, id.into());
        true
    }

    fn services(&mut self) {
        let mut live = BTreeSet::new();
        for (id, instance) in &self.state.instances {
            let name = &self.pack.services[instance.service].name;
            let Some(service) = self.names.services.get(id).cloned() else {
                continue;
            };
            live.insert(service.clone());
            let Some(document) = self.seen.services.get(&service) else {
                self.differs(format!("{name} {service} is not in the inventory"));
                continue;
            };
            let state = if self.state.is_inactive(*id) { "inactive" } else { "active" };
            self.is(&format!("{name} {service}: state"), &document["state"], &json!(state));
            self.has_chars(
                &format!("{name} {service}"),
                document,
                "serviceCharacteristic",
                &instance.chars,
            );
        }
        for (id, document) in &self.seen.services {
            let state = text(&document["state"]);
            if !live.contains(id) && state != "terminated" {
                let name = text(&document["serviceSpecification"]["id"]);
                self.differs(format!("{name} {id} is `{state}`, and no product uses it"));
            }
        }
    }

    /// Each step that takes a value has one, and no other value is in use.
    fn resources(&mut self) {
        let mut used = BTreeSet::new();
        let mut taken = BTreeMap::new();
        for (id, instance) in &self.state.instances {
            let spec = &self.pack.services[instance.service];
            let Some(service) = self.names.services.get(id).cloned() else { continue };
            let Some(document) = self.seen.services.get(&service) else { continue };
            let mut listed: BTreeSet<String> =
                references(document, "supportingResource").into_iter().collect();
            let mut wanted = Vec::new();
            for step in self.state.steps(self.pack, *id) {
                if let Act::Take { pool: number } = &spec.steps[step].act {
                    wanted.push((Some(step), pool(*number).1));
                }
            }
            if spec.has_resource {
                wanted.push((None, resource(spec)));
            }
            for (step, kind) in wanted {
                let is_it = |id: &&String| {
                    let found = self.seen.resources.get(*id);
                    found.is_some_and(|one| one["resourceSpecification"]["id"] == *kind)
                };
                let Some(one) = listed.iter().find(is_it).cloned() else {
                    self.differs(format!("{} {service} has no {kind}", spec.name));
                    continue;
                };
                listed.remove(&one);
                if !used.insert(one.clone()) {
                    self.differs(format!("{one} is in use twice, by {} {service} too", spec.name));
                }
                if let Some(step) = step {
                    let value = text(&self.seen.resources[&one]["name"]);
                    let known = self.names.taken.get(&(*id, step));
                    if let Some(known) = known.filter(|known| **known != value) {
                        let message =
                            format!("{} {service} had {known}, and has {value} now", spec.name);
                        self.found.push(message);
                    }
                    taken.insert((*id, step), value);
                }
            }
            for one in listed {
                self.differs(format!("{} {service} lists {one}, and should not", spec.name));
            }
        }
        self.names.taken = taken;
        for (id, document) in &self.seen.resources {
            let (status, usage) =
                (text(&document["resourceStatus"]), text(&document["usageState"]));
            let expected =
                if used.contains(id) { ("reserved", "busy") } else { ("available", "idle") };
            if (status.as_str(), usage.as_str()) != expected {
                self.differs(format!("resource {id} is {status} and {usage}, not {expected:?}"));
            }
        }
    }

    /// Each step that tells an element something has its entry there, and nothing else is there.
    fn network(&mut self) {
        let mut expected = BTreeMap::new();
        for (id, instance) in &self.state.instances {
            let Some(service) = self.names.services.get(id) else { continue };
            let steps = &self.pack.services[instance.service].steps;
            let work = self.state.work(self.pack, *id).expect("it is clear");
            for (at, told) in work {
                let Act::Tell { element, .. } = &steps[at].act else { continue };
                // The entry is named after the order and the line that made the instance.
                let place = (
                    ELEMENTS[*element].name.to_string(),
                    self.pack.collection(instance.service, at, *element),
                    service.replacen("-s", "-", 1),
                );
                let mut body: serde_json::Map<String, Value> =
                    told.into_iter().map(|(name, field)| (name, self.value(&field))).collect();
                if ELEMENTS[*element].speech == Speech::JsonRpc {
                    body.insert("id".into(), place.2.clone().into());
                }
                expected.insert(place, Value::Object(body));
            }
        }
        for entry in &self.seen.network {
            let place = (text(&entry["element"]), text(&entry["collection"]), text(&entry["id"]));
            let wanted = expected.remove(&place);
            let is_right = wanted.as_ref() == Some(&entry["config"]) && entry["state"] == "active";
            if !is_right {
                let (is, state) = (&entry["config"], text(&entry["state"]));
                let message = match wanted {
                    Some(wanted) => format!("{place:?} holds {is} ({state}), not {wanted}"),
                    None => format!("{place:?} holds {is} ({state}), and should not"),
                };
                self.found.push(message);
            }
        }
        for (place, body) in expected {
            self.differs(format!("{place:?} does not hold {body}"));
        }
        for repeated in &self.seen.repeated {
            self.found.push(format!("carried out more than once: {repeated}"));
        }
    }

    fn value(&self, field: &Field) -> Value {
        match field {
            Field::Number(number) => json!(number),
            Field::Text(text) => json!(text),
            Field::Nothing => Value::Null,
            Field::Taken(instance, step) => match self.names.taken.get(&(*instance, *step)) {
                Some(value) => json!(value),
                None => json!("a value that is not there"),
            },
        }
    }

    fn is(&mut self, what: &str, found: &Value, expected: &Value) {
        if found != expected {
            self.differs(format!("{what} is {found}, not {expected}"));
        }
    }

    fn has_chars(&mut self, what: &str, document: &Value, attribute: &str, expected: &Chars) {
        let found = characteristics(document, attribute);
        let expected: BTreeMap<String, Value> =
            expected.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        if found != expected {
            self.differs(format!("{what} has {found:?}, not {expected:?}"));
        }
    }
}
