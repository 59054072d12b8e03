//! What things cost.

use super::*;
use model::decompose::{check, decompose};
use model::pricing::sold::Price;

fn priced_with(catalog: &Value, text: &str) -> String {
    let rulebook = rulebook(catalog);
    let request = items(Form::Quote, text);
    let quote = create(&request, &rulebook, &Policy::default(), NOW).unwrap();
    let mut text = table(Form::Quote, &quote, &|item| prices(item, "quoteItemPrice"));
    for line in prices(&quote, "quoteTotalPrice") {
        text.push_str(&format!("= {line}\n"));
    }
    text
}

fn priced(text: &str) -> String {
    priced_with(&catalog(), text)
}

#[test]
fn prices_have_their_discounts_and_taxes() {
    insta::assert_snapshot!(priced("1 NET"), @r"
    1 NET
      recurring NET-MRC month: 39.99 EUR (42.79 with tax); WELCOME -20 EUR (-21.4 with tax) for 3
      oneTime NET-NRC: 49 EUR (58.31 with tax)
    = oneTime Once: 49 EUR (58.31 with tax)
    = recurring Recurring, each month month: 39.99 EUR (42.79 with tax); For the first 3 -20 EUR for 3
    ");
}

#[test]
fn changed_products_pay_the_fees_of_new_values_only() {
    let mut file = catalog();
    let mut fee = file["productOfferingPrice"][1].clone();
    fee["id"] = json!("FAST-NRC");
    fee["priceType"] = json!("oneTime");
    file["productOfferingPrice"].as_array_mut().unwrap().push(fee);
    file["productOffering"][0]["productOfferingPrice"]
        .as_array_mut()
        .unwrap()
        .push(json!({ "id": "FAST-NRC" }));
    let mut request = items(Form::Quote, "1 NET modify speed=200");
    request["quoteItem"][0]["product"]["id"] = json!("P-1");
    let quote = create(&request, &rulebook(&file), &Policy::default(), NOW).unwrap();
    let once: Vec<String> = prices(&quote["quoteItem"][0], "quoteItemPrice");
    let once: Vec<&String> = once.iter().filter(|line| line.starts_with("oneTime")).collect();
    // A fee for what it becomes is charged.
    assert_eq!(once.len(), 1, "{once:?}");
    assert!(once[0].starts_with("oneTime NET-FAST"), "{once:?}");
}

#[test]
fn a_price_may_be_for_a_value_of_a_characteristic() {
    insta::assert_snapshot!(priced("1 NET speed=200 x2"), @r"
    1 NET
      recurring NET-MRC month: 39.99 EUR (42.79 with tax); WELCOME -20 EUR (-21.4 with tax) for 3
      recurring NET-FAST month: 10 EUR (11.9 with tax)
      oneTime NET-NRC: 49 EUR (58.31 with tax)
    = oneTime Once: 98 EUR (116.62 with tax)
    = recurring Recurring, each month month: 99.98 EUR (109.38 with tax); For the first 3 -40 EUR for 3
    ");
}

#[test]
fn tiers_of_usage_are_shown() {
    insta::assert_snapshot!(priced("1 VOICE"), @r"
    1 VOICE
      recurring VOICE-MRC month: 10 EUR (11.9 with tax)
      usage CALLS-1: 0 EUR (0 with tax) min volume 0 to 100
      usage CALLS-2: 0.019 EUR (0.02261 with tax) min volume from 100
    = recurring Recurring, each month month: 10 EUR (11.9 with tax)
    ");
}

#[test]
fn a_discount_of_a_bundle_is_on_what_is_in_it() {
    insta::assert_snapshot!(priced("1 BUNDLE"), @r"
    1 BUNDLE
      recurring FIVE month: 0 EUR (0 with tax); FIVE -5 EUR (-5.35 with tax)
      1.1 NET
        recurring NET-MRC month: 39.99 EUR (42.79 with tax); TEN -4 EUR (-4.28 with tax); WELCOME -18 EUR (-19.26 with tax) for 3
        oneTime NET-NRC: 49 EUR (58.31 with tax)
      1.2 VOICE
        recurring VOICE-MRC month: 10 EUR (11.9 with tax); TEN -1 EUR (-1.19 with tax)
        usage CALLS-1: 0 EUR (0 with tax) min volume 0 to 100
        usage CALLS-2: 0.019 EUR (0.02261 with tax) min volume from 100
    = oneTime Once: 49 EUR (58.31 with tax)
    = recurring Recurring, each month month: 39.99 EUR (43.87 with tax); For the first 3 -18 EUR for 3
    ");
}

#[test]
fn a_discount_takes_away_what_there_is_at_most() {
    let mut file = catalog();
    file["productOfferingPrice"][7]["price"]["value"] = json!(1_000);
    let text = priced_with(&file, "1 BUNDLE");
    assert!(text.contains("FIVE -26.99 EUR"), "{text}");
}

#[test]
fn a_price_counts_while_it_is_valid_and_active() {
    let mut file = catalog();
    file["productOfferingPrice"][0]["validFor"] = json!({ "endDateTime": "2026-01-01T00:00:00Z" });
    file["productOfferingPrice"][4]["lifecycleStatus"] = json!("Retired");
    assert_eq!(priced_with(&file, "1 NET"), "1 NET\n");
}

#[test]
fn products_of_an_order_have_the_prices_of_the_quote() {
    let rulebook = rulebook(&catalog());
    let request = items(Form::ProductOrder, "1 NET speed=200");
    let order = Order::parse(model::plan::Level::Product, &request).unwrap().at(NOW);
    let plan = decompose(&order, &request, &rulebook, &Answers::new()).unwrap();
    let line = |price: &Price| {
        let changes = price.alterations.iter();
        let changes =
            changes.map(|c| format!(", {} {} for {}", c.name, c.amount, c.lasts.unwrap().periods));
        let changes: String = changes.collect();
        format!("{} {} {}{changes}", price.kind.as_tmf(), price.id, price.amount)
    };
    let lines: Vec<String> = plan.items[0].prices.iter().map(line).collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    recurring NET-MRC 39.99 EUR, WELCOME -20.00 for 3
    recurring NET-FAST 10.00 EUR
    oneTime NET-NRC 49.00 EUR
    ");
}

#[test]
fn bills_have_the_quoted_prices_and_discounts_end() {
    use model::pricing::product_price::ProductPrice;
    use tmf::day::Day;
    let rulebook = rulebook(&catalog());
    let request = items(Form::ProductOrder, "1 NET");
    let order = Order::parse(model::plan::Level::Product, &request).unwrap().at(NOW);
    let plan = decompose(&order, &request, &rulebook, &Answers::new()).unwrap();
    let kind = model::journal::Kind::ProductOrder;
    let mut fulfilment = model::Fulfilment::new(model::FulfilmentId::new("f"), kind, request, NOW);
    let planned = model::Event::Planned { plan: std::sync::Arc::new(plan) };
    fulfilment.apply(NOW, &planned).unwrap();
    let changes = fulfilment.changes(&[planned], None);
    let product = changes.documents.iter().find(|document| document.resource == "product").unwrap();
    let prices = ProductPrice::all(&tmf::document::read(&product.body).unwrap()).unwrap();
    let day = |text: &str| Day::parse(text).unwrap();
    let on = |text: &str| prices[0].on(day(text), day("2026-03-12")).0.to_string();
    assert_eq!((on("2026-06-11").as_str(), on("2026-06-12").as_str()), ("19.99", "39.99"));
}

#[test]
fn the_shipped_packs_cost_what_their_catalogs_say() {
    let rulebook = shipped(&["superfibre", "triple-play", "mobile-4g"]);
    let mut text = String::new();
    for offering in rulebook.catalog().offerings.keys() {
        let request = json!({ "quoteItem": [{ "productOffering": { "id": offering } }] });
        let found = configure_quote(&request, &rulebook, NOW).unwrap();
        let checked = check(&found.order, rulebook.catalog());
        let charges = charges(&found.order, &checked.lines, &rulebook).concat();
        for total in totals(charges.iter().map(|charge| (1, charge))) {
            let gross = total.gross.unwrap();
            text.push_str(&format!("{offering} {} {} {gross}\n", total.kind.as_tmf(), total.net));
        }
    }
    insta::assert_snapshot!(text, @r"
    PO-4GEP-01 recurring 49.00 USD 53.9
    PO-SF200H oneTime 0.00 USD 0
    PO-SF200H recurring 89.00 USD 97.9
    PO-TP-BB oneTime 49.00 EUR 58.31
    PO-TP-BB recurring 40.00 EUR 47.6
    PO-TP-BUNDLE oneTime 49.00 EUR 58.31
    PO-TP-BUNDLE recurring 65.00 EUR 77.35
    PO-TP-TV recurring 15.00 EUR 17.85
    PO-TP-VOIP recurring 10.00 EUR 11.9
    ");
}
