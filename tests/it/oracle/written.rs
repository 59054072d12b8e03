//! A described pack as the files that a server reads.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::pack::{
    Act, ELEMENTS, Edge, Pack, Product, Quantity, Read, SITE, SITES, Scope, Service, Source,
    Speech, Step, When, pool,
};

/// The most that a pool has: more than any history holds at one time, and soon used up if values leak.
const POOL_SIZE: u32 = 60;

/// The name of an entry at an element, as an expression: after the order and line that made it.
const ENTRY: &str = "fulfilment.id + \"-\" + item.line";

/// Writes a pack into a folder of its own.
pub(super) fn write(pack: &Pack, folder: &Path) {
    let folder = folder.join("random");
    std::fs::create_dir_all(&folder).unwrap();
    let write = |name: &str, value: &Value| {
        // JSON is YAML.
        std::fs::write(folder.join(name), format!("{value:#}\n")).unwrap();
    };
    write("pack.yaml", &json!({ "pack": "random" }));
    write("catalog.json", &catalog(pack));
    write("rules.yaml", &rules(pack));
    write("workflows.yaml", &workflows(pack));
    write("pools.yaml", &pools(pack));
}

/// The offering of a product.
pub(super) fn offering(product: &Product) -> String {
    format!("PO-{}", product.name)
}

fn catalog(pack: &Pack) -> Value {
    let products = pack.products.iter();
    let offerings: Vec<Value> = products.clone().map(|product| sold(pack, product)).collect();
    let specifications: Vec<Value> = products.map(|product| specified(pack, product)).collect();
    let services: Vec<Value> =
        pack.services.iter().map(|service| service_specified(pack, service)).collect();
    let pooled = (0..pack.pools).map(|number| pool(number).1);
    let own = pack.services.iter().filter(|service| service.has_resource).map(resource);
    let resources = pooled.chain(own).map(|id| {
        json!({
            "id": id,
            "@type": "LogicalResourceSpecification",
            "name": id,
            "resourceSpecCharacteristic": [{ "name": "v", "valueType": "string" }],
        })
    });
    json!({
        "productOffering": offerings,
        "productSpecification": specifications,
        "serviceSpecification": services,
        "resourceSpecification": resources.collect::<Vec<_>>(),
    })
}

fn sold(pack: &Pack, product: &Product) -> Value {
    let parts = product.parts.iter().map(|part| {
        json!({
            "id": offering(&pack.products[*part]),
            "bundledProductOfferingOption": {
                "numberRelOfferLowerLimit": 0,
                "numberRelOfferUpperLimit": 5,
            },
        })
    });
    let mut body = json!({
        "id": offering(product),
        "name": offering(product),
        "productSpecification": { "id": product.name },
    });
    if !product.parts.is_empty() {
        body["bundledProductOffering"] = parts.collect();
        body["isBundle"] = true.into();
    }
    body
}

fn specified(pack: &Pack, product: &Product) -> Value {
    let chars = product.chars.iter().map(|one| {
        let values = one.values.iter().enumerate();
        let values = values.map(|(at, value)| json!({ "value": value, "isDefault": at == 0 }));
        let values: Value = values.collect();
        json!({ "name": one.name, "valueType": "number", "productSpecCharacteristicValue": values })
    });
    json!({
        "id": product.name,
        "name": product.name,
        "productSpecCharacteristic": chars.collect::<Vec<_>>(),
        "serviceSpecification": edges(pack, &product.edges),
    })
}

fn service_specified(pack: &Pack, service: &Service) -> Value {
    let kind = if service.is_customer_facing { "CustomerFacing" } else { "ResourceFacing" };
    let all = pack.products.iter().map(|product| &product.edges);
    let mut all = all.chain(pack.services.iter().map(|service| &service.edges)).flatten();
    let has_sites = all.any(|edge| {
        let is_of_sites = matches!(edge.quantity, Some(Quantity::SitesBut(_)));
        is_of_sites && pack.services[edge.to].name == service.name
    });
    let names = service.chars.iter().map(String::as_str).chain(has_sites.then_some(SITE));
    let chars = names.map(|name| json!({ "name": name, "valueType": "number" }));
    let relation = |kind: &str, mut to: Value| {
        to["relationshipType"] = kind.into();
        to
    };
    let made = edges(pack, &service.edges).into_iter().map(|to| relation("reliesOn", to));
    let first = service
        .depends
        .iter()
        .map(|other| relation("dependsOn", json!({ "id": pack.services[*other].name })));
    let mut body = json!({
        "id": service.name,
        "@type": format!("{kind}ServiceSpecification"),
        "name": service.name,
        "specCharacteristic": chars.collect::<Vec<_>>(),
        "serviceSpecRelationship": made.chain(first).collect::<Vec<_>>(),
    });
    if service.has_resource {
        body["resourceSpecification"] = json!([{ "id": resource(service) }]);
    }
    body
}

/// The specification of a resource that a service is made of, from no pool.
pub(super) fn resource(service: &Service) -> String {
    format!("RS-{}", service.name)
}

/// References to what edges lead to, each once.
fn edges(pack: &Pack, edges: &[Edge]) -> Vec<Value> {
    let mut names: Vec<&str> =
        edges.iter().map(|edge| pack.services[edge.to].name.as_str()).collect();
    names.dedup();
    names.into_iter().map(|name| json!({ "id": name })).collect()
}

fn rules(pack: &Pack) -> Value {
    let products = pack.products.iter().map(|product| (&product.name, &product.edges));
    let services = pack.services.iter().map(|service| (&service.name, &service.edges));
    let mut decompose = Vec::new();
    for (from, edges) in products.chain(services) {
        decompose.extend(edges.iter().filter_map(|edge| rule(pack, from, edge)));
    }
    let deliver: Vec<Value> =
        pack.services.iter().filter_map(|service| delivery(pack, service)).collect();
    let mut body = json!({ "decompose": decompose, "deliver": deliver });
    if pack.has_hooks {
        body["orders"] = json!({ "before": "intake", "after": "close" });
    }
    body
}

/// The rule about an edge; `None` if the catalog is enough.
fn rule(pack: &Pack, from: &str, edge: &Edge) -> Option<Value> {
    let to = &pack.services[edge.to].name;
    let mut rule = json!({ "rule": format!("{from} to {to}"), "from": from, "to": to });
    let mut is_needed = false;
    if let Some(when) = when(&edge.when) {
        rule["when"] = when.into();
        is_needed = true;
    }
    if let Some(quantity) = &edge.quantity {
        match quantity {
            Quantity::Times(times) => rule["quantity"] = source(times).into(),
            Quantity::SitesBut(but) => {
                let all = format!("{SITES:?}.filter(x, x != {})", source(but));
                rule["for-each"] = all.into();
                rule["characteristics"] = json!({ SITE: "=each" });
            }
        }
        is_needed = true;
    }
    if !edge.maps.is_empty() {
        for (name, from) in &edge.maps {
            rule["characteristics"][name] = value(from);
        }
        is_needed = true;
    }
    is_needed.then_some(rule)
}

fn delivery(pack: &Pack, service: &Service) -> Option<Value> {
    let mut body = json!({ "spec": service.name });
    if !service.steps.is_empty() {
        body["workflow"] = workflow_name(service).into();
    }
    if !service.needs.is_empty() {
        body["needs"] =
            service.needs.iter().map(|other| pack.services[*other].name.clone()).collect();
    }
    body["scope"] = match service.scope {
        Scope::Item => "item",
        Scope::Bundle => "bundle",
        Scope::Order => "order",
        Scope::Place => "place",
        Scope::Customer => "customer",
    }
    .into();
    let is_plain =
        service.steps.is_empty() && service.needs.is_empty() && service.scope == Scope::Item;
    (!is_plain).then_some(body)
}

fn workflow_name(service: &Service) -> String {
    format!("do-{}", service.name.to_lowercase())
}

fn workflows(pack: &Pack) -> Value {
    let with_steps =
        pack.services.iter().enumerate().filter(|(_, service)| !service.steps.is_empty());
    let mut all: Vec<Value> = with_steps
        .map(|(number, service)| {
            let steps = (0..service.steps.len()).map(|at| step(pack, number, at));
            json!({ "workflow": workflow_name(service), "steps": steps.collect::<Vec<_>>() })
        })
        .collect();
    for name in ["intake", "close"] {
        let steps = json!([{ "step": "look", "plugin": "noop", "input": { "a": 1 } }]);
        all.push(json!({ "workflow": name, "steps": steps }));
    }
    json!({ "workflows": all })
}

fn step(pack: &Pack, service: usize, at: usize) -> Value {
    let Step { name, act, when: condition, starts_at_once, rolls_back } =
        &pack.services[service].steps[at];
    let (plugin, input) = match act {
        Act::Take { pool: number } => {
            ("pool-allocator", json!({ "pool": pool(*number).0, "name": "v" }))
        }
        Act::Note { v } => ("noop", json!({ "v": value(v) })),
        Act::Tell { element, body } => match ELEMENTS[*element].speech {
            Speech::Put(path, separator) => {
                ("rest-activator", put(pack, (service, at), *element, (path, separator), body))
            }
            Speech::JsonRpc => ("jsonrpc-activator", called(pack, (service, at), *element, body)),
        },
    };
    let mut body = json!({
        "step": name,
        "plugin": plugin,
        "input": input,
        "timeout": "5s",
        "retry": { "attempts": 4, "first": "20ms", "max": "60ms" },
        "on-failure": if *rolls_back { "roll-back" } else { "hold" },
    });
    if let Some(when) = when(condition) {
        body["when"] = when.into();
    }
    let steps = &pack.services[service].steps;
    let mut needs: Vec<usize> = if *starts_at_once { Vec::new() } else { before(at) };
    needs.extend(own_reads(act).filter(|read| !needs.contains(read)).collect::<Vec<_>>());
    if needs != before(at) {
        body["needs"] = needs.iter().map(|step| steps[*step].name.as_str()).collect();
    }
    body
}

/// What a step waits for that names nothing: the one before it.
fn before(at: usize) -> Vec<usize> {
    at.checked_sub(1).into_iter().collect()
}

/// The steps of the same item whose outputs a step reads.
fn own_reads(act: &Act) -> impl Iterator<Item = usize> + '_ {
    let body = match act {
        Act::Tell { body, .. } => body.as_slice(),
        Act::Take { .. } | Act::Note { .. } => &[],
    };
    body.iter().filter_map(|(_, read)| match read {
        Read::Own(step) => Some(*step),
        Read::Number(_) | Read::Place | Read::Upstream(_) => None,
    })
}

/// The input of a step that tells an element of REST or RESTCONF something.
fn put(
    pack: &Pack,
    (service, at): (usize, usize),
    element: usize,
    (path, separator): (&str, &str),
    body: &[(String, Read)],
) -> Value {
    let collection = pack.collection(service, at, element);
    let path = format!("=\"{path}{collection}{separator}\" + {ENTRY}");
    json!({
        "element": ELEMENTS[element].name,
        "request": { "method": "PUT", "path": path, "body": fields(pack, service, body) },
        "undo": { "method": "DELETE", "path": path },
        "probe": { "method": "GET", "path": path, "holds": "/config" },
        "callbackTimeoutMs": 3_000,
    })
}

/// The same for an element of JSON-RPC.
fn called(
    pack: &Pack,
    (service, at): (usize, usize),
    element: usize,
    body: &[(String, Read)],
) -> Value {
    let thing = pack.collection(service, at, element);
    let id = format!("={ENTRY}");
    let mut params = fields(pack, service, body);
    params.insert("id".into(), id.clone().into());
    json!({
        "element": ELEMENTS[element].name,
        "method": format!("create{thing}"),
        "params": params,
        "change": { "method": format!("update{thing}") },
        "undo": { "method": format!("delete{thing}"), "params": { "id": id } },
        "probe": { "method": format!("get{thing}"), "params": { "id": id }, "holds": "/config" },
        "callbackTimeoutMs": 3_000,
    })
}

fn fields(pack: &Pack, service: usize, body: &[(String, Read)]) -> Map<String, Value> {
    let fields = body.iter().map(|(name, read)| {
        let text = match read {
            Read::Number(from) => return (name.clone(), value(from)),
            Read::Place => "=product.place".to_string(),
            Read::Own(step) => format!("=steps.{}.v", pack.services[service].steps[*step].name),
            Read::Upstream(other) => {
                let other = &pack.services[*other].name;
                format!("=\"{other}\" in upstream ? upstream[\"{other}\"].v : \"none\"")
            }
        };
        (name.clone(), text.into())
    });
    fields.collect()
}

fn pools(pack: &Pack) -> Value {
    let pools = (0..pack.pools).map(|number| {
        let (name, resource) = pool(number);
        json!({
            "pool": name,
            "resource": resource,
            "characteristic": "v",
            "values": format!("p{number}-{{1..{POOL_SIZE}}}"),
        })
    });
    json!({ "pools": pools.collect::<Vec<_>>() })
}

fn when(when: &When) -> Option<String> {
    match when {
        When::Always => None,
        When::Equals(from, value) => Some(format!("{} == {value}", source(from))),
    }
}

fn source(from: &Source) -> String {
    match from {
        Source::Fixed(value) => value.to_string(),
        Source::Item(name) => format!("item.char.{name}"),
        Source::Product(name) => format!("product.char.{name}"),
    }
}

fn value(from: &Source) -> Value {
    match from {
        Source::Fixed(value) => json!(value),
        Source::Item(_) | Source::Product(_) => format!("={}", source(from)).into(),
    }
}
