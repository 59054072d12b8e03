//! The requests of the walk: for each route its paths, queries and bodies, with the ids of what the client
//! has and of what is hidden from it.

use model::Digest;
use serde_json::{Value, json};
use tmf::resource::Resource;
use tmf::table;
use tmf::version::Version;

use super::planted::{self, Ids, KEY, POOL, id_of, plugin_of};
use crate::http::permits::Route;
use crate::http::resources;

/// A request.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    /// The method with the path and the query.
    pub(super) line: String,
    pub(super) body: String,
    pub(super) idempotency_key: Option<&'static str>,
    /// Whether it has a tag that no document has.
    pub(super) is_stale: bool,
}

/// Queries that ask for what is hidden.
const QUERIES: [&str; 8] = [
    "",
    "?dealer=B",
    "?description.regex=MARK",
    "?fields=name&sort=-name&limit=1",
    "?limit=1",
    "?relatedParty.id=MARK-customer",
    "?relatedParty.id=OWN-customer",
    "?filter=$[?(@.dealer=='B')]",
];

/// The requests of a route about what a dealer has.
pub(super) fn of(route: &Route, dealer: &str, ids: &Ids) -> Vec<Asked> {
    let is_read = route.method == "GET";
    let is_list = is_read && !route.path.contains("{id}");
    let queries = match (is_list, route.path.as_str()) {
        (true, _) => &QUERIES[..],
        (false, path) if path.ends_with("/pools/{id}/values") => &QUERIES[..5],
        (false, _) => &QUERIES[..1],
    };
    let mut all = Vec::new();
    for path in paths(route, dealer, ids) {
        for query in queries {
            let line = format!("{} {path}{query}", route.method);
            let bodies = if is_read { vec![String::new()] } else { bodies(route, &path) };
            all.extend(bodies.into_iter().map(|body| {
                let line = line.clone();
                Asked { line, body, ..Asked::default() }
            }));
        }
    }
    if route.method == "POST" {
        let ends = [all.first().cloned(), all.last().cloned()];
        let keyed = |one| Asked { idempotency_key: Some(KEY), ..one };
        all.extend(ends.into_iter().flatten().map(keyed));
    }
    all
}

/// Lists whose ids the server chooses.
const MADE: [&str; 4] = ["/hub", "/subscriptions", "/keys", "/sessions"];

/// The keys of what a path with an id may lead to.
fn keys(path: &str) -> &'static [&'static str] {
    match path {
        path if path.contains("{resource}") => {
            &["product", "customer", "productOffering", "serviceOrder", "quote"]
        }
        path if path.contains("{order}") => &["productOrder", "serviceOrder", "resourceOrder"],
        path if path.contains("/runs/{id}") && !path.contains("billing") => &["run"],
        path if path.contains("/fulfilments/") || path.contains("processFlow") => {
            &["productOrder", "serviceOrder", "resourceOrder", "run"]
        }
        path if path.contains("/customers/") => &["customer"],
        path if path.contains("/persons/") => &["individual"],
        path if path.contains("/quotes/") => &["quote"],
        path if path.contains("/billing/runs/") => &["billRun"],
        path if path.contains("/bills/") => &["customerBill"],
        path if path.contains("/imports/") => &["import"],
        path if path.contains("/quarantine/") => &["aside"],
        path if path.contains("/reconciliations/") => &["reconciliation"],
        path if path.contains("/reservations/") => &["reserveProductStock"],
        path if path.contains("/topic/") => &["topic"],
        path if path.ends_with("/scratch/{key...}") => &["scratch"],
        _ => &[""],
    }
}

/// The paths of a route for what a dealer has.
fn paths(route: &Route, dealer: &str, ids: &Ids) -> Vec<String> {
    let path = route.path.as_str();
    let before = |piece: &str| path.split(&format!("/{piece}")).next().unwrap_or_default();
    let named = |key: &str| {
        let pieces = path.split('/').map(|piece| match piece {
            "{resource}" | "{order}" => key.to_owned(),
            "{name}" => "six-steps".into(),
            "{task}" => "six-steps.s1".into(),
            "{taskFlowId}" => "s1".into(),
            "{step}" => "validate".into(),
            "{number}" if path.contains("findings") => "1".into(),
            "{number}" => "622".into(),
            "{sequence}" if path.contains("audit") => "1".into(),
            "{sequence}" => "0".into(),
            "{plugin}" => plugin_of(dealer),
            "{address}" => format!("{}:0.token", id_of(dealer, "run")),
            "{key...}" if path.contains("callbacks") => "answer%2F0".into(),
            "{id}" if before(piece).ends_with("/plugins") => plugin_of(dealer),
            "{id}" if before(piece).ends_with("/pools") => POOL.into(),
            "{id}" if MADE.iter().any(|made| before(piece).ends_with(made)) => {
                ids.get(before(piece)).cloned().unwrap_or_default()
            }
            piece if piece.starts_with('{') && key.is_empty() => {
                // A document of the standard: its resource stands before it.
                id_of(dealer, named(path).map_or("nothing", planted::name_of))
            }
            piece if piece.starts_with('{') => id_of(dealer, key),
            piece => piece.to_owned(),
        });
        pieces.collect::<Vec<_>>().join("/")
    };
    if route.method == "PUT" && path.ends_with("/imports/{id}") {
        // A name that is taken is refused, by whatever it is taken.
        return vec![format!("{}?resource=product", path.replace("{id}", "first"))];
    }
    let all = keys(path).iter().map(|key| named(key));
    // Not all have an id of the server.
    all.filter(|path| !path.ends_with('/') && !path.contains("//")).collect()
}

/// The resource of the standard that a path is of.
fn named(path: &str) -> Option<&'static Resource> {
    let pieces: Vec<&str> = path.split('/').filter(|piece| !piece.is_empty()).collect();
    let ["tmf-api", api, version, name, ..] = pieces.as_slice() else { return None };
    Some(resources::find(api, Version::parse(version)?, name)?.resource)
}

/// The bodies of a request that changes something: of the client, of the other dealer, and with references
/// to what either has.
fn bodies(route: &Route, path: &str) -> Vec<String> {
    if route.method == "DELETE" {
        return vec![String::new()];
    }
    let own = path.strip_prefix("/orchestration/v1/");
    let all = match (own, named(path)) {
        (Some(own), _) => own_bodies(own),
        (None, Some(resource)) if route.method == "POST" => new_bodies(resource),
        (None, Some(_)) => {
            let references = ["OWN", "MARK"].map(references);
            let changes = [json!({ "dealer": "A", "name": "x" }), json!({ "dealer": "B" })];
            changes.into_iter().chain(references).collect()
        }
        // A hub, or an event of a topic.
        (None, None) => vec![
            json!({ "callback": "http://127.0.0.1:9/OWN", "dealer": "A" }),
            json!({ "callback": "http://127.0.0.1:9/MARK", "dealer": "A" }),
        ],
    };
    let all: Vec<String> = all.iter().map(Value::to_string).collect();
    if all.is_empty() { vec![String::new()] } else { all }
}

/// References to what a dealer has, by the names of attributes.
fn references(whose: &str) -> Value {
    let to = |key: &str| json!({ "id": format!("{whose}-{key}"), "@referredType": key });
    json!({
        "dealer": "A",
        "billingAccount": to("billingAccount"),
        "engagedParty": to("individual"),
        "relatedParty": [to("customer")],
        "product": [to("product")],
        "productRelationship": [{ "relationshipType": "reliesOn", "product": to("product") }],
        "serviceRelationship": [{ "relationshipType": "reliesOn", "service": to("service") }],
        "resourceRelationship": [{ "relationshipType": "reliesOn", "resource": to("resource") }],
        "productOffering": to("productOffering"),
        "place": [to("geographicAddress")],
    })
}

/// Bodies of a new document: with what is mandatory, and references to what either dealer has.
fn new_bodies(resource: &Resource) -> Vec<Value> {
    let mut all = Vec::new();
    for whose in ["OWN", "MARK"] {
        all.push(whole(resource, whose, references(whose)));
        if is_order(resource.key) {
            all.extend(orders(resource.key, whose));
        }
    }
    for dealer in ["A", "B"] {
        all.push(whole(resource, "OWN", json!({ "dealer": dealer, "name": "x" })));
    }
    all
}

/// A body with what is mandatory.
fn whole(resource: &Resource, whose: &str, mut body: Value) -> Value {
    let to = |key: &str| json!({ "id": format!("{whose}-{key}") });
    let item = json!([{
        "id": "1", "action": "add",
        "product": { "productOffering": { "id": "PO-SF200H" }, "place": [{ "id": "ADDR-1" }] },
        "productOffering": { "id": "PO-SF200H" },
        "service": { "serviceSpecification": { "id": "CFS-1" }, "place": [{ "id": "ADDR-1" }] },
        "resource": { "resourceSpecification": { "id": "RS-1" } },
        "productStockTarget": to("productStock"),
        "productStockRequested": to("productStock"),
        "checkedProductStock": to("productStock"),
        "quantityRequested": { "amount": 1.0 },
        "requestedProduct": { "productOffering": { "id": "PO-SF200H" } },
        "adjustType": "increase",
        "productStockLevelToAdjust": { "amount": 1.0 },
        "checkedProduct": { "productOffering": { "id": "PO-SF200H" } },
    }]);
    for name in resource.mandatory {
        if body.get(name).is_some() {
            continue;
        }
        body[*name] = match *name {
            name if name.ends_with("Item") => item.clone(),
            "productOrder" | "serviceOrder" | "resourceOrder" => to(name),
            "engagedParty" => to("individual"),
            "relatedParty" => json!([to("customer")]),
            "serviceSpecification" => json!({ "id": "CFS-1" }),
            "searchCriteria" | "stockedProduct" | "productStockLevel" => json!({ "amount": 1.0 }),
            "state" | "status" => "active".into(),
            "processFlowSpecification" => "six-steps".into(),
            "url" => "http://127.0.0.1:9/file".into(),
            _ => "x".into(),
        };
    }
    if resource.key == "individual" {
        body["contactMedium"] = planted::contact();
    }
    body
}

fn is_order(key: &str) -> bool {
    ["productOrder", "serviceOrder", "resourceOrder"].contains(&key)
}

/// Orders about what a dealer has: its instances, orders and quotes.
fn orders(key: &str, whose: &str) -> Vec<Value> {
    let (subject, items) = (key.trim_end_matches("Order"), format!("{key}Item"));
    let to = |key: &str| json!({ "id": format!("{whose}-{key}"), "@referredType": key });
    let order = |item: Value| {
        let mut order = json!({ "dealer": "A", "relatedParty": [{ "id": "OWN-customer", "role": "Customer" }] });
        order[items.as_str()] = json!([item]);
        order
    };
    let add = json!({
        "id": "1", "action": "add",
        "productOffering": { "id": "PO-SF200H" },
        "product": { "place": [{ "id": "ADDR-1", "role": "installation" }] },
        "service": { "serviceSpecification": { "id": "CFS-1" } },
        "resource": { "resourceSpecification": { "id": "RS-1" } },
    });
    let about = |action: &str| {
        let mut item = json!({ "id": "1", "action": action });
        item[subject] = to(subject);
        order(item)
    };
    let mut related = add.clone();
    related[subject][format!("{subject}Relationship")] =
        json!([{ "relationshipType": "reliesOn", "id": format!("{whose}-{subject}") }]);
    let mut after = order(add.clone());
    after["orderRelationship"] =
        json!([{ "relationshipType": "dependency", "id": format!("{whose}-{key}") }]);
    let mut quoted = order(add.clone());
    quoted["quote"] = json!([to("quote")]);
    let mut paid = order(add);
    paid["billingAccount"] = to("billingAccount");
    vec![about("modify"), about("delete"), about("noChange"), order(related), after, quoted, paid]
}

/// Bodies of our own API, by the path of a request.
fn own_bodies(path: &str) -> Vec<Value> {
    let pieces: Vec<&str> = path.split('/').collect();
    let both = |body: fn(&str) -> Value| ["OWN", "MARK"].map(body).into();
    match pieces.as_slice() {
        ["workflows", ..] => vec![json!({ "dealer": "A" }), json!({ "dealer": "B" })],
        ["simulate", key] => {
            let Some((_, resource)) = table::of_key(key) else { return Vec::new() };
            new_bodies(resource)
        }
        ["fulfilments", _, "complete"] => vec![json!({ "task": "six-steps.s1" })],
        ["fulfilments", _, "giveUp"] => {
            vec![json!({ "task": "six-steps.s1" }), json!({ "item": "1" })]
        }
        ["plugins", _, "moves"] => {
            let from = Digest::of(b"patient");
            vec![json!({ "from": from, "to": "0", "dryRun": true })]
        }
        ["pools", ..] => both(|whose| json!({ "value": format!("{whose}-value") })),
        ["keys"] => vec![json!({ "name": "x", "roles": ["dealer"] })],
        ["imports", ..] => vec![
            json!({ "id": "imported", "dealer": "A", "name": "x", "status": "active" }),
            json!({ "id": "other", "dealer": "B", "name": "x", "status": "active" }),
        ],
        ["customers", _, "interactions"] => vec![json!({ "description": "x" })],
        ["customers", _, "merge"] => {
            both(|whose| json!({ "duplicate": format!("{whose}-customer") }))
        }
        ["billing", "runs"] => vec![
            json!({ "billingAccount": { "id": "MARK-billingAccount" } }),
            json!({ "billingAccount": { "id": "OWN-billingAccount" } }),
            json!({}),
        ],
        ["billing", "payments"] => {
            both(|whose| json!({ "bill": bill(whose), "amount": { "unit": "EUR", "value": 1 } }))
        }
        ["billing", "adjustments"] => both(
            |whose| json!({ "bill": bill(whose), "amount": { "unit": "EUR", "value": 1 }, "reason": "x" }),
        ),
        ["billing", "write-offs"] => both(|whose| json!({ "bill": bill(whose) })),
        ["reconciliations"] => {
            both(|whose| json!({ "service": { "id": format!("{whose}-service") } }))
        }
        _ => Vec::new(),
    }
}

fn bill(whose: &str) -> Value {
    json!({ "id": format!("{whose}-customerBill") })
}
