//! Invariants of any choice: totals are the sum of their parts, an offering that qualifies decomposes,
//! and a complete choice stays as it is.

use proptest::prelude::*;
use rust_decimal::Decimal;

use super::*;
use model::decompose::decompose;
use model::plan::Level;
use tmf::money::{Currency, Money, PriceKind, Tax, decimal};
use tmf::period::{Period, Term};

/// How long something lasts: in the periods of its price, or others.
fn term() -> impl Strategy<Value = Term> {
    let each = prop::option::of((1_u32..100).prop_map(Period::Days));
    (1_u32..24, each).prop_map(|(periods, each)| Term { periods, each })
}

/// Taxes of some rates: one is known by its rate alone.
fn taxes(rates: &[u32]) -> Vec<Tax> {
    let category = if rates.len() > 1 { "GST" } else { "" };
    rates.iter().map(|rate| Tax { rate: (*rate).into(), category: category.into() }).collect()
}

/// Lines of any offering, good and bad.
fn choice() -> impl Strategy<Value = String> {
    let offering = prop::sample::select(vec!["NET", "VOICE", "TV", "RADIO", "BUNDLE", "NOTHING"]);
    let extra = prop::sample::select(vec![
        "",
        "speed=200",
        "speed=100 tech=HFC",
        "speed=1",
        "tech=GPON",
        "x2",
        "x4",
        "colour=red",
    ]);
    let place = prop::sample::select(vec!["", "@home", "@Berlin"]);
    let line = (offering, extra, place, prop::option::of(0_usize..4));
    prop::collection::vec(line, 1..5).prop_map(|lines| {
        let lines = lines.iter().enumerate().map(|(index, (offering, extra, place, bundle))| {
            let bundle = bundle.filter(|bundle| *bundle < index);
            let bundle = bundle.map(|bundle| format!("<{}", bundle + 1)).unwrap_or_default();
            format!("{} {offering} {extra} {place} {bundle}", index + 1)
        });
        lines.collect::<Vec<_>>().join("\n")
    })
}

fn sum(document: &Value, name: &str, kind: &str) -> Decimal {
    let entries = document[name].as_array().into_iter().flatten();
    let own = entries.filter(|entry| entry["priceType"] == kind);
    own.map(|entry| decimal(&entry["price"]["dutyFreeAmount"]["value"]).unwrap()).sum()
}

proptest! {
    #[test]
    fn a_complete_configuration_stays_as_it_is(text in choice()) {
        let rulebook = rulebook(&catalog());
        let request = items(Form::Quote, &text);
        let once = configure_quote(&request, &rulebook, NOW).unwrap();
        let again = configure_quote(&write(&once.document), &rulebook, NOW).unwrap();
        prop_assert_eq!(&once.document, &again.document);
        prop_assert_eq!(&once.mistakes, &again.mistakes);
    }

    #[test]
    fn totals_are_the_sum_of_their_parts(text in choice()) {
        let request = items(Form::Quote, &text);
        let Ok(mut quote) = create(&request, &rulebook(&catalog()), &Policy::default(), NOW) else {
            return Ok(());
        };
        quote["id"] = json!("Q");
        quote["state"] = json!("accepted");
        let order = order_of(&quote).unwrap();
        prop_assert_eq!(unbacked(&order, &quote), Vec::<String>::new());
        for kind in ["oneTime", "recurring"] {
            let mut parts = Decimal::ZERO;
            let mut open = vec![&order];
            while let Some(holder) = open.pop() {
                for item in holder["productOrderItem"].as_array().into_iter().flatten() {
                    parts += sum(item, "itemTotalPrice", kind);
                    open.push(item);
                }
            }
            prop_assert_eq!(sum(&order, "orderTotalPrice", kind), parts);
            prop_assert_eq!(sum(&quote, "quoteTotalPrice", kind), parts);
            prop_assert!(parts >= Decimal::ZERO);
        }
        // Bills have the quoted prices.
        let read = Order::parse(Level::Product, &order).unwrap();
        let agreed = read.lines.iter().flat_map(|line| {
            let prices = line.agreed.iter().flatten();
            prices.map(|price| (Decimal::from(line.quantity), price.clone()))
        });
        let lasting = agreed.filter(|(_, p)| p.kind == PriceKind::Recurring);
        let each = |price: &model::pricing::sold::Price| -> Decimal {
            let lasting = price.alterations.iter().filter(|change| change.lasts.is_none());
            price.amount.amount + lasting.map(|change| change.amount).sum::<Decimal>()
        };
        let billed: Decimal = lasting.map(|(count, price)| count * each(&price)).sum();
        prop_assert_eq!(billed, sum(&quote, "quoteTotalPrice", "recurring"));
    }

    #[test]
    fn qualified_items_have_a_plan_when_they_are_ordered(text in choice()) {
        let rulebook = rulebook(&catalog());
        let request = items(Form::OfferingQualification, &text);
        let answer = with_facts(&rulebook, &[], |facts| qualify_offerings(&request, facts)).unwrap();
        let asked = answer["productOfferingQualificationItem"].as_array().unwrap();
        let all = asked.iter().all(|item| item["qualificationItemResult"] == "qualified");
        prop_assert_eq!(all, answer["qualificationResult"] == "green");
        if all {
            let order: ProductOrderRequest = typed(&items(Form::ProductOrder, &text));
            let order = crate::cpq::configure(order, rulebook.catalog(), NOW).unwrap();
            let document = write(&order.document);
            let plan = decompose(&order.order, &document, &rulebook, &Answers::new());
            prop_assert!(plan.is_ok(), "{plan:?}");
        }
    }

    #[test]
    fn a_charge_reads_as_it_was_written(
        cents in 0_i64..1_000_000_000,
        changes in prop::collection::vec((-1_000_000_i64..0, prop::option::of(term())), 0..4),
        rates in prop::collection::vec(0_u32..100, 0..3),
        recurring in any::<bool>(),
    ) {
        let period = recurring.then_some(Period::Months(1));
        let alterations = changes.iter().map(|(change, lasts)| Alteration {
            price: String::new(), name: "less".into(), percentage: None,
            change: Decimal::new(*change, 2), lasts: *lasts, priority: 1,
        });
        let charge = Charge {
            price: "POP".into(), name: "name".into(),
            kind: if recurring { PriceKind::Recurring } else { PriceKind::OneOff },
            period,
            unit: None, tier: None,
            includes_tax: false,
            list: Money { currency: Currency::parse("EUR").unwrap(), amount: Decimal::new(cents, 2) },
            alterations: alterations.collect(),
            taxes: taxes(&rates),
        };
        let read = Charge::read(&charge.clone().into_document("OrderPrice")).unwrap();
        prop_assert_eq!(read, charge);
    }
}
