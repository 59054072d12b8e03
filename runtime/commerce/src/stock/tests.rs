use proptest::prelude::*;
use serde_json::{Value, json};
use tmf::document::stock::{CheckProductStock, StockCriteria};
use tmf::document::{Reference, read, write};

use super::*;

const STATE: &str = "reserveProductStockState";

const NOW: Timestamp = Timestamp(1_773_273_600_000);

fn stock(id: &str, amount: i64) -> (String, ProductStock) {
    let body = json!({
        "id": id, "productStockStatusType": "available", "name": id,
        "productStockLevel": { "amount": amount, "units": "piece" },
        "stockedProduct": { "id": "router" }, "place": { "id": "Berlin" },
    });
    (id.into(), read(&body).unwrap())
}

fn request(quantities: &[i64]) -> ReserveProductStock {
    let items = quantities.iter().enumerate().map(|(index, amount)| {
        json!({ "id": (index + 1).to_string(), "quantityRequested": { "amount": amount } })
    });
    read(&json!({ "id": "R", "reserveProductStockItem": items.collect::<Vec<_>>() })).unwrap()
}

/// Stocks after something moved.
fn after<T>(
    stocks: &BTreeMap<String, ProductStock>,
    moved: &Moved<T>,
) -> BTreeMap<String, ProductStock> {
    let mut stocks = stocks.clone();
    stocks.extend(moved.changed.clone());
    stocks.extend(moved.made.clone());
    stocks.retain(|id, _| !moved.removed.contains(id));
    stocks
}

fn levels(stocks: &BTreeMap<String, ProductStock>) -> String {
    let lines = stocks.iter().map(|(id, stock)| {
        format!("{id} {} {}", stock.product_stock_status_type.unwrap(), quantity::level(stock))
    });
    lines.collect::<Vec<_>>().join(", ")
}

fn all(stocks: &BTreeMap<String, ProductStock>, items: usize) -> Vec<Vec<String>> {
    vec![stocks.keys().cloned().collect(); items]
}

#[test]
fn reserved_amounts_leave_their_stock_and_return_on_release() {
    let stocks = BTreeMap::from([stock("A", 3), stock("B", 5)]);
    let moved = reserve(request(&[2, 2]), "R", stocks.clone(), &all(&stocks, 2), NOW).unwrap();
    assert_eq!(write(&moved.task)["reserveProductStockState"], "done");
    assert!(has_stock(&moved.task));
    let then = after(&stocks, &moved);
    assert_eq!(levels(&then), "A available 1, B available 3, R.1 reserved 2, R.2 reserved 2");
    assert_eq!(reservation_of("R.2"), Some("R"));
    let back = release(moved.task, then.clone(), NOW);
    assert_eq!(levels(&after(&then, &back)), "A available 3, B available 5");
    assert!(!has_stock(&back.task));
    // Once more gives nothing back.
    let stocks = after(&then, &back);
    let again = release(back.task, stocks, NOW);
    assert_eq!((again.changed.len(), again.removed.len()), (0, 0));
}

#[test]
fn stock_of_another_reservation_that_a_client_names_is_neither_kept_nor_released() {
    let stocks = BTreeMap::from([stock("A", 1)]);
    let won = reserve(request(&[1]), "R", stocks.clone(), &all(&stocks, 1), NOW).unwrap();
    let stocks = after(&stocks, &won);
    let claimed = || {
        let mut claimed = ReserveProductStock { id: Some("S".into()), ..request(&[1]) };
        claimed.reserve_product_stock_item[0].product_stock_reserved =
            Some(Reference::to(RESOURCE, "R.1"));
        claimed
    };
    let lost = reserve(claimed(), "S", stocks.clone(), &all(&stocks, 1), NOW).unwrap();
    assert!(!has_stock(&lost.task));
    let released = release(claimed(), stocks.clone(), NOW);
    assert_eq!(levels(&after(&stocks, &released)), "A available 0, R.1 reserved 1");
}

#[test]
fn all_is_reserved_or_nothing() {
    let stocks = BTreeMap::from([stock("A", 3)]);
    let moved = reserve(request(&[2, 2]), "R", stocks.clone(), &all(&stocks, 2), NOW).unwrap();
    assert_eq!((moved.changed.len(), moved.made.len()), (0, 0));
    let task = write(&moved.task);
    let states = task["reserveProductStockItem"].as_array().unwrap().iter();
    let states: Vec<_> = states.map(|item| item[STATE].as_str().unwrap()).collect();
    assert_eq!(states, ["accepted", "terminatedWithError"]);
    assert_eq!(task[STATE], "terminatedWithError");
}

#[test]
fn a_request_must_have_a_quantity_in_the_units_of_the_stock() {
    let stocks = BTreeMap::from([stock("A", 3)]);
    for (amount, attribute) in [
        (json!(0), "reserveProductStockItem[0].quantityRequested.amount"),
        (json!(-1), "reserveProductStockItem[0].quantityRequested.amount"),
        (json!("many"), "reserveProductStockItem[0].quantityRequested.amount"),
        (json!(1e15), "reserveProductStockItem[0].quantityRequested.amount"),
    ] {
        let body =
            json!({ "reserveProductStockItem": [{ "quantityRequested": { "amount": amount } }] });
        let reserved =
            read(&body).and_then(|task| reserve(task, "R", stocks.clone(), &all(&stocks, 1), NOW));
        assert_eq!(reserved.unwrap_err().attribute, attribute, "{amount}");
    }
    let mut metres = request(&[1]);
    metres.reserve_product_stock_item[0].quantity_requested.units = Some("metre".into());
    let moved = reserve(metres, "R", stocks.clone(), &all(&stocks, 1), NOW).unwrap();
    assert_eq!(write(&moved.task)[STATE], "terminatedWithError");
    let item = json!({ "productStockTarget": { "id": "A" },
        "adjustProductStockQuantity": { "amount": 1, "units": "metre" } });
    let task = read(&json!({ "adjustProductStockItem": [item] })).unwrap();
    let wrong = adjust(task, stocks, NOW).unwrap_err();
    assert_eq!(wrong.attribute, "adjustProductStockItem[0].adjustProductStockQuantity.units");
}

#[test]
fn an_adjustment_moves_levels_and_never_below_zero() {
    let stocks = BTreeMap::from([stock("A", 3), stock("B", 5)]);
    let adjusted = |changes: &[(&str, i64)]| {
        let items = changes.iter().map(|(target, amount)| {
            json!({ "productStockTarget": { "id": target },
                "adjustProductStockQuantity": { "amount": amount } })
        });
        let request = json!({ "adjustProductStockItem": items.collect::<Vec<_>>() });
        let moved = adjust(read(&request).unwrap(), stocks.clone(), NOW).unwrap();
        format!("{}: {}", write(&moved.task)["state"], levels(&after(&stocks, &moved)))
    };
    insta::assert_snapshot!(
        [
            adjusted(&[("A", 4), ("B", -5)]),
            adjusted(&[("A", -2), ("A", -2)]),
            adjusted(&[("A", 4), ("B", -6)]),
        ]
        .join("\n"),
        @r#"
    "done": A available 7, B available 0
    "terminatedWithError": A available 3, B available 5
    "terminatedWithError": A available 3, B available 5
    "#
    );
}

#[test]
fn a_check_tells_what_is_there_and_what_would_do_instead() {
    let stocks = [stock("A", 1).1, stock("B", 5).1];
    let asked = |stock: Value, amount: i64| {
        let request = json!({
            "provideAlternative": true,
            "checkProductStockItem": [{
                "checkedProductStock": stock, "requestedQuantity": { "amount": amount },
            }],
        });
        let task: CheckProductStock = read(&request).unwrap();
        let answer = write(&check(task, vec![stocks.to_vec()], NOW).unwrap());
        let item = &answer["checkProductStockItem"][0];
        let others = item["alternate"].as_array().into_iter().flatten();
        let others: Vec<_> = others.map(|one| one["id"].as_str().unwrap()).collect();
        format!("{} {others:?}", item["availabilityResult"].as_str().unwrap())
    };
    assert_eq!(asked(json!({ "id": "A" }), 1), "available []");
    assert_eq!(asked(json!({ "id": "A" }), 2), "unavailable [\"B\"]");
    assert_eq!(asked(json!({ "stockedProduct": { "id": "router" } }), 5), "available []");
    assert_eq!(asked(json!({ "place": { "id": "Berlin" } }), 6), "unavailable []");
}

#[test]
fn a_reservation_is_over_when_its_time_is() {
    let is_over = |task: Value| super::is_over(&read(&task).unwrap(), NOW);
    let until = |end: &str| json!({ "validFor": { "endDateTime": end } });
    assert!(is_over(until("2026-03-12T00:00:00Z")));
    assert!(!is_over(until("2026-03-12T00:00:01Z")));
    assert!(!is_over(json!({})));
}

#[test]
fn criteria_fit_stocks_with_the_same_attributes() {
    let (_, stock) = stock("A", 3);
    let fit = |criteria: Value| read::<StockCriteria>(&criteria).unwrap().fit(&stock);
    assert!(fit(json!({})));
    assert!(fit(json!({ "place": { "id": "Berlin", "@type": "Place" } })));
    assert!(fit(json!({ "productStockLevel": { "amount": 3.0 } })));
    assert!(!fit(json!({ "productStockLevel": { "amount": 4 } })));
    assert!(!fit(json!({ "stockedProduct": { "id": "phone" } })));
    assert!(!fit(json!({ "channel": [] })));
}

proptest! {
    /// Whatever is reserved, given back and adjusted: nothing is lost, nothing is made, and no level
    /// is below zero.
    #[test]
    fn levels_are_moved_and_never_made(
        begin in prop::collection::vec(0..20_i64, 1..4),
        steps in prop::collection::vec((0..4_u8, prop::collection::vec(-8..15_i64, 1..4)), 1..30),
    ) {
        let mut stocks: BTreeMap<String, ProductStock> =
            begin.iter().enumerate().map(|(n, amount)| stock(&format!("S{n}"), *amount)).collect();
        let own: Vec<String> = stocks.keys().cloned().collect();
        let mut total = Decimal::from(begin.iter().sum::<i64>());
        let mut open: Vec<ReserveProductStock> = Vec::new();
        for (number, (step, amounts)) in steps.iter().enumerate() {
            let (reservation, then) = match step {
                0 | 1 => {
                    let wanted: Vec<i64> = amounts.iter().map(|amount| amount.abs() + 1).collect();
                    let candidates = vec![own.clone(); wanted.len()];
                    let id = format!("R{number}");
                    let asked = ReserveProductStock { id: Some(id.clone()), ..request(&wanted) };
                    let moved = reserve(asked, &id, stocks.clone(), &candidates, NOW).unwrap();
                    let then = after(&stocks, &moved);
                    (Some(moved.task), then)
                }
                2 => {
                    let Some(reservation) = open.pop() else { continue };
                    let moved = release(reservation, stocks.clone(), NOW);
                    let then = after(&stocks, &moved);
                    (Some(moved.task), then)
                }
                _ => {
                    let items = amounts.iter().enumerate().map(|(n, amount)| json!({
                        "productStockTarget": { "id": own[n % own.len()] },
                        "adjustProductStockQuantity": { "amount": amount },
                    }));
                    let asked = json!({ "adjustProductStockItem": items.collect::<Vec<_>>() });
                    let moved = adjust(read(&asked).unwrap(), stocks.clone(), NOW).unwrap();
                    if moved.task.state == Some(TaskState::Done) {
                        total += Decimal::from(amounts.iter().sum::<i64>());
                    }
                    (None, after(&stocks, &moved))
                }
            };
            open.extend(reservation.filter(has_stock));
            stocks = then;
            let sum: Decimal = stocks.values().map(quantity::level).sum();
            prop_assert_eq!(sum, total);
            prop_assert!(stocks.values().all(|stock| quantity::level(stock) >= Decimal::ZERO));
        }
        for reservation in open {
            let moved = release(reservation, stocks.clone(), NOW);
            stocks = after(&stocks, &moved);
        }
        prop_assert_eq!(stocks.keys().cloned().collect::<Vec<_>>(), own);
    }
}
