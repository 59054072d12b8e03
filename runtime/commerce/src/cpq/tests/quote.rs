//! The life of a quote.

use super::*;
use model::decompose::decompose;
use model::plan::Level;

fn quoted(text: &str) -> Value {
    let mut quote = created(&items(Form::Quote, text)).unwrap();
    quote["id"] = json!("Q-1");
    quote
}

fn created(request: &Value) -> Result<Value, QuoteError> {
    create(request, &rulebook(&catalog()), &Policy::default(), NOW)
}

/// The quote after each patch; why where one is refused.
fn story(mut quote: Value, patches: &[Value]) -> String {
    let rulebook = rulebook(&catalog());
    let mut text = String::new();
    for patch in patches {
        let mut after = quote.clone();
        for (name, value) in patch.as_object().unwrap() {
            after[name] = value.clone();
        }
        let at = patch["at"].as_str().and_then(Timestamp::parse).unwrap_or(NOW);
        match patched(&quote, &after, &rulebook, &Policy::default(), at) {
            Ok(next) => {
                quote = next;
                let item = &quote["quoteItem"][0]["state"];
                text.push_str(&format!("{} (items {item})\n", quote["state"].as_str().unwrap()));
            }
            Err(error) => text.push_str(&format!("! {error}\n")),
        }
    }
    text
}

fn state(word: &str) -> Value {
    json!({ "state": word })
}

/// A request with a discount on the monthly price of the first item.
fn discounted(percent: u32) -> Value {
    let mut request = items(Form::Quote, "1 NET");
    request["quoteItem"][0]["quoteItemPrice"] = json!([{ "priceType": "recurring",
        "priceAlteration": [{ "name": "for you", "priceType": "recurring", "price": { "percentage": percent } }] }]);
    request
}

#[test]
fn a_quote_is_approved_and_accepted() {
    let quote = quoted("1 NET");
    assert_eq!(quote["state"], "inProgress");
    assert_eq!(quote["version"], "1");
    assert_eq!(quote["validFor"]["endDateTime"], "2026-04-11T00:00:00.000Z");
    insta::assert_snapshot!(story(quote, &[
        state("accepted"), state("approved"), state("accepted"), state("cancelled"),
    ]), @r#"
    ! `state` cannot go from `inProgress` to `accepted`
    approved (items "approved")
    accepted (items "approved")
    ! `state` cannot go from `accepted` to `cancelled`
    "#);
}

#[test]
fn a_large_discount_waits_for_a_person() {
    let quote = created(&discounted(30)).unwrap();
    let by = |person: Value| json!({ "state": "approved", "authorization": [{ "state": "approved", "approver": [person] }] });
    insta::assert_snapshot!(story(quote, &[
        state("approved"), by(json!({ "name": "Jo" })), state("pending"), state("approved"),
        by(json!({ "role": "boss" })), by(json!({ "name": "Jo" })),
    ]), @r#"
    ! `NET-MRC` is discounted by 30 %, above 20 %: the quote must be `pending`, and `authorization` have an entry with an `approver` and the state `approved`
    ! `NET-MRC` is discounted by 30 %, above 20 %: the quote must be `pending`, and `authorization` have an entry with an `approver` and the state `approved`
    pending (items "pending")
    ! `NET-MRC` is discounted by 30 %, above 20 %: the quote must be `pending`, and `authorization` have an entry with an `approver` and the state `approved`
    ! `NET-MRC` is discounted by 30 %, above 20 %: the quote must be `pending`, and `authorization` have an entry with an `approver` and the state `approved`
    approved (items "approved")
    "#);
    assert!(needs_approval(&created(&discounted(20)).unwrap(), &Policy::default()).is_empty());
}

#[test]
fn a_large_total_waits_for_a_person() {
    let quote = quoted("1 VOICE x3");
    let policy = Policy { total_max: 29.into(), ..Policy::default() };
    assert_eq!(needs_approval(&quote, &policy), ["the total of 30.00 EUR is above 29"]);
    assert!(needs_approval(&quote, &Policy { total_max: 30.into(), ..policy }).is_empty());
}

#[test]
fn a_quote_that_is_wanted_at_once_is_approved_or_pending_at_once() {
    let state_of = |mut request: Value| {
        request["instantSyncQuote"] = json!(true);
        created(&request).unwrap()["state"].clone()
    };
    assert_eq!(state_of(discounted(20)), "approved");
    assert_eq!(state_of(discounted(21)), "pending");
}

#[test]
fn an_expired_quote_cannot_be_accepted() {
    let late = json!({ "state": "accepted", "at": "2026-04-11T00:00:00Z" });
    insta::assert_snapshot!(story(quoted("1 NET"), &[state("approved"), late, state("rejected")]), @r#"
    approved (items "approved")
    ! `validFor` ended at 2026-04-11T00:00:00.000Z: make a new version
    rejected (items "rejected")
    "#);
}

#[test]
fn items_change_while_the_quote_is_in_progress_and_are_priced_anew() {
    let more = json!({ "quoteItem": items(Form::Quote, "1 VOICE x2")["quoteItem"],
        "quoteTotalPrice": [], "version": "7" });
    let (quote, rulebook) = (quoted("1 VOICE"), rulebook(&catalog()));
    let mut after = quote.clone();
    after["quoteItem"] = more["quoteItem"].clone();
    after["version"] = json!("7");
    let next = patched(&quote, &after, &rulebook, &Policy::default(), NOW).unwrap();
    assert_eq!(next["quoteTotalPrice"][0]["price"]["dutyFreeAmount"]["value"], json!(20));
    assert_eq!(next["version"], "1");
    insta::assert_snapshot!(story(quote, &[state("approved"), more]), @r#"
    approved (items "approved")
    ! `quoteItem` cannot change while the quote is `approved`: make a new version
    "#);
}

#[test]
fn discounts_by_hand_stay_when_the_quote_is_priced_again() {
    let rulebook = rulebook(&catalog());
    let mut quote = created(&discounted(10)).unwrap();
    let mut after = quote.clone();
    after["quoteItem"][0]["quantity"] = json!(2);
    let next = patched(&quote, &after, &rulebook, &Policy::default(), NOW).unwrap();
    assert_eq!(next["quoteItem"][0]["quoteItemPrice"], quote["quoteItem"][0]["quoteItemPrice"]);
    insta::assert_snapshot!(prices(&next["quoteItem"][0], "quoteItemPrice")[0], @"recurring NET-MRC month: 39.99 EUR (42.79 with tax); for you -4 EUR (-4.28 with tax); WELCOME -18 EUR (-19.26 with tax) for 3");
    quote["state"] = json!("rejected");
    let version = next_version(&quote, &rulebook, &Policy::default(), NOW).unwrap();
    assert_eq!(version["quoteItem"][0]["quoteItemPrice"], quote["quoteItem"][0]["quoteItemPrice"]);
}

#[test]
fn a_new_version_follows_an_approved_or_a_rejected_quote() {
    let rulebook = rulebook(&catalog());
    let mut quote = quoted("1 VOICE");
    let next = |quote: &Value| next_version(quote, &rulebook, &Policy::default(), NOW);
    assert!(next(&quote).is_err());
    for state in ["approved", "rejected"] {
        quote["state"] = json!(state);
        let next = next(&quote).unwrap();
        assert_eq!((&next["version"], &next["state"]), (&json!("2"), &json!("inProgress")));
        assert_eq!(next["quoteRelationship"][0]["id"], "Q-1");
        assert_eq!(next["quoteRelationship"][0]["relationshipType"], "supersedes");
        assert_eq!(next.get("id"), None);
    }
}

#[test]
fn a_quote_for_what_cannot_be_ordered_is_refused() {
    let refused = |text: &str| created(&items(Form::Quote, text)).unwrap_err().to_string();
    insta::assert_snapshot!(refused("1 NET speed=1"), @"item `1`: `speed` cannot be 1; allowed are 100, 200");
    let begun = created(&json!({ "quoteItem": [{}] })).unwrap();
    insta::assert_snapshot!(story(begun, &[state("approved"), state("cancelled")]), @r#"
    ! item `1`: names no productOffering
    cancelled (items "rejected")
    "#);
    let mut request = discounted(10);
    request["quoteItem"][0]["quoteItemPrice"][0]["priceAlteration"][0]["price"] = json!({});
    insta::assert_snapshot!(created(&request).unwrap_err(), @"item `1`: quoteItemPrice.priceAlteration.price has `percentage` from 0 to 100 (of a surcharge 1000), or `dutyFreeAmount`");
}

#[test]
fn discounts_by_hand_alter_a_price_or_are_refused() {
    let granted = |entry: Value| {
        let mut request = items(Form::Quote, "1 NET");
        request["quoteItem"][0]["quoteItemPrice"] = json!([entry]);
        match created(&request) {
            Ok(quote) => prices(&quote["quoteItem"][0], "quoteItemPrice").join("\n"),
            Err(error) => format!("! {error}"),
        }
    };
    let euro = |value: f64| json!({ "dutyFreeAmount": { "unit": "EUR", "value": value } });
    let table = [
        json!({ "priceType": "oneTime", "priceAlteration": [{ "name": "rush", "priceType": "surcharge", "price": euro(5.0) }] }),
        json!({ "priceType": "oneTime", "priceAlteration": [{ "name": "rush", "priceType": "surcharge", "price": { "percentage": 200 } }] }),
        json!({ "priceType": "oneTime", "priceAlteration": [{ "name": "less", "price": euro(-5.0) }] }),
        json!({ "priceType": "usage", "priceAlteration": [{ "price": { "percentage": 10 } }] }),
        json!({ "priceType": "monthly", "priceAlteration": [{ "price": { "percentage": 10 } }] }),
        json!({ "productOfferingPrice": { "id": "TV-MRC" }, "priceAlteration": [{ "price": { "percentage": 10 } }] }),
        json!({ "priceType": "oneTime", "priceAlteration": [{ "price": { "percentage": 101 } }] }),
        json!({ "priceType": "oneTime", "priceAlteration": [{ "price": { "dutyFreeAmount": { "unit": "USD", "value": 1 } } }] }),
        json!({ "priceType": "oneTime", "priceAlteration": [{ "price": euro(0.001) }] }),
        json!({ "priceType": "oneTime", "priceAlteration": [{ "applicationDuration": 0, "price": euro(1.0) }] }),
        json!({ "priceType": "recurring", "priceAlteration": [{ "applicationDuration": 3, "recurringChargePeriod": "moon", "price": euro(1.0) }] }),
        json!({ "priceType": "recurring", "priceAlteration": [{ "recurringChargePeriod": "week", "price": euro(1.0) }] }),
    ];
    let lines: Vec<String> = table.into_iter().map(granted).collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    recurring NET-MRC month: 39.99 EUR (42.79 with tax); WELCOME -20 EUR (-21.4 with tax) for 3
    oneTime NET-NRC: 49 EUR (58.31 with tax); rush 5 EUR (5.95 with tax)
    recurring NET-MRC month: 39.99 EUR (42.79 with tax); WELCOME -20 EUR (-21.4 with tax) for 3
    oneTime NET-NRC: 49 EUR (58.31 with tax); rush 98 EUR (116.62 with tax)
    recurring NET-MRC month: 39.99 EUR (42.79 with tax); WELCOME -20 EUR (-21.4 with tax) for 3
    oneTime NET-NRC: 49 EUR (58.31 with tax); less -5 EUR (-5.95 with tax)
    ! item `1`: quoteItemPrice.priceAlteration alters no price: the item has none of that id or `priceType`
    ! item `1`: quoteItemPrice.priceType is one of `oneTime`, `recurring`, `usage`
    ! item `1`: quoteItemPrice.priceAlteration alters no price: the item has none of that id or `priceType`
    ! item `1`: quoteItemPrice.priceAlteration.price has `percentage` from 0 to 100 (of a surcharge 1000), or `dutyFreeAmount`
    ! item `1`: quoteItemPrice.priceAlteration.price.dutyFreeAmount.unit is in the currency of no price of the item that it alters
    ! item `1`: quoteItemPrice.priceAlteration.price.dutyFreeAmount.value has more decimals than its currency
    ! item `1`: quoteItemPrice.priceAlteration.applicationDuration is a whole number from 1 to 1200
    ! item `1`: quoteItemPrice.priceAlteration.recurringChargePeriod is one of `day`, `week`, `month`, `quarter`, `year`, or a number of them
    ! item `1`: quoteItemPrice.priceAlteration.applicationDuration is missing: `recurringChargePeriod` tells the periods that it counts
    ");
}

#[test]
fn a_surcharge_by_hand_stays_one_when_the_quote_is_priced_again() {
    let mut request = items(Form::Quote, "1 NET");
    let rush = json!({ "name": "rush", "priceType": "surcharge", "applicationDuration": 2,
        "recurringChargePeriod": "week", "price": { "percentage": 10 } });
    request["quoteItem"][0]["quoteItemPrice"] =
        json!([{ "priceType": "recurring", "priceAlteration": [rush] }]);
    let once = created(&request).unwrap();
    let again = created(&once).unwrap();
    assert_eq!(again["quoteItem"][0]["quoteItemPrice"], once["quoteItem"][0]["quoteItemPrice"]);
    let prices = prices(&once["quoteItem"][0], "quoteItemPrice").join("\n");
    assert!(prices.contains("rush 2 EUR (2.14 with tax) for 2"), "{prices}");
}

fn accepted(text: &str) -> Value {
    let rulebook = rulebook(&catalog());
    let mut quote = quoted(text);
    for state in ["approved", "accepted"] {
        let mut after = quote.clone();
        after["state"] = json!(state);
        quote = patched(&quote, &after, &rulebook, &Policy::default(), NOW).unwrap();
    }
    quote
}

#[test]
fn an_accepted_quote_becomes_an_order_with_its_prices() {
    let order = order_of(&accepted("1 BUNDLE @home\n 2 VOICE x2 <1")).unwrap();
    assert_eq!(order["quote"][0]["id"], "Q-1");
    let mut text = table(Form::ProductOrder, &order, &|item| {
        let mut lines = prices(item, "itemPrice");
        lines.extend(prices(item, "itemTotalPrice").iter().map(|line| format!("= {line}")));
        assert_eq!(item["quoteItem"]["id"], item["id"]);
        lines
    });
    text.push_str(&prices(&order, "orderTotalPrice").join("\n"));
    insta::assert_snapshot!(text, @r"
    1 BUNDLE
      recurring FIVE month: 0 EUR (0 with tax); FIVE -5 EUR (-5.35 with tax)
      = recurring Recurring, each month month: -5 EUR (-5.35 with tax)
      1.1 NET
        recurring NET-MRC month: 39.99 EUR (42.79 with tax); TEN -4 EUR (-4.28 with tax); WELCOME -18 EUR (-19.26 with tax) for 3
        oneTime NET-NRC: 49 EUR (58.31 with tax)
        = oneTime Once: 49 EUR (58.31 with tax)
        = recurring Recurring, each month month: 35.99 EUR (38.51 with tax); For the first 3 -18 EUR for 3
    2 VOICE
      recurring VOICE-MRC month: 10 EUR (11.9 with tax); TEN -1 EUR (-1.19 with tax)
      usage CALLS-1: 0 EUR (0 with tax) min volume 0 to 100
      usage CALLS-2: 0.019 EUR (0.02261 with tax) min volume from 100
      = recurring Recurring, each month month: 18 EUR (21.42 with tax)
    oneTime Once: 49 EUR (58.31 with tax)
    recurring Recurring, each month month: 48.99 EUR (54.58 with tax); For the first 3 -18 EUR for 3
    ");
}

#[test]
fn only_accepted_quotes_become_orders() {
    insta::assert_snapshot!(order_of(&quoted("1 NET")).unwrap_err(), @"`state` is `inProgress`: accept the quote before it is ordered");
}

#[test]
fn quoted_prices_hold_when_the_catalog_becomes_dearer() {
    let order = order_of(&accepted("1 NET @home")).unwrap();
    let mut file = catalog();
    file["productOfferingPrice"][0]["price"]["value"] = json!(99);
    let amounts = |document: &Value| {
        let order = Order::parse(Level::Product, document).unwrap().at(NOW);
        let plan = decompose(&order, document, &rulebook(&file), &Answers::new()).unwrap();
        let prices = plan.items[0].prices.iter();
        prices.map(|price| format!("{} {:?}", price.amount, price.quote)).collect::<Vec<_>>()
    };
    assert_eq!(amounts(&order), ["39.99 EUR Some(\"Q-1\")", "49.00 EUR Some(\"Q-1\")"]);
    // Without a quote, the prices of an order do not count.
    let mut claimed = order;
    claimed["quote"] = json!([]);
    claimed["productOrderItem"][0]["quoteItem"] = Value::Null;
    assert_eq!(amounts(&claimed), ["99.00 EUR None", "49.00 EUR None"]);
}

#[test]
fn an_order_that_differs_from_its_quote_is_refused() {
    let quote = accepted("1 BUNDLE @home");
    let order = order_of(&quote).unwrap();
    assert_eq!(unbacked(&order, &quote), Vec::<String>::new());
    let mut cheaper = order.clone();
    cheaper["productOrderItem"][0]["productOrderItem"][0]["itemPrice"][0]["price"]["dutyFreeAmount"]
        ["value"] = json!(1);
    cheaper["productOrderItem"][0]["quantity"] = json!(2);
    let mut fewer = order.clone();
    fewer["productOrderItem"][0]["productOrderItem"].as_array_mut().unwrap().pop();
    let mut faster = order.clone();
    faster["productOrderItem"][0]["productOrderItem"][0]["product"]["productCharacteristic"][0]["value"] =
        json!(200);
    let mut unpriced = order;
    unpriced["productOrderItem"][0]["itemPrice"] = Value::Null;
    let orders = [cheaper, fewer, faster, unpriced];
    let wrong: Vec<String> = orders.iter().flat_map(|order| unbacked(order, &quote)).collect();
    insta::assert_snapshot!(wrong.join("\n"), @r"
    productOrderItem[0].quantity: is not what was quoted
    productOrderItem[0].productOrderItem[0].itemPrice: is not what was quoted
    productOrderItem: item `1.2` of the quote is missing
    productOrderItem[0].productOrderItem[0].product.productCharacteristic: is not what was quoted
    productOrderItem[0].itemPrice: is not what was quoted
    ");
}

#[test]
fn the_table_of_states_is_the_whole_of_it() {
    let rows = QuoteState::ALL.iter().map(|state| {
        let next = QuoteState::ALL.iter().filter(|next| state.may_become(**next));
        let next: Vec<_> = next.map(|next| next.as_str()).collect();
        format!("{state} -> {}", next.join(", "))
    });
    insta::assert_snapshot!(rows.collect::<Vec<_>>().join("\n"), @r"
    acknowledged -> inProgress, pending, rejected, cancelled
    inProgress -> pending, approved, cancelled
    pending -> inProgress, approved, rejected, cancelled
    approved -> accepted, rejected, declined, cancelled
    accepted -> 
    rejected -> 
    declined -> 
    cancelled -> 
    ");
}
