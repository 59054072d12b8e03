//! Each test is a question in the terms of the standards, with its answer as a table.

mod configure;
mod launch;
mod price;
mod properties;
mod qualify;
mod quote;
mod sold;
mod tax;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::configure::Configuration;
use super::{
    Facts, Policy, QuoteError, Standing, Unanswered, deliverable, is_from_elsewhere, unread,
};
use model::decompose::Answers;
use model::decompose::charges::charges;
use model::id::{PoolId, SpecId};
use model::order::{Form, Order, OrderError};
use model::pack::{FILES, Pack, PackFiles};
use model::pricing::charge::{Alteration, Charge};
use model::pricing::total::totals;
use model::rulebook::Rulebook;
use tmf::QuoteState;
use tmf::document::order_request::ProductOrderRequest;
use tmf::document::quote::Quote;
use tmf::document::{read, write};
use tmf::time::Timestamp;

/// Reads a request, which is well formed.
fn typed<T: serde::de::DeserializeOwned>(request: &Value) -> T {
    read(request).unwrap()
}

fn configure_quote(
    request: &Value,
    rulebook: &Rulebook,
    at: Timestamp,
) -> Result<Configuration<Quote>, OrderError> {
    super::configure(typed(request), rulebook.catalog(), at)
}

fn create(
    request: &Value,
    rulebook: &Rulebook,
    policy: &Policy,
    now: Timestamp,
) -> Result<Value, QuoteError> {
    super::create(typed(request), rulebook, policy, now).map(|quote| write(&quote))
}

fn patched(
    before: &Value,
    after: &Value,
    rulebook: &Rulebook,
    policy: &Policy,
    now: Timestamp,
) -> Result<Value, QuoteError> {
    let quote = super::patched(typed(before), typed(after), rulebook, policy, now);
    quote.map(|quote| write(&quote))
}

fn next_version(
    quote: &Value,
    rulebook: &Rulebook,
    policy: &Policy,
    now: Timestamp,
) -> Result<Value, QuoteError> {
    super::next_version(&typed(quote), rulebook, policy, now).map(|quote| write(&quote))
}

fn needs_approval(quote: &Value, policy: &Policy) -> Vec<String> {
    super::needs_approval(&typed(quote), policy)
}

fn order_of(quote: &Value) -> Result<Value, QuoteError> {
    super::order_of(&typed(quote)).map(|order| write(&order))
}

fn unbacked(order: &Value, quote: &Value) -> Vec<String> {
    super::unbacked(&typed(order), &typed(quote))
}

fn qualify_offerings(request: &Value, facts: Facts<'_>) -> Result<Value, Unanswered> {
    super::qualify_offerings(typed(request), facts).map(|answer| write(&answer))
}

fn qualify_services(request: &Value, facts: Facts<'_>) -> Result<Value, Unanswered> {
    super::qualify_services(typed(request), facts).map(|answer| write(&answer))
}

fn query_offerings(request: &Value, facts: Facts<'_>) -> Result<Value, Unanswered> {
    super::query_offerings(typed(request), facts).map(|answer| write(&answer))
}

fn query_services(request: &Value, facts: Facts<'_>) -> Result<Value, Unanswered> {
    super::query_services(typed(request), facts).map(|answer| write(&answer))
}

/// The rulebook of packs that are shipped.
fn shipped(packs: &[&str]) -> Rulebook {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../workflows");
    let packs = packs.iter().map(|pack| {
        let read = |file: &&str| {
            let text = std::fs::read_to_string(folder.join(pack).join(file)).ok()?;
            Some(((*file).to_string(), text))
        };
        let files = PackFiles(FILES.iter().filter_map(read).collect());
        Pack::parse(&files).unwrap_or_else(|found| panic!("{pack}: {found:?}"))
    });
    Rulebook::new(packs).unwrap()
}

/// 2026-03-12.
const NOW: Timestamp = Timestamp(1_773_273_600_000);

const RULES: &str = "
decompose:
  - { rule: fibre, from: C-NET, to: R-FIBRE, when: 'item.char.tech == \"GPON\"' }
  - { rule: cable, from: C-NET, to: R-CABLE, when: 'item.char.tech == \"HFC\"' }
deliver:
  - { spec: R-FIBRE, workflow: fibre }
  - { spec: R-CABLE, workflow: cable }
  - { spec: R-VOICE, workflow: voice }
orders:
  before: intake
  each-product: billing
";

const WORKFLOWS: &str = "
workflows:
  - workflow: intake
    steps:
      - step: validate
        plugin: order-validator
        input: { order: =order, rules: { requirePlace: [P-NET], maxQuantity: 3 } }
  - workflow: billing
    steps:
      - { step: rate, plugin: tariff-rater, input: { prices: =product.prices, taxRate: '19' } }
  - workflow: fibre
    steps:
      - { step: allocate, plugin: pool-allocator, input: { pool: fibres, name: port } }
      - { step: activate, plugin: noop, input: { port: =steps.allocate.port } }
  - workflow: cable
    steps:
      - step: allocate
        plugin: pool-allocator
        input: { take: [{ pool: '=product.char.speed > 100 ? \"cables\" : \"slow-cables\"', name: c }] }
  - workflow: voice
    steps:
      - { step: allocate, plugin: pool-allocator, input: { pool: numbers, name: number } }
";

const POOLS: &str = "
pools:
  - { pool: fibres, resource: S-PORT, characteristic: port, values: 'f{1..2}' }
  - { pool: cables, resource: S-PORT, characteristic: port, values: 'c{1..2}' }
  - { pool: slow-cables, resource: S-PORT, characteristic: port, values: 's{1..2}' }
  - { pool: numbers, resource: S-PORT, characteristic: port, values: 'n{1..100}' }
";

/// A catalog: `NET` (100 or 200, fibre or cable) and `VOICE`, which `BUNDLE` has together for less;
/// `TV` needs `NET` and does not go with `RADIO`.
fn catalog() -> Value {
    let values = |values: &[Value], default: usize| -> Vec<Value> {
        let values = values.iter().enumerate();
        values.map(|(n, value)| json!({ "value": value, "isDefault": n == default })).collect()
    };
    let product = |id: &str, service: &str| json!({ "id": id, "name": id, "serviceSpecification": [{ "id": service }] });
    let offering = |id: &str, spec: &str, prices: &[&str]| {
        let prices: Vec<Value> = prices.iter().map(|id| json!({ "id": id })).collect();
        json!({ "id": id, "name": id, "productSpecification": { "id": spec },
            "productOfferingPrice": prices, "category": [{ "id": "home" }] })
    };
    let part = |id: &str, min: u64, max: u64, default: u64| {
        json!({ "id": id, "bundledProductOfferingOption": { "numberRelOfferLowerLimit": min,
            "numberRelOfferUpperLimit": max, "numberRelOfferDefault": default } })
    };
    let mut net = product("P-NET", "C-NET");
    net["productSpecCharacteristic"] = json!([
        { "name": "speed", "valueType": "number", "minCardinality": 1,
            "productSpecCharacteristicValue": values(&[json!(100), json!(200)], 0) },
        { "name": "tech", "valueType": "string", "minCardinality": 1,
            "productSpecCharacteristicValue": values(&[json!("GPON"), json!("HFC")], 0) },
        { "name": "name", "valueType": "string" },
    ]);
    let mut tv = offering("TV", "P-VOICE", &["TV-MRC"]);
    tv["productOfferingRelationship"] = json!([
        { "relationshipType": "requires", "id": "NET" },
        { "relationshipType": "exclusivity", "id": "RADIO" },
    ]);
    tv["category"] = json!([]);
    let mut radio = offering("RADIO", "P-VOICE", &["TV-MRC"]);
    radio["place"] = json!([{ "id": "Berlin" }]);
    radio["validFor"] =
        json!({ "startDateTime": "2026-01-01T00:00:00Z", "endDateTime": "2026-04-01T00:00:00Z" });
    json!({
        "productOffering": [
            offering("NET", "P-NET", &["NET-MRC", "NET-FAST", "NET-NRC"]),
            offering("VOICE", "P-VOICE", &["VOICE-MRC", "CALLS"]),
            tv, radio,
            { "id": "BUNDLE", "name": "BUNDLE",
                "productOfferingPrice": [{ "id": "TEN" }, { "id": "FIVE" }],
                "bundledProductOffering": [part("NET", 1, 1, 1), part("VOICE", 0, 2, 1)] },
        ],
        "productOfferingPrice": listed_prices(),
        "productSpecification": [net, product("P-VOICE", "C-VOICE")],
        "serviceSpecification": [
            service("C-NET", "Customer", &["R-FIBRE", "R-CABLE"]), service("C-VOICE", "Customer", &["R-VOICE"]),
            service("R-FIBRE", "Resource", &[]), service("R-CABLE", "Resource", &[]), service("R-VOICE", "Resource", &[]),
        ],
        "resourceSpecification": [{ "id": "S-PORT", "name": "S-PORT" }],
    })
}

/// The prices of the catalog: half off at first, more for the faster one, usage in two tiers.
fn listed_prices() -> Value {
    let money = |value: Value| json!({ "unit": "EUR", "value": value });
    let monthly = |id: &str, value: Value| {
        json!({ "id": id, "name": id, "priceType": "recurring", "price": money(value),
            "recurringChargePeriodType": "month" })
    };
    let mut fast = monthly("NET-FAST", json!(10));
    fast["prodSpecCharValueUse"] =
        json!([{ "name": "speed", "productSpecCharacteristicValue": [{ "value": 200 }] }]);
    let mut mrc = monthly("NET-MRC", json!(39.99));
    mrc["tax"] = json!([{ "taxCategory": "VAT", "taxRate": 7 }]);
    mrc["popRelationship"] = json!([{ "id": "WELCOME", "relationshipType": "discount" }]);
    let tier = |id: &str, value: f64, from: u64, to: Option<u64>| {
        json!({ "id": id, "name": id, "priceType": "usage", "price": money(json!(value)),
            "unitOfMeasure": { "amount": 1, "units": "min" },
            "prodSpecCharValueUse": [{ "name": "volume",
                "productSpecCharacteristicValue": [{ "valueFrom": from, "valueTo": to }] }] })
    };
    json!([
            mrc, fast, monthly("VOICE-MRC", json!(10)), monthly("TV-MRC", json!(5)),
            { "id": "NET-NRC", "name": "NET-NRC", "priceType": "oneTime", "price": money(json!(49)) },
            { "id": "WELCOME", "name": "WELCOME", "priceType": "discount", "percentage": 50, "applicationDuration": 3 },
            { "id": "TEN", "name": "TEN", "priceType": "recurring", "recurringChargePeriodType": "month", "percentage": 10 },
            { "id": "FIVE", "name": "FIVE", "priceType": "discount", "recurringChargePeriodType": "month", "price": money(json!(5)) },
            { "id": "CALLS", "name": "CALLS", "priceType": "usage",
                "bundledPopRelationship": [{ "id": "CALLS-1" }, { "id": "CALLS-2" }] },
            tier("CALLS-1", 0.0, 0, Some(100)), tier("CALLS-2", 0.019, 100, None),
    ])
}

fn service(id: &str, kind: &str, below: &[&str]) -> Value {
    let below = below.iter().map(|id| json!({ "relationshipType": "reliesOn", "id": id }));
    let below: Vec<Value> = below.collect();
    let tech = json!({ "name": "tech", "valueType": "string",
        "characteristicValueSpecification": [{ "value": "GPON" }, { "value": "HFC" }] });
    let own = if id == "C-NET" { json!([tech]) } else { json!([]) };
    json!({ "id": id, "name": id, "serviceSpecRelationship": below, "specCharacteristic": own,
        "@type": format!("{kind}FacingServiceSpecification") })
}

/// The rulebook of a catalog.
fn rulebook(catalog: &Value) -> Rulebook {
    let files = [
        ("pack.yaml", "pack: home".to_string()),
        ("catalog.json", catalog.to_string()),
        ("rules.yaml", RULES.to_string()),
        ("workflows.yaml", WORKFLOWS.to_string()),
        ("pools.yaml", POOLS.to_string()),
    ];
    let files = files.into_iter().map(|(name, text)| (name.to_string(), text)).collect();
    let pack = Pack::parse(&PackFiles(files)).unwrap_or_else(|found| {
        panic!("{}", found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    });
    Rulebook::new([pack]).unwrap()
}

/// Items of a quote, a line each: `1 NET speed=200 @Berlin in 3 x2`.
fn items(form: Form, text: &str) -> Value {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut items: Vec<Value> = Vec::new();
    for line in lines {
        let mut words = line.split_whitespace();
        let (id, offering) = (words.next().unwrap(), words.next().unwrap());
        let mut item = json!({ "id": id, "action": "add", "productOffering": { "id": offering },
            "product": { "productCharacteristic": [] } });
        for word in words {
            if let Some(bundle) = word.strip_prefix('<') {
                item[form.relations()] = json!([{ "relationshipType": "bundledBy", "id": bundle }]);
            } else if let Some(place) = word.strip_prefix('@') {
                item["product"]["place"] = json!([{ "id": place, "role": "installation" }]);
            } else if let Some(count) = word.strip_prefix('x') {
                item["quantity"] = json!(count.parse::<u32>().unwrap());
            } else if let Some((name, value)) = word.split_once('=') {
                let value = serde_json::from_str(value).unwrap_or_else(|_| json!(value));
                let entry = json!({ "name": name, "value": value });
                item["product"]["productCharacteristic"].as_array_mut().unwrap().push(entry);
            } else {
                item["action"] = json!(word);
            }
        }
        items.push(item);
    }
    json!({ form.items(): items })
}

/// The items of a document, nested ones indented, each with the lines of `show`.
fn table(form: Form, document: &Value, show: &dyn Fn(&Value) -> Vec<String>) -> String {
    fn walk(
        form: Form,
        holder: &Value,
        depth: usize,
        show: &dyn Fn(&Value) -> Vec<String>,
        text: &mut String,
    ) {
        for item in holder[form.items()].as_array().into_iter().flatten() {
            let indent = "  ".repeat(depth);
            let offering = item["productOffering"]["id"].as_str().unwrap_or("-");
            text.push_str(&format!("{indent}{} {offering}\n", item["id"].as_str().unwrap_or("-")));
            for line in show(item) {
                text.push_str(&format!("{indent}  {line}\n"));
            }
            walk(form, item, depth + 1, show, text);
        }
    }
    let mut text = String::new();
    walk(form, document, 0, show, &mut text);
    text
}

/// A price as a line of a bill.
fn price_line(price: &Value) -> String {
    let amount = |price: &Value| {
        let (net, gross) = (&price["dutyFreeAmount"], &price["taxIncludedAmount"]);
        let gross =
            if gross.is_null() { String::new() } else { format!(" ({} with tax)", gross["value"]) };
        format!("{} {}{gross}", net["value"], net["unit"].as_str().unwrap_or("-"))
    };
    let text = |name: &str| price[name].as_str().map(|text| format!(" {text}")).unwrap_or_default();
    let mut line = format!(
        "{} {}{}: {}{}{}",
        price["priceType"].as_str().unwrap(),
        price["name"].as_str().unwrap(),
        text("recurringChargePeriod"),
        amount(&price["price"]),
        text("unitOfMeasure"),
        text("description"),
    );
    for change in price["priceAlteration"].as_array().into_iter().flatten() {
        let periods = change["applicationDuration"].as_u64();
        let periods = periods.map(|periods| format!(" for {periods}")).unwrap_or_default();
        line.push_str(&format!(
            "; {} {}{periods}",
            change["name"].as_str().unwrap(),
            amount(&change["price"])
        ));
    }
    line
}

fn prices(document: &Value, name: &str) -> Vec<String> {
    document[name].as_array().into_iter().flatten().map(price_line).collect()
}

/// The facts of a rulebook with these numbers of free values.
fn with_facts<T>(rulebook: &Rulebook, free: &[(&str, u64)], ask: impl FnOnce(Facts<'_>) -> T) -> T {
    let free = free.iter().map(|(id, count)| (PoolId::new(*id), *count));
    let free: BTreeMap<PoolId, u64> = free.collect();
    ask(Facts { rulebook, free: &free, answers: &Answers::new(), now: NOW })
}
