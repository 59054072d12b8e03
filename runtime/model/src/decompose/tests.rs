//! Each test is a catalog, rules and an order as text, and the plan that they give.

mod agreed;
mod bad_orders;
mod bad_rules;
mod examples;
mod existing;
mod golden;
mod installed;
pub(crate) mod played;
mod relations;
mod rules;
mod scopes;
mod several;
mod shared;
mod size;

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use tmf::document::Characteristics;

use super::*;
use crate::pack::{FILES, Pack, PackFiles};
use crate::plan::Level;

/// The plan of an order as text, or why there is none.
fn play(catalog: &str, rules: &str, order: &str) -> String {
    match decomposed(catalog, rules, order, &Answers::new()) {
        Ok(plan) => plan.to_string(),
        Err(Blocked::Failure(failure)) => refusal(&failure),
        Err(Blocked::Questions(questions)) => format!("asks {questions:?}"),
        Err(Blocked::Lookups(lookups)) => format!("looks up {lookups:?}"),
    }
}

/// Decides with the answers of plugins to questions of these keys.
fn answered(
    given: &[(&str, Vec<Production>)],
    decide: impl Fn(&Answers) -> Result<Plan, Blocked>,
) -> Result<Plan, Blocked> {
    let mut answers = Answers::new();
    loop {
        match decide(&answers) {
            Err(Blocked::Questions(questions)) => {
                for question in questions {
                    let answer = given.iter().find(|(key, _)| *key == question.key);
                    let (_, made) = answer.unwrap_or_else(|| panic!("{question:?} is asked"));
                    answers.insert(question, made.clone());
                }
            }
            decided => return decided,
        }
    }
}

/// The services of a plan, a line each, as `X#2 of A#2 with speed=1 needs Y`.
fn outline(plan: &Plan) -> Vec<String> {
    let names = |items: &[crate::ItemId]| -> String {
        let names = items.iter().map(|item| plan.items[item.index()].name.as_str());
        names.collect::<Vec<_>>().join(", ")
    };
    let services = plan.items.iter().filter(|item| item.level != Level::Product);
    let lines = services.map(|item| {
        let mut line = item.name.clone();
        if item.action != crate::plan::Action::Add {
            line = format!("{} {line}", item.action.as_str());
        }
        line.push_str(&format!(" of {}", names(&item.parents)));
        let values: Vec<String> =
            item.characteristics.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !values.is_empty() {
            line.push_str(&format!(" with {}", values.join(" ")));
        }
        if !item.needs.is_empty() {
            line.push_str(&format!(" needs {}", names(&item.needs)));
        }
        line
    });
    lines.collect()
}

fn refusal(failure: &Failure) -> String {
    format!("{:?} {}: {}", failure.class, failure.code, failure.message)
}

fn decomposed(catalog: &str, rules: &str, order: &str, answers: &Answers) -> Result<Plan, Blocked> {
    let document = document(order);
    let order = Order::parse(Level::Product, &document).unwrap();
    decompose(&order, &document, &rulebook(catalog, rules), answers)
}

/// A rulebook of one pack. A line of the catalog is a specification with what it relies on and
/// what is delivered before it, `P product: A, B after C; speed number 100 200 default 100`, or an
/// offering, `O offers P` and `B bundles O 1..1, Q 0..2`. Services of the network are delivered by the
/// workflow `do` unless the rules name another.
pub(crate) fn rulebook(catalog: &str, rules: &str) -> Rulebook {
    rulebook_with(catalog, rules, WORKFLOWS)
}

/// The workflows of the rulebooks here.
const WORKFLOWS: &str = "
workflows:
  - workflow: do
    steps:
      - { step: do, plugin: noop }
  - workflow: check
    steps:
      - { step: check, plugin: noop }
  - workflow: twice
    steps:
      - { step: first, plugin: noop, when: product.char.fast == false }
      - { step: second, plugin: noop, not-before: product.char.date }
";

/// The same with other workflows.
pub(crate) fn rulebook_with(catalog: &str, rules: &str, workflows: &str) -> Rulebook {
    let mut rules = rules.to_string();
    let lines = catalog.lines().map(str::trim).filter(|line| !line.is_empty());
    let (mut file, mut deliver) = (json!({}), String::from("\ndeliver:\n"));
    for line in lines {
        let (resource, entity) = entity(line);
        if entity["@type"] == "ResourceFacingServiceSpecification" {
            let id = entity["id"].as_str().unwrap();
            deliver.push_str(&format!("  - {{ spec: {id}, workflow: do }}\n"));
        }
        if file[resource].is_null() {
            file[resource] = json!([]);
        }
        file[resource].as_array_mut().unwrap().push(entity);
    }
    if !rules.contains("deliver:") {
        rules.push_str(&deliver);
    }
    let files = [
        ("pack.yaml", "pack: play".to_string()),
        ("catalog.json", file.to_string()),
        ("rules.yaml", rules),
        ("workflows.yaml", workflows.to_string()),
    ];
    let files = files.into_iter().map(|(name, text)| (name.to_string(), text)).collect();
    let pack = Pack::parse(&PackFiles(files)).unwrap_or_else(|found| {
        panic!("{}", found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    });
    Rulebook::new([pack]).unwrap()
}

fn entity(line: &str) -> (&'static str, Value) {
    let ids = |text: &str| -> Vec<Value> {
        let ids = text.split(", ").map(str::trim).filter(|id| !id.is_empty());
        ids.map(|id| json!({ "id": id })).collect()
    };
    let (head, characteristics) = line.split_once("; ").unwrap_or((line, ""));
    let (id, rest) = head.split_once(' ').unwrap();
    if let Some(spec) = rest.strip_prefix("offers ") {
        let (spec, status) = spec.split_once(' ').unwrap_or((spec, "Active"));
        let spec = json!({ "id": spec });
        let entity = json!({ "id": id, "name": id, "lifecycleStatus": status, "productSpecification": spec });
        return ("productOffering", entity);
    }
    if let Some(bundled) = rest.strip_prefix("bundles ") {
        let bundled = bundled.split(", ").map(|bundled| {
            let (id, limits) = bundled.split_once(' ').unwrap();
            let (min, max) = limits.split_once("..").unwrap();
            let limit = |text: &str| text.parse::<u64>().unwrap();
            json!({ "id": id, "bundledProductOfferingOption": {
                "numberRelOfferLowerLimit": limit(min), "numberRelOfferUpperLimit": limit(max),
            } })
        });
        let bundled: Vec<Value> = bundled.collect();
        let entity = json!({ "id": id, "name": id, "bundledProductOffering": bundled });
        return ("productOffering", entity);
    }
    let (rest, before) = rest.split_once(" after ").unwrap_or((rest, ""));
    let (kind, below) = rest.split_once(": ").unwrap_or((rest, ""));
    let related = |kind: &str, id: &Value| json!({ "relationshipType": kind, "id": id["id"] });
    let mut relations: Vec<Value> = ids(before).iter().map(|id| related("dependsOn", id)).collect();
    let characteristics: Vec<Value> = characteristics
        .split("; ")
        .filter(|text| !text.is_empty())
        .map(|text| characteristic(text, kind))
        .collect();
    match kind {
        "product" => {
            let entity = json!({ "id": id, "name": id, "serviceSpecification": ids(below),
                "productSpecCharacteristic": characteristics });
            ("productSpecification", entity)
        }
        "resource" => ("resourceSpecification", json!({ "id": id, "name": id })),
        _ => {
            relations.extend(ids(below).iter().map(|id| related("reliesOn", id)));
            let kind = if kind == "service" { "Customer" } else { "Resource" };
            let entity = json!({ "id": id, "name": id, "serviceSpecRelationship": relations,
                "@type": format!("{kind}FacingServiceSpecification"),
                "specCharacteristic": characteristics });
            ("serviceSpecification", entity)
        }
    }
}

/// `speed number 100 200..300 default 100 required`
fn characteristic(text: &str, kind: &str) -> Value {
    let values = if kind == "product" {
        "productSpecCharacteristicValue"
    } else {
        "characteristicValueSpecification"
    };
    let mut words = text.split(' ');
    let (name, value_type) = (words.next().unwrap(), words.next().unwrap());
    let mut allowed: Vec<Value> = Vec::new();
    let mut required = 0;
    while let Some(word) = words.next() {
        match word.split_once("..") {
            Some((from, to)) => {
                allowed.push(json!({ "valueFrom": scalar(from), "valueTo": scalar(to) }));
            }
            None if word == "required" => required = 1,
            None if word == "default" => {
                allowed.push(json!({ "value": scalar(words.next().unwrap()), "isDefault": true }));
            }
            None => allowed.push(json!({ "value": scalar(word) })),
        }
    }
    json!({ "name": name, "valueType": value_type, "minCardinality": required, values: allowed })
}

/// An order as TM Forum writes it. A line of the text is a line of the order, `1 add O`, with
/// `spec:P`, `at:PLACE`, `in:BUNDLE`, `on:LINE`, `x3` and characteristics `speed=100`.
pub(crate) fn document(order: &str) -> Value {
    let lines = order.lines().map(str::trim).filter(|line| !line.is_empty());
    let items = lines.map(|line| {
        let mut words = line.split(' ');
        let (id, action) = (words.next().unwrap(), words.next().unwrap());
        let mut item = json!({ "id": id, "action": action, "product": {} });
        let (mut characteristics, mut related) = (Vec::new(), Vec::new());
        for word in words {
            if let Some((name, value)) = word.split_once('=') {
                characteristics.push(json!({ "name": name, "value": scalar(value) }));
            } else if let Some((name, value)) = word.split_once(':') {
                match name {
                    "id" => item["product"]["id"] = json!(value),
                    "status" => item["product"]["status"] = json!(value),
                    "spec" => item["product"]["productSpecification"] = json!({ "id": value }),
                    "at" => item["product"]["place"] = json!([{ "id": value }]),
                    "in" | "on" => {
                        let kind = if name == "in" { "bundledBy" } else { "reliesOn" };
                        related.push(json!({ "relationshipType": kind, "id": value }));
                    }
                    _ => panic!("cannot read `{word}`"),
                }
            } else if let Some(count) = word.strip_prefix('x') {
                item["quantity"] = scalar(count);
            } else {
                item["productOffering"] = json!({ "id": word });
            }
        }
        item["product"]["productCharacteristic"] = json!(characteristics);
        if !related.is_empty() {
            item["productOrderItemRelationship"] = json!(related);
        }
        item
    });
    json!({ "externalId": "e-1", "productOrderItem": items.collect::<Vec<_>>() })
}

/// A number, a truth or, where it is neither, a text.
fn scalar(text: &str) -> Value {
    match serde_json::from_str(text) {
        Ok(value @ (Value::Number(_) | Value::Bool(_))) => value,
        _ => json!(text),
    }
}

/// The folder with a pack for each product, as they are shipped.
fn workflows() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../workflows")
}

/// The rulebook of packs that are shipped.
pub(crate) fn shipped(packs: &[&str]) -> Rulebook {
    let packs = packs.iter().map(|pack| {
        let read = |file: &&str| {
            let text = std::fs::read_to_string(workflows().join(pack).join(file)).ok()?;
            Some(((*file).to_string(), text))
        };
        let files = PackFiles(FILES.iter().filter_map(read).collect());
        Pack::parse(&files).unwrap_or_else(|found| {
            let found: Vec<_> = found.iter().map(ToString::to_string).collect();
            panic!("{pack}:\n{}", found.join("\n"))
        })
    });
    Rulebook::new(packs).unwrap()
}

fn read(path: &Path) -> Value {
    let text =
        std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn plan_of(document: &Value, rulebook: &Rulebook) -> Result<Plan, Blocked> {
    let order = Order::parse(Level::Product, document).unwrap();
    decompose(&order, document, rulebook, &Answers::new())
}
