//! Taxes: their sources, and that a quote and the bills that follow agree.

use proptest::prelude::*;
use rust_decimal::Decimal;

use super::*;
use crate::billing::bill::{Cause, Run, draw};
use crate::billing::bill_state::Release;
use crate::billing::charge::{Until, due};
use crate::billing::cycle::Cycle;
use crate::billing::terms::Terms;
use crate::billing::timeline::Timeline;
use model::catalog::Effect;
use model::documents::product_price;
use model::pricing::charge::{By, Change};
use tmf::day::{Day, Days};
use tmf::document::product::Product;
use tmf::document::read;
use tmf::money::{Currency, Money, PriceKind, Tax, decimal};
use tmf::period::{Period, Term};
use tmf::zone::Zone;

/// A product since the first of March, with these prices.
fn sold(offering: &str, prices: &[Value]) -> Value {
    json!({
        "id": "prod-1", "status": "active", "startDate": "2026-03-01T10:00:00Z",
        "productOffering": { "id": offering }, "billingAccount": { "id": "acc-1" },
        "productPrice": prices,
    })
}

/// The bill of a product for March.
fn bill(product: &Product, terms: &Terms) -> Value {
    let day = |text| Day::parse(text).unwrap();
    let period = Days::new(day("2026-03-01"), day("2026-04-01")).unwrap();
    let timeline = Timeline::of(product, Vec::new(), Zone::UTC).unwrap();
    let made = due(product, &timeline, &[], &Until::all(period.until), terms, NOW).unwrap();
    let rates = made.iter().map(|rate| rate.document(Zone::UTC)).collect();
    let account = tmf::document::account::BillingAccount::unknown("acc-1");
    let (cycle, cause) = (terms.cycle, Cause::Cycle);
    let (id, number, release) = ("b", "B1", Release::New);
    let run = Run {
        account: &account,
        id,
        number,
        period,
        cycle,
        cause,
        release,
        at: NOW,
        zone: Zone::UTC,
    };
    tmf::document::write(&draw(&run, rates).unwrap().remove(0).bill)
}

/// The taxes on the bill of a product of an offering: a price of the catalog with two taxes, one
/// that names none, and one that the product has a tax of its own for.
fn taxes(offering: &str, usual: Option<&str>) -> String {
    let mut catalog = catalog();
    let prices = catalog["productOfferingPrice"].as_array_mut().unwrap();
    for price in prices.iter_mut().filter(|price| price["id"] == "NET-NRC") {
        price["tax"] = json!([
            { "taxCategory": "GST", "taxRate": 5 }, { "taxCategory": "PST", "taxRate": 7 },
        ]);
    }
    let usual = usual.map(|rate| Tax { rate: rate.parse().unwrap(), category: "USt".into() });
    let rulebook = rulebook(&catalog).with_usual_tax(usual);
    let price = |id: &str, tax: Value| {
        json!({
            "name": id, "priceType": "oneTime", "productOfferingPrice": { "id": id },
            "price": { "dutyFreeAmount": { "unit": "EUR", "value": 10 }, "taxRate": tax },
        })
    };
    let prices = [
        price("NET-NRC", Value::Null),
        price("NET-FAST", Value::Null),
        price("NET-MRC", json!(2.5)),
    ];
    let product = read(&sold(offering, &prices)).unwrap();
    let bill = bill(&product, &Terms::of_product(&product, &rulebook, Cycle::default()));
    let items = bill["taxItem"].as_array().unwrap().iter();
    let items = items.map(|item| {
        let (category, rate) = (item["taxCategory"].as_str().unwrap(), &item["taxRate"]);
        format!("{category} {rate} %: {}", item["taxAmount"]["value"])
    });
    items.collect::<Vec<_>>().join(", ")
}

#[test]
fn a_price_bears_its_own_tax_or_the_catalogs_or_the_packs_or_the_usual_one() {
    let lines = [taxes("NET", Some("21")), taxes("GONE", Some("21")), taxes("GONE", None)];
    insta::assert_snapshot!(lines.join("\n"), @r"
    GST 5 %: 0.5, PST 7 %: 0.7, USt 19 %: 1.9, VAT 2.5 %: 0.25
    GST 5 %: 0.5, PST 7 %: 0.7, USt 21 %: 2.1, VAT 2.5 %: 0.25
    GST 5 %: 0.5, PST 7 %: 0.7, VAT 0 %: 0, VAT 2.5 %: 0.25
    ");
}

#[test]
fn prices_without_a_tax_are_quoted_with_the_usual_one() {
    let usual = Tax { rate: Decimal::from(21), category: "USt".into() };
    let bare = rulebook(&catalog());
    assert_eq!(bare.tax(&SpecId::new("GONE")), None);
    let with = bare.with_usual_tax(Some(usual.clone()));
    assert_eq!(with.tax(&SpecId::new("GONE")), Some(usual.clone()));
    let own = Tax { rate: Decimal::from(19), ..usual };
    assert_eq!(with.tax(&SpecId::new("NET")), Some(own));
}

/// A price with what alters it.
fn charge() -> impl Strategy<Value = Charge> {
    let change = (1_i64..3_000, any::<bool>(), prop::option::of(1_u32..3));
    let changes = prop::collection::vec(change, 0..3);
    let rate = prop::sample::select(vec!["0", "5", "7.5", "8.875", "19", "21"]);
    let currency = prop::sample::select(vec!["EUR", "JPY", "KWD"]);
    (1_i64..100_000, changes, rate, currency, any::<bool>()).prop_map(made)
}

/// The least units of an amount, what alters it, the tax, the currency, and whether it recurs.
type Drawn = (i64, Vec<(i64, bool, Option<u32>)>, &'static str, &'static str, bool);

fn made((least, changes, rate, currency, recurring): Drawn) -> Charge {
    let currency = Currency::parse(currency).unwrap();
    let money = |least| Money { currency, amount: Decimal::new(least, currency.decimals()) };
    let mut charge = Charge {
        price: "POP".into(),
        name: "price".into(),
        kind: if recurring { PriceKind::Recurring } else { PriceKind::OneOff },
        period: recurring.then_some(Period::Months(1)),
        unit: None,
        tier: None,
        list: money(least),
        includes_tax: false,
        alterations: Vec::new(),
        taxes: vec![Tax { rate: rate.parse().unwrap(), category: String::new() }],
    };
    for (amount, is_percent, periods) in changes {
        let by = if is_percent {
            By::Percent(Decimal::new(amount, 2))
        } else {
            By::Amount(money(amount))
        };
        charge.apply(Change {
            price: "",
            name: "less",
            effect: Effect::Discount,
            by,
            lasts: periods.filter(|_| recurring).map(|periods| Term { periods, each: None }),
            priority: 0,
        });
    }
    charge
}

proptest! {
    /// One rounding rule: a quote and its bill have the same amounts for the first period.
    #[test]
    fn quotes_and_bills_agree_to_the_cent(
        charges in prop::collection::vec(charge(), 1..4),
        quantity in 1_u32..5,
    ) {
        let currency = charges[0].list.currency;
        let same = charges.into_iter().filter(|charge| charge.list.currency == currency);
        let same: Vec<Charge> = same.collect();
        let prices = same.iter().enumerate().map(|(index, charge)| {
            let price = Charge { price: format!("POP-{index}"), ..charge.clone() }.billed(None);
            let mut written = tmf::document::write(&product_price(&price, quantity));
            written["price"]["taxRate"] = json!(charge.taxes[0].rate.to_string());
            written
        });
        let product = read(&sold("GONE", &prices.collect::<Vec<_>>())).unwrap();
        let bill = bill(&product, &Terms::default());
        let first = |charge: &Charge| charge.first() * Decimal::from(quantity);
        let net: Decimal = same.iter().map(first).sum();
        let tax: Decimal = same.iter().map(|charge| charge.tax_on(first(charge)).unwrap()).sum();
        prop_assert_eq!(decimal(&bill["taxExcludedAmount"]["value"]).unwrap(), net);
        prop_assert_eq!(decimal(&bill["taxIncludedAmount"]["value"]).unwrap(), net + tax);
        let altered = |charge: &Charge| charge.first() != charge.regular();
        if !same.iter().any(altered) {
            let quoted = totals(same.iter().map(|charge| (quantity, charge)));
            let quoted: Decimal = quoted.iter().map(|total| total.gross.unwrap()).sum();
            prop_assert_eq!(quoted, net + tax);
        }
    }
}
