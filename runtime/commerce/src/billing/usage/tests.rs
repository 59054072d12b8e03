mod change;
mod instants;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;
use crate::billing::charge::Until;
use crate::billing::cycle::Cycle;
use crate::billing::terms::Terms;
use crate::billing::tests::{at, day, days, decimal, money, product, read, shown, terms, versions};
use tmf::Malformed;
use tmf::document::write;
use tmf::zone::Zone;

const NOW: Timestamp = Timestamp(1_800_000_000_000);

fn with(document: &Value, name: &str, value: impl Into<Value>) -> Value {
    let mut document = document.clone();
    document[name] = value.into();
    document
}

fn calls() -> Value {
    json!({
        "name": "Calls", "priceType": "usage",
        "price": { "dutyFreeAmount": { "unit": "EUR", "value": 0.09 } },
        "tariff": {
            "usageSpecification": "VOICE", "quantity": "duration", "roundTo": 60, "per": 60,
            "allowance": 600,
        },
    })
}

fn phone(id: &str, number: &str) -> Value {
    let mut phone = product("active", "2026-03-01", &json!([calls()]));
    phone["id"] = json!(id);
    phone["productCharacteristic"] = json!([{ "name": "msisdn", "value": number }]);
    phone["relatedParty"] = json!([{ "id": "cust-1", "@referredType": "Customer" }]);
    phone
}

fn call(id: &str, time: &str, seconds: u32) -> Value {
    json!({
        "id": id,
        "usageDate": time,
        "status": "received",
        "usageSpecification": { "id": "VOICE" },
        "usageCharacteristic": [
            { "name": "msisdn", "value": "+4930123" },
            { "name": "duration", "value": seconds },
        ],
    })
}

fn guided_by(usage: &Value, products: &[Value]) -> Result<Guided, Rejection> {
    let since = |product: &Value| vec![(at("2026-03-01T10:00:00Z"), product.clone())];
    let candidates: Vec<History> = products.iter().map(|one| history(&since(one))).collect();
    guide(&read(usage), &candidates, &BTreeMap::new(), Zone::UTC)
}

fn history(known: &[(Timestamp, Value)]) -> History {
    History::of(versions(known))
}

fn rated(
    usage: &Value,
    guided: &Guided,
    rating: &Rating,
    used: Decimal,
    taxes: &[Tax],
    at: Timestamp,
) -> Result<Value, IllegalStep> {
    super::rated(read(usage), guided.clone(), rating.clone(), used, taxes, at)
        .map(|usage| write(&usage))
}

fn rejected(usage: &Value, rejection: &Rejection) -> Result<Value, IllegalStep> {
    super::rejected(read(usage), rejection).map(|usage| write(&usage))
}

fn follow(before: &Value, after: &Value, now: Timestamp) -> Result<Change, Refused> {
    let after = tmf::document::read(after).map_err(Refused::Invalid)?;
    super::follow(&read(before), after, now)
}

/// The usage that a change rates again.
fn followed(before: &Value, after: &Value) -> Value {
    match follow(before, after, NOW) {
        Ok(Change::Rate(usage)) => write(&*usage),
        other => panic!("{other:?}"),
    }
}

fn check_new(usage: &Value, now: Timestamp) -> Result<(), Malformed> {
    tmf::document::read(usage).and_then(|usage| super::check_new(&usage, now))
}

fn bill(usages: &[Value], until: &Until, terms: &Terms, at: Timestamp) -> Billed {
    super::bill(usages.iter().map(read), |_| Some("acc-1"), until, terms, at).unwrap()
}

fn cost(usage: &Value) -> Option<Rated> {
    Rated::read(&read(usage)).unwrap()
}

fn rating(outputs: &Value) -> Result<Rating, Malformed> {
    tmf::document::read::<RaterCharges>(outputs).and_then(Rating::of)
}

/// The rating of a rater that takes 0.0015 a second after the allowance.
fn answer(units: Decimal, free: Decimal) -> Rating {
    let net = (units - free) * decimal("0.0015");
    let outputs = json!({ "charges": [{
        "net": { "currency": "EUR", "amount": net.to_string() },
        "tax": { "currency": "EUR", "amount": (net * decimal("0.19")).to_string() },
        "attributes": { "units": units.to_string(), "free-units": free.to_string() },
    }] });
    rating(&outputs).unwrap()
}

/// Rates a call as the runtime does, after those that there are.
fn rate(usage: &Value, all: &[Value]) -> Value {
    let guided = guided_by(usage, &[phone("phone-1", "+4930123")]).unwrap();
    let others: Vec<Rated> = all.iter().filter_map(cost).collect();
    let used = used_before(&guided, &others, days("2026-03-01..2026-04-01"), month);
    let free = (decimal("600") - used).clamp(Decimal::ZERO, guided.quantity);
    rated(usage, &guided, &answer(guided.quantity, free), used, &vat(), Timestamp(0)).unwrap()
}

fn vat() -> Vec<Tax> {
    vec![Tax { rate: decimal("19"), category: "VAT".into() }]
}

/// The month that a usage is in.
fn month(rated: &Rated) -> Days {
    Cycle::default().around(day(&rated.at.date()))
}

#[test]
fn usage_is_guided_by_what_it_shares_with_a_product() {
    let products = [phone("phone-1", "+4930123"), phone("phone-2", "+4930456")];
    let guided = |usage: &Value| match guided_by(usage, &products) {
        Ok(guided) => format!("{} by {}", guided.product, guided.price.id),
        Err(rejection) => format!("{}: {rejection}", rejection.code()),
    };
    let plain = call("u1", "2026-03-10T10:00:00Z", 61);
    let with = |name: &str, value: Value| {
        let mut usage = plain.clone();
        usage[name] = value;
        guided(&usage)
    };
    let duration = json!({ "name": "duration", "value": 61 });
    let party = json!([{ "id": "cust-1" }]);
    let table = [
        guided(&plain),
        with("ratedProductUsage", json!([{ "productRef": { "id": "phone-2" } }])),
        with("ratedProductUsage", json!([{ "productRef": { "id": "phone-3" } }])),
        with("usageCharacteristic", json!([duration, { "name": "msisdn", "value": "+1" }])),
        {
            let mut usage = plain.clone();
            usage["usageCharacteristic"] = json!([duration]);
            usage["relatedParty"] = party;
            guided(&usage)
        },
        with("usageSpecification", json!({ "id": "DATA" })),
        with("usageSpecification", json!({ "id": "9be4", "name": "VOICE" })),
        with("usageDate", json!("2026-02-10T10:00:00Z")),
        with("usageDate", json!("lately")),
        with("usageCharacteristic", json!([{ "name": "msisdn", "value": "+4930123" }])),
        with(
            "usageCharacteristic",
            json!([{ "name": "msisdn", "value": "+4930123" }, { "name": "duration", "value": -1 }]),
        ),
    ];
    insta::assert_snapshot!(table.join("\n"), @r"
    phone-1 by Calls
    phone-2 by Calls
    NO_PRODUCT: no product is known that usage `u1` belongs to
    NO_PRODUCT: no product is known that usage `u1` belongs to
    AMBIGUOUS: usage `u1` fits several products: `phone-1`, `phone-2`
    NO_TARIFF: product `phone-1` has no tariff for usage of `DATA`
    phone-1 by Calls
    NOT_ACTIVE: product `phone-1` was not active at `2026-02-10T10:00:00.000Z`
    MALFORMED: `usageDate` is not a date-time
    MALFORMED: `usageCharacteristic` has not the characteristic that its tariff counts
    MALFORMED: `usageCharacteristic[1].value` is less than nothing
    ");
}

#[test]
fn states_follow_each_other_as_in_the_table() {
    let steps = [Step::Guide, Step::Rate, Step::Reject, Step::Recycle, Step::Bill];
    let states = [
        State::Received,
        State::Guided,
        State::Rated,
        State::Rerated,
        State::Rejected,
        State::Recycled,
        State::Billed,
    ];
    assert_eq!(states.len(), State::ALL.len());
    let lines = states.into_iter().map(|state| {
        let next = steps.iter().filter_map(|step| {
            Some(format!("{} -> {}", step.done(), step.after(state).ok()?.as_str()))
        });
        format!("{}: {}", state.as_str(), next.collect::<Vec<_>>().join(", "))
    });
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @r"
    received: guided -> guided, rejected -> rejected
    guided: rated -> rated, rejected -> rejected
    rated: rated -> rerated, rejected -> rejected, recycled -> recycled, billed -> billed
    rerated: rated -> rerated, rejected -> rejected, recycled -> recycled, billed -> billed
    rejected: recycled -> recycled
    recycled: guided -> guided, rejected -> rejected
    billed:
    ");
    let error = Step::Rate.after(State::Billed).unwrap_err();
    assert_eq!(error.to_string(), "usage that is `billed` cannot be rated");
}

#[test]
fn rating_again_changes_nothing_but_the_state() {
    let first = rate(&call("u1", "2026-03-10T10:00:00Z", 120), &[]);
    let again = rate(&first, std::slice::from_ref(&first));
    assert_eq!((&first["status"], &again["status"]), (&json!("rated"), &json!("rerated")));
    assert_eq!(first["ratedProductUsage"], again["ratedProductUsage"]);
    insta::assert_snapshot!(serde_json::to_string_pretty(&first).unwrap(), @r#"
    {
      "id": "u1",
      "ratedProductUsage": [
        {
          "@type": "RatedProductUsage",
          "billingAccount": {
            "@referredType": "BillingAccount",
            "href": "/tmf-api/accountManagement/v4/billingAccount/acc-1",
            "id": "acc-1"
          },
          "freeUnits": 120,
          "guidedBy": "characteristic",
          "isBilled": false,
          "isTaxExempt": false,
          "offerTariffType": "Normal",
          "price": "Calls",
          "priceName": "Calls",
          "productRef": {
            "@referredType": "Product",
            "href": "/tmf-api/productInventory/v4/product/phone-1",
            "id": "phone-1"
          },
          "ratingAmountType": "Total",
          "ratingDate": "1970-01-01T00:00:00.000Z",
          "tax": [
            {
              "taxCategory": "VAT",
              "taxRate": 19
            }
          ],
          "taxExcludedRatingAmount": {
            "unit": "EUR",
            "value": 0
          },
          "taxIncludedRatingAmount": {
            "unit": "EUR",
            "value": 0
          },
          "taxRate": 19,
          "units": 120,
          "unitsBefore": 0,
          "usageRatingTag": "included usage"
        }
      ],
      "status": "rated",
      "usageCharacteristic": [
        {
          "name": "msisdn",
          "value": "+4930123"
        },
        {
          "name": "duration",
          "value": 120
        }
      ],
      "usageDate": "2026-03-10T10:00:00Z",
      "usageSpecification": {
        "id": "VOICE"
      }
    }
    "#);
}

#[test]
fn refused_usage_is_recycled_and_tried_again() {
    let usage = call("u1", "2026-03-10T10:00:00Z", 60);
    let rejection = guided_by(&usage, &[]).unwrap_err();
    let refused = rejected(&usage, &rejection).unwrap();
    assert_eq!(refused["status"], json!("rejected"));
    assert_eq!(refused["rejection"]["code"], json!("NO_PRODUCT"));
    assert_eq!(refused["rejection"]["attribute"], json!("ratedProductUsage"));
    let again = followed(&refused, &with(&refused, "status", "recycled"));
    assert_eq!(again["status"], json!("recycled"));
    assert!(again.get("rejection").is_none());
    assert_eq!(rate(&again, &[])["status"], json!("rated"));
}

#[test]
fn usage_that_comes_late_takes_its_place_and_names_what_to_rate_again() {
    let early = rate(&call("u1", "2026-03-10T10:00:00Z", 480), &[]);
    let later = rate(&call("u2", "2026-03-12T10:00:00Z", 480), std::slice::from_ref(&early));
    let read = |usage: &Value| cost(usage).unwrap();
    assert_eq!((read(&early).free, read(&later).free), (decimal("480"), decimal("120")));
    let late = call("u3", "2026-03-11T10:00:00Z", 60);
    let others = [read(&early), read(&later)];
    let guided = guided_by(&late, &[phone("phone-1", "+4930123")]).unwrap();
    let march = days("2026-03-01..2026-04-01");
    assert_eq!(used_before(&guided, &others, march, month), decimal("480"));
    // Rated as if it had not come in, the later one shows it.
    let all = [read(&early), read(&later), read(&rate(&late, std::slice::from_ref(&early)))];
    fn stale_since(all: &[Rated], since: Timestamp) -> Vec<&str> {
        stale(all, month, since, Timestamp(0))
    }
    assert_eq!(stale_since(&all, Timestamp(-1)), ["u2"]);
    assert_eq!(stale_since(&all[..2], Timestamp(-1)), [] as [&str; 0]);
    // A usage that was rated before the present version of the product may cost something else.
    assert_eq!(stale_since(&all[..2], Timestamp(0)), ["u1", "u2"]);
    // A billed usage was before it, whenever it was used.
    let others = [read(&early), Rated { is_billed: true, ..read(&later) }];
    assert_eq!(used_before(&guided, &others, march, month), decimal("960"));
    assert_eq!(stale_since(&others[1..], Timestamp(0)), [] as [&str; 0]);
}

#[test]
fn usage_is_billed_once_and_rounded_once() {
    let usages: Vec<Value> = [("u3", 603), ("u1", 603), ("u2", 603)]
        .iter()
        .map(|(id, seconds)| {
            rate(&call(id, &format!("2026-03-1{}T10:00:00Z", &id[1..]), *seconds), &[])
        })
        .collect();
    let made = bill(&usages, &Until::all(day("2026-04-01")), &terms(), Timestamp(0));
    insta::assert_snapshot!(shown(&made.rates), @"usageCharge Calls | 2026-03-11..2026-03-14 | 0.01 EUR + 0.00 EUR | 3 usages, 1809 units, 1800 of them free");
    assert_eq!(made.rates[0].id, "u1-b");
    assert_eq!(made.rates[0].account.as_deref(), Some("acc-1"));
    let billed: Vec<Value> = made.usages.iter().map(write).collect();
    assert_eq!(billed[0]["status"], json!("billed"));
    assert_eq!(billed[0]["ratedProductUsage"][0]["isBilled"], json!(true));
    let again = bill(&billed, &Until::all(day("2026-04-01")), &terms(), Timestamp(0));
    assert_eq!(again, Billed::default());
    let later = bill(&usages, &Until::all(day("2026-03-12")), &terms(), Timestamp(0));
    assert_eq!(later.usages.len(), 1);
}

#[test]
fn malformed_outputs_of_a_rater_are_rejected_with_their_path() {
    let error = |outputs: Value| rating(&outputs).unwrap_err().to_string();
    assert_eq!(error(json!({})), "`charges` has no charge of this usage");
    assert_eq!(error(json!({ "charges": [{}] })), "`charges[0].attributes` is missing");
    let charge = json!({ "attributes": {}, "net": { "currency": "EUR", "amount": "1" } });
    assert_eq!(error(json!({ "charges": [charge] })), "`charges[0].tax` is missing");
    assert_eq!(money("1 EUR").amount, Decimal::ONE);
}
