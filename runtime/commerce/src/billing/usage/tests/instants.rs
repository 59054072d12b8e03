//! Usage by instants: the product as it was when it was used, however late the usage comes in.

use proptest::prelude::*;

use super::*;
use crate::billing::charge::Until;

/// A product, a version a line: `time status start end price`, with `-` for what is not there.
fn versions_of(text: &str) -> Vec<(Timestamp, Value)> {
    let mut versions = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let mut words = line.split(' ');
        let mut word = || words.next().unwrap();
        let (since, status, start, end, price) = (word(), word(), word(), word(), word());
        let mut version = phone("phone-1", "+4930123");
        version["status"] = json!(status);
        for (name, value) in [("startDate", start), ("terminationDate", end)] {
            version[name] = if value == "-" { Value::Null } else { json!(time(value).to_string()) };
        }
        version["productPrice"][0]["price"]["dutyFreeAmount"]["value"] = json!(price);
        versions.push((time(since), version));
    }
    versions
}

/// A time such as `10T12:00`, in March 2026.
fn time(text: &str) -> Timestamp {
    at(&format!("2026-03-{text}:00Z"))
}

fn prices(text: &str, times: &[&str]) -> String {
    let history = history(&versions_of(text));
    let candidates = [history];
    let lines = times.iter().map(|text| {
        let usage = call("u1", &time(text).to_string(), 60);
        match guide(&read(&usage), &candidates, &BTreeMap::new(), Zone::UTC) {
            Ok(guided) => format!("{text} {}", guided.price.amount.amount),
            Err(rejection) => format!("{text} {}", rejection.code()),
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn usage_is_charged_from_the_start_up_to_the_end_by_the_instant() {
    let text = "05T08:00 active 10T12:00 - 0.1
                20T09:00 terminated 10T12:00 19T12:00 0.1";
    insta::assert_snapshot!(prices(text, &["10T11:59", "10T12:00", "19T11:59", "19T12:00", "20T10:00"]), @r"
    10T11:59 NOT_ACTIVE
    10T12:00 0.1
    19T11:59 0.1
    19T12:00 NOT_ACTIVE
    20T10:00 NOT_ACTIVE
    ");
}

#[test]
fn usage_stops_with_a_suspension_and_begins_with_the_resumption() {
    let text = "05T08:00 active 05T08:00 - 0.1
                10T12:00 suspended 05T08:00 - 0.1
                12T12:00 pendingTerminate 05T08:00 - 0.1
                13T12:00 active 05T08:00 - 0.1
                14T12:00 pendingTerminate 05T08:00 - 0.1
                15T12:00 terminated 05T08:00 15T12:00 0.1";
    let times = ["10T11:59", "10T12:00", "12T13:00", "13T12:00", "14T13:00", "15T12:00"];
    insta::assert_snapshot!(prices(text, &times), @r"
    10T11:59 0.1
    10T12:00 NOT_ACTIVE
    12T13:00 NOT_ACTIVE
    13T12:00 0.1
    14T13:00 0.1
    15T12:00 NOT_ACTIVE
    ");
}

#[test]
fn usage_costs_what_the_price_was_at_its_instant() {
    // What was written first counts back to the start.
    let text = "05T08:00 pendingActive 02T00:00 - 0.5
                06T08:00 active 02T00:00 - 0.1
                10T12:00 active 02T00:00 - 0.9";
    let times = ["01T12:00", "02T00:00", "05T12:00", "10T11:59", "10T12:00"];
    insta::assert_snapshot!(prices(text, &times), @r"
    01T12:00 NOT_ACTIVE
    02T00:00 0.1
    05T12:00 0.1
    10T11:59 0.1
    10T12:00 0.9
    ");
    // Without a start it begins when it is active.
    let text = "05T08:00 created - - 0.5
                06T08:00 active - - 0.1";
    insta::assert_snapshot!(prices(text, &["05T12:00", "06T08:00"]), @r"
    05T12:00 NOT_ACTIVE
    06T08:00 0.1
    ");
}

#[test]
fn a_tariff_of_the_catalog_is_that_of_the_instant() {
    let mut line = calls();
    line.as_object_mut().unwrap().remove("tariff");
    line["productOfferingPrice"] = json!({ "id": "pop-calls" });
    let mut product = phone("phone-1", "+4930123");
    product["productPrice"] = json!([line]);
    let tariff = |allowance: u32| {
        let mut tariff = calls()["tariff"].clone();
        tariff["allowance"] = json!(allowance);
        json!({ "id": "pop-calls", "tariff": tariff })
    };
    let versions = vec![(time("15T12:00"), tariff(700)), (time("05T12:00"), tariff(600))];
    let catalog = BTreeMap::from([("pop-calls".to_owned(), super::versions(&versions))]);
    let history = history(&[(time("05T12:00"), product)]);
    let candidates = [history];
    for (text, allowance) in [("02T12:00", 600), ("15T11:59", 600), ("15T12:00", 700)] {
        let usage = call("u1", &time(text).to_string(), 60);
        let guided = guide(&read(&usage), &candidates, &catalog, Zone::UTC).unwrap();
        assert_eq!(guided.tariff.allowance, Decimal::from(allowance), "{text}");
    }
}

#[test]
fn usage_goes_to_the_payer_of_its_instant() {
    let mut product = phone("phone-1", "+4930123");
    let mut versions = vec![(time("05T08:00"), product.clone())];
    product["billingAccount"] = json!({ "id": "acc-2" });
    versions.push((time("10T08:00"), product.clone()));
    product["productPrice"][0]["billingAccount"] = json!({ "id": "boss" });
    versions.push((time("15T08:00"), product.clone()));
    let history = history(&versions);
    let candidates = [history];
    let mut usages = Vec::new();
    for (id, text) in [("u1", "09T08:00"), ("u2", "11T08:00"), ("u3", "16T08:00")] {
        let usage = call(id, &time(text).to_string(), 60);
        let guided = guide(&read(&usage), &candidates, &BTreeMap::new(), Zone::UTC).unwrap();
        let rating = answer(guided.quantity, Decimal::ZERO);
        usages.push(rated(&usage, &guided, &rating, Decimal::ZERO, &vat(), NOW).unwrap());
    }
    let made = bill(&usages, &Until::all(day("2026-04-01")), &terms(), NOW);
    let accounts: Vec<_> = made.rates.iter().map(|rate| rate.account.as_deref()).collect();
    assert_eq!(accounts, [Some("acc-1"), Some("acc-2"), Some("boss")]);
}

/// The input of a rater for a usage of the phone in a zone.
fn told(product: &Value, usage: &Value, zone: Zone) -> Value {
    let history = history(&[(time("02T10:00"), product.clone())]);
    let candidates = [history];
    let guided = guide(&read(usage), &candidates, &BTreeMap::new(), zone).unwrap();
    write(&guided.rating_input(Decimal::ZERO, decimal("19")))
}

#[test]
fn bands_go_by_the_clocks_of_the_billing_zone() {
    let berlin = Zone::named("Europe/Berlin").unwrap();
    let product = phone("phone-1", "+4930123");
    // Clocks go forward on the 29th at one o'clock in UTC.
    let table = [
        ("28T23:30", "00:30", "7", "2026-03-29"),
        ("29T00:59", "01:59", "7", "2026-03-29"),
        ("29T01:00", "03:00", "7", "2026-03-29"),
        ("29T22:00", "00:00", "1", "2026-03-30"),
    ];
    for (text, clock, weekday, date) in table {
        let input = told(&product, &call("u1", &time(text).to_string(), 60), berlin);
        let attributes = &input["prices"][0]["attributes"];
        assert_eq!((&attributes["time"], &attributes["weekday"]), (&json!(clock), &json!(weekday)));
        assert_eq!(input["start"], json!(date));
    }
}

#[test]
fn alterations_change_what_a_unit_costs_while_they_last() {
    let mut product = phone("phone-1", "+4930123");
    product["startDate"] = json!("2026-03-02T10:00:00Z");
    let price = &mut product["productPrice"][0];
    price["tariff"]["tiers"] = json!([{ "upTo": 60, "price": 0.2 }, { "price": 0.1 }]);
    price["productPriceAlteration"] = json!([
        { "name": "half", "priceType": "discount", "price": { "percentage": 50 },
          "applicationDuration": 2, "recurringChargePeriod": "week" },
        { "name": "night", "priceType": "surcharge",
          "price": { "dutyFreeAmount": { "unit": "EUR", "value": 0.01 } } },
    ]);
    let costs = |text: &str| {
        let input = told(&product, &call("u1", &time(text).to_string(), 60), Zone::UTC);
        let price = &input["prices"][0];
        let tiers = price["attributes"]["tiers"].as_str().unwrap();
        format!("{} {tiers}", price["amount"]["amount"].as_str().unwrap())
    };
    assert_eq!(costs("15T23:59"), r#"0.055 [{"price":"0.11","upTo":"60"},{"price":"0.06"}]"#);
    assert_eq!(costs("16T00:00"), r#"0.1 [{"price":"0.21","upTo":"60"},{"price":"0.11"}]"#);
}

#[test]
fn an_alteration_of_usage_of_another_quote_begins_anew() {
    let agreed = |quote: &str| {
        let mut product = phone("phone-1", "+4930123");
        product["startDate"] = json!("2026-03-02T10:00:00Z");
        product["productPrice"][0]["productPriceAlteration"] = json!([
            { "name": "half", "priceType": "discount", "price": { "percentage": 50 },
              "applicationDuration": 1, "recurringChargePeriod": "week", "quote": { "id": quote } },
        ]);
        product
    };
    let cost = |second: &str| {
        let product = agreed(second);
        let versions = vec![(time("02T10:00"), agreed("Q-1")), (time("15T12:00"), product)];
        let history = history(&versions);
        let candidates = [history];
        let usage = call("u1", &time("16T10:00").to_string(), 60);
        let guided = guide(&read(&usage), &candidates, &BTreeMap::new(), Zone::UTC).unwrap();
        let input = write(&guided.rating_input(Decimal::ZERO, decimal("19")));
        input["prices"][0]["amount"]["amount"].clone()
    };
    let (whole, half) = (cost("Q-1"), cost("Q-2"));
    let number = |amount: &Value| decimal(amount.as_str().unwrap());
    assert_eq!(number(&half) * Decimal::TWO, number(&whole));
}

#[test]
fn a_price_with_tax_is_billed_at_it() {
    let mut product = phone("phone-1", "+4930123");
    let gross = json!({ "taxIncludedAmount": { "unit": "EUR", "value": 9.99 }, "taxRate": 19 });
    product["productPrice"][0]["price"] = gross;
    let usage = call("u1", &time("10T10:00").to_string(), 60);
    let input = told(&product, &usage, Zone::UTC);
    assert_eq!(
        (&input["taxRate"], &input["prices"][0]["amount"]["amount"]),
        (&json!("0"), &json!("9.99"))
    );
    let guided = guided_by(&usage, &[product]).unwrap();
    let charge = json!({
        "net": { "currency": "EUR", "amount": "9.99" },
        "tax": { "currency": "EUR", "amount": "0" },
        "attributes": { "units": "60", "free-units": "0" },
    });
    let rating = rating(&json!({ "charges": [charge] })).unwrap();
    let usage = rated(&usage, &guided, &rating, Decimal::ZERO, &vat(), NOW).unwrap();
    let line = &usage["ratedProductUsage"][0];
    assert_eq!(line["taxExcludedRatingAmount"]["value"], json!(8.394958));
    assert_eq!(line["taxIncludedRatingAmount"]["value"], json!(9.99));
    let made = bill(&[usage], &Until::all(day("2026-04-01")), &terms(), NOW);
    assert_eq!(made.rates[0].gross(), money("9.99 EUR"));
    assert_eq!(made.rates[0].net, money("8.39 EUR"));
}

/// A server in small: usage that comes in is rated at once, and all is brought up to date when it is
/// billed.
struct Server {
    versions: Vec<(Timestamp, Value)>,
    usages: Vec<Value>,
    now: Timestamp,
}

impl Server {
    fn rated(&self, usage: &Value) -> Value {
        let history = history(&self.versions);
        let candidates = [history];
        let guided = match guide(&read(usage), &candidates, &BTreeMap::new(), Zone::UTC) {
            Ok(guided) => guided,
            Err(rejection) => return rejected(usage, &rejection).unwrap(),
        };
        let others = self.others();
        let used = used_before(&guided, &others, days("2026-03-01..2026-04-01"), month);
        let free = (guided.tariff.allowance - used).clamp(Decimal::ZERO, guided.quantity);
        let net = (guided.quantity - free) * guided.price.amount.amount;
        let charge = json!({
            "net": { "currency": "EUR", "amount": net.to_string() },
            "tax": { "currency": "EUR", "amount": "0" },
            "attributes": { "units": guided.quantity.to_string(), "free-units": free.to_string() },
        });
        let rating = rating(&json!({ "charges": [charge] })).unwrap();
        rated(usage, &guided, &rating, used, &[], self.now).unwrap()
    }

    fn others(&self) -> Vec<Rated> {
        self.usages.iter().filter_map(cost).collect()
    }

    fn settle(&mut self) {
        let since = self.versions.last().unwrap().0;
        for _ in 0..16 {
            let others = self.others();
            let stale = stale(&others, month, since, self.now);
            for id in &stale {
                let index = self.usages.iter().position(|one| one["id"] == json!(id)).unwrap();
                self.usages[index] = self.rated(&self.usages[index]);
            }
            if stale.is_empty() {
                return;
            }
        }
        panic!("it never settles");
    }

    fn sum(&self) -> Decimal {
        self.others().iter().map(|one| one.net.amount).sum()
    }
}

proptest! {
    /// Usage comes in whenever it does, before, between and after changes of price and status.
    #[test]
    fn any_order_of_arrival_makes_the_same_sum(
        calls in prop::collection::vec((1..28_u32, 0..24_u32, 1..400_u32, 0..28_u32), 1..10),
        changes in prop::collection::btree_map(2..27_u32, (1..9_u32, any::<bool>()), 0..5),
        end in prop::option::of(10..28_u32),
    ) {
        let product = |price: u32, status: &str, end: Option<u32>| {
            let mut product = phone("phone-1", "+4930123");
            product["startDate"] = json!("2026-03-02T10:00:00Z");
            product["status"] = json!(status);
            product["productPrice"][0]["price"]["dutyFreeAmount"]["value"] = json!(price);
            product["terminationDate"] = end.map_or(Value::Null, |end| json!(time(&format!("{end:02}T05:00")).to_string()));
            product
        };
        let mut facts = vec![(time("02T10:00"), product(1, "active", None))];
        for (day, (price, is_active)) in &changes {
            let status = if *is_active { "active" } else { "suspended" };
            facts.push((time(&format!("{day:02}T12:30")), product(*price, status, None)));
        }
        if let Some(end) = end {
            // The end is told late.
            facts.push((at("2026-03-30T00:00:00Z"), product(1, "terminated", Some(end))));
        }
        let usage = |index: usize, (day, hour, seconds, _): &(u32, u32, u32, u32)| {
            call(&format!("u{index}"), &time(&format!("{day:02}T{hour:02}:00")).to_string(), *seconds)
        };
        // Each call comes in some days after it was made; or all of them at the end.
        let played = |late: bool| {
            let mut events: Vec<(Timestamp, Option<Value>, Option<Value>)> = facts.iter()
                .map(|(since, version)| (*since, Some(version.clone()), None)).collect();
            for (index, one) in calls.iter().enumerate() {
                let usage = usage(index, one);
                let used = at(usage["usageDate"].as_str().unwrap());
                let delay = if late { 60 } else { u64::from(one.3) };
                // None comes in before there is a product.
                let told = used.plus_ms(delay * 86_400_000 + 1).max(facts[0].0);
                events.push((told, None, Some(usage)));
            }
            events.sort_by_key(|(told, ..)| *told);
            let mut server = Server { versions: Vec::new(), usages: Vec::new(), now: Timestamp(0) };
            for (told, version, usage) in events {
                server.now = told;
                server.versions.extend(version.map(|version| (told, version)));
                if let Some(usage) = usage {
                    let usage = server.rated(&usage);
                    server.usages.push(usage);
                }
            }
            server.now = at("2026-06-01T00:00:00Z");
            server.settle();
            server
        };
        let (some, all) = (played(false), played(true));
        prop_assert_eq!(some.sum(), all.sum());
        // By hand: the earliest take the allowance, each at the price of its instant.
        let mut by_time: Vec<_> = calls.iter().enumerate().map(|(index, one)| {
            (at(usage(index, one)["usageDate"].as_str().unwrap()), format!("u{index}"), one.2)
        }).collect();
        by_time.sort();
        let (mut left, mut sum) = (600_u32, 0_u32);
        for (used, _, seconds) in by_time {
            let (_, now) = facts.iter().rev().find(|(since, _)| *since <= used).unwrap_or(&facts[0]);
            let is_over = end.is_some_and(|end| used >= time(&format!("{end:02}T05:00")));
            if now["status"] == "suspended" || used < facts[0].0 || is_over {
                continue;
            }
            let free = left.min(seconds);
            left -= free;
            let price = now["productPrice"][0]["price"]["dutyFreeAmount"]["value"].as_u64().unwrap();
            sum += (seconds - free) * u32::try_from(price).unwrap();
        }
        prop_assert_eq!(all.sum(), Decimal::from(sum));
    }
}
