//! Rules 2.2, 2.5 and 3.4: parts of a period add up to it, prices that are alike are told apart, and
//! what alters a price counts from when the product had it first.

use super::*;

/// A recurring price of an amount of some currency.
fn price(name: &str, amount: &str, currency: &str, period: &str) -> Value {
    json!({
        "name": name, "priceType": "recurring", "recurringChargePeriod": period,
        "price": { "dutyFreeAmount": { "unit": currency, "value": amount } },
    })
}

/// The rates of a product in the end, if it is charged up to each of some days.
fn in_runs(product: &Value, history: &str, days: &[Day], terms: &Terms) -> Vec<Rate> {
    let timeline = timeline(product, history);
    let mut rates: Vec<Rate> = Vec::new();
    for until in days {
        let all = Until::all(*until);
        rates.extend(due(product, &timeline, &rates, &all, terms, start(*until)).unwrap());
        assert_eq!(due(product, &timeline, &rates, &all, terms, start(*until)), Ok(Vec::new()));
    }
    rates
}

fn net(rates: &[Rate]) -> Decimal {
    rates.iter().map(|rate| rate.net.amount).sum()
}

fn each_day(from: &str, until: &str) -> Vec<Day> {
    let (from, until) = (day(from), day(until));
    (1..=from.days_until(until)).map(|number| from.plus_days(number)).collect()
}

#[test]
fn a_bill_on_each_day_of_a_month_comes_to_the_month() {
    let january = each_day("2026-01-01", "2026-02-01");
    for (amount, currency) in [("10", "EUR"), ("0.15", "EUR"), ("10", "JPY"), ("9.999", "KWD")] {
        let fibre =
            product("active", "2026-01-01", &json!([price("F", amount, currency, "month")]));
        let rates = in_runs(&fibre, "", &january, &terms());
        assert_eq!(rates.len(), 31, "{amount} {currency}");
        assert_eq!(net(&rates), decimal(amount), "{amount} {currency}");
    }
    let week = product("active", "2026-01-01", &json!([price("F", "10", "EUR", "week")]));
    let rates = in_runs(&week, "", &each_day("2026-01-01", "2026-01-29"), &terms());
    assert_eq!(net(&rates), decimal("40"));
}

#[test]
fn a_price_with_tax_comes_to_what_it_is_told_at() {
    let with_tax = |amount: &str| {
        let mut price = price("F", amount, "EUR", "month");
        let told =
            json!({ "taxIncludedAmount": { "unit": "EUR", "value": amount }, "taxRate": 19 });
        price["price"] = told;
        product("active", "2026-01-01", &json!([price]))
    };
    let gross = |rates: &[Rate]| rates.iter().map(|rate| rate.gross().amount).sum::<Decimal>();
    for amount in ["9.99", "39.99", "0.07"] {
        for days in [vec![day("2026-02-01")], each_day("2026-01-01", "2026-02-01")] {
            let rates = in_runs(&with_tax(amount), "", &days, &terms());
            assert_eq!(gross(&rates), decimal(amount), "{} runs", days.len());
        }
    }
}

#[test]
fn suspensions_and_discounts_that_end_within_a_month_add_up() {
    let mut half = price("F", "10", "EUR", "month");
    half["productPriceAlteration"] = json!([{ "name": "Half", "priceType": "discount",
        "applicationDuration": 1, "recurringChargePeriod": "week", "price": { "percentage": 50 } }]);
    let fibre = product("active", "2026-01-01", &json!([half]));
    let history = "2026-01-01 active, 2026-01-11 suspended, 2026-01-18 active";
    // 7 days at the half, 3 and 14 at the whole.
    let exact = (decimal("7") * decimal("5") + decimal("17") * decimal("10")) / decimal("31");
    let expected = Rounding::Commercial.of(exact, euro()).amount;
    let rates = in_runs(&fibre, history, &[day("2026-02-01")], &terms());
    assert_eq!(net(&rates), expected, "{}", shown(&rates));
    let rates = in_runs(&fibre, history, &each_day("2026-01-01", "2026-02-01"), &terms());
    assert_eq!(net(&rates), expected, "{}", shown(&rates));
}

#[test]
fn a_charge_of_a_rater_at_its_own_amount_is_not_made_up_for() {
    let fibre = product("active", "2026-01-01", &json!([price("F", "31", "EUR", "month")]));
    let first = in_runs(&fibre, "", &[day("2026-01-11")], &terms());
    let gift = Rate { net: money("0.00 EUR"), taxes: Vec::new(), ..first[0].clone() };
    let then = more(&fibre, "", &[gift], "2026-01-01..2026-02-01");
    assert_eq!(net(&then), decimal("21"));
}

#[test]
fn of_a_charge_no_more_is_given_back_than_it_came_to() {
    let fibre =
        |status| product(status, "2026-01-01", &json!([price("F", "0.02", "EUR", "month")]));
    let mut rates = in_runs(&fibre("active"), "", &[day("2026-02-01")], &terms());
    for number in 1..31 {
        let one = day("2026-01-01").plus_days(number);
        let history =
            format!("2026-01-01 active, {} terminated", day("2026-02-01").plus_days(-number));
        let timeline = timeline(&fibre("terminated"), &history);
        let until = Until::all(day("2026-02-01"));
        let fibre = fibre("terminated");
        rates.extend(due(&fibre, &timeline, &rates, &until, &terms(), start(one)).unwrap());
        assert!(net(&rates) >= Decimal::ZERO, "{}", shown(&rates));
    }
}

#[test]
fn prices_of_one_name_are_all_charged() {
    let seat = |amount: &str| price("Seat", amount, "EUR", "month");
    let install = |amount: &str| {
        json!({ "name": "Install", "priceType": "oneTime",
            "price": { "dutyFreeAmount": { "unit": "EUR", "value": amount } } })
    };
    let prices = json!([seat("10"), seat("10"), install("10"), install("20")]);
    let fibre = product("active", "2026-01-01", &prices);
    let rates = in_runs(&fibre, "", &[day("2026-02-01"), day("2026-03-01")], &terms());
    assert_eq!(net(&rates), decimal("70"));
    let keys: Vec<_> = rates.iter().filter_map(|rate| rate.price.as_deref()).collect();
    assert_eq!(keys, ["Seat", "Seat#2", "Install", "Install#2", "Seat", "Seat#2"]);
    // A rate without a place is that of the first price.
    let earlier: Vec<Rate> =
        rates.iter().filter(|rate| rate.price.as_deref() == Some("Seat")).cloned().collect();
    let made = more(&fibre, "", &earlier, "2026-01-01..2026-03-01");
    assert_eq!(net(&made), decimal("50"), "{}", shown(&made));
}

#[test]
fn a_name_that_looks_like_a_place_is_its_own() {
    let prices = json!(["A", "A", "A#2", "A", "A#2"].map(|name| price(name, "1", "EUR", "month")));
    let fibre = product("active", "2026-01-01", &prices);
    let rates = in_runs(&fibre, "", &[day("2026-02-01")], &terms());
    let keys: Vec<_> = rates.iter().filter_map(|rate| rate.price.as_deref()).collect();
    assert_eq!(keys, ["A", "A#3", "A#2", "A#4", "A#2#2"]);
}

/// A list of prices: names that repeat, amounts, and whether each is charged once.
fn lists() -> impl Strategy<Value = Vec<Value>> {
    let one = (0..3_usize, 1..9_000_i64, any::<bool>(), any::<bool>());
    prop::collection::vec(one, 1..6).prop_map(|all| {
        let prices = all.into_iter().map(|(name, cents, is_once, is_listed)| {
            let amount = Decimal::new(cents, 2).to_string();
            let mut price = price(["A", "B", "C"][name], &amount, "EUR", "month");
            if is_once {
                price["priceType"] = json!("oneTime");
            }
            if is_listed {
                price["productOfferingPrice"] = json!({ "id": (["A", "B", "X"][name]) });
            }
            price
        });
        prices.collect()
    })
}

proptest! {
    #[test]
    fn a_patch_of_something_else_changes_no_sum(
        prices in lists(),
        patches in prop::collection::vec(0..60_i64, 0..5),
    ) {
        let fibre = product("active", "2026-01-01", &json!(prices));
        let until = day("2026-03-01");
        let plain = in_runs(&fibre, "", &[day("2026-02-01"), until], &terms());
        let mut changes = vec![(at("2026-01-01T10:00:00Z"), fibre.clone())];
        for (number, after) in patches.iter().enumerate() {
            let mut patched = fibre.clone();
            patched["description"] = json!(number.to_string());
            changes.push((start(day("2026-01-01").plus_days(*after)).plus_ms(1), patched));
        }
        let mut rates: Vec<Rate> = Vec::new();
        for until in [day("2026-02-01"), until] {
            let mut known = changes.clone();
            known.retain(|(since, _)| *since < start(until));
            let timeline = Timeline::of_versions(&versions(&known), tmf::zone::Zone::UTC).unwrap();
            rates.extend(due(&fibre, &timeline, &rates, &Until::all(until), &terms(), start(until)).unwrap());
        }
        prop_assert_eq!(net(&rates), net(&plain));
    }

    #[test]
    fn however_a_period_is_parted_the_sum_is_the_price(
        amount in 1..20_000_i64,
        currency in prop::sample::select(vec![("EUR", 2), ("JPY", 0), ("KWD", 3)]),
        period in prop::sample::select(vec![("month", 1), ("quarter", 3), ("year", 12)]),
        is_even in any::<bool>(),
        cuts in prop::collection::btree_set(1..365_i64, 0..12),
    ) {
        let amount = Decimal::new(amount, currency.1);
        let fibre = product("active", "2026-01-01", &json!([price("F", &amount.to_string(), currency.0, period.0)]));
        let rounding = if is_even { Rounding::HalfEven } else { Rounding::Commercial };
        // Billed by the year, so that nothing is charged ahead.
        let cycle = Cycle::read(&tmf::document::read(&json!({ "frequency": "yearly" })).unwrap()).unwrap();
        let terms = Terms { rounding, cycle, ..terms() };
        let mut days: Vec<Day> = cuts.iter().map(|number| day("2026-01-01").plus_days(*number)).collect();
        days.push(day("2027-01-01"));
        let rates = in_runs(&fibre, "", &days, &terms);
        prop_assert_eq!(net(&rates), amount * Decimal::from(12 / period.1));
        prop_assert!(rates.iter().all(|rate| rate.net.amount >= Decimal::ZERO));
    }
}

#[test]
fn an_alteration_that_is_put_back_does_not_begin_anew() {
    let plain = price("F", "31", "EUR", "month");
    let mut free = plain.clone();
    free["productPriceAlteration"] = json!([{ "name": "First month free", "priceType": "discount",
        "applicationDuration": 1, "price": { "percentage": 100 } }]);
    let with = |prices: &Value| product("active", "2026-01-01", &json!([prices]));
    let known = [
        (at("2026-01-01T10:00:00Z"), with(&free)),
        (at("2026-02-10T10:00:00Z"), with(&plain)),
        (at("2026-02-20T10:00:00Z"), with(&free)),
    ];
    let timeline = Timeline::of_versions(&versions(&known), tmf::zone::Zone::UTC).unwrap();
    let until = Until::all(day("2026-05-01"));
    let rates = due(&known[2].1, &timeline, &[], &until, &terms(), at(RUN)).unwrap();
    assert_eq!(net(&rates), decimal("93"), "{}", shown(&rates));
}

#[test]
fn an_alteration_of_another_quote_begins_anew_under_the_same_name() {
    let agreed = |quote: Option<&str>| {
        let mut price = price("F", "31", "EUR", "month");
        let mut loyal = json!({ "name": "Loyal", "priceType": "discount",
            "applicationDuration": 1, "price": { "percentage": 100 } });
        if let Some(quote) = quote {
            loyal["quote"] = json!({ "id": quote });
        }
        price["productPriceAlteration"] = json!([loyal]);
        product("active", "2026-01-01", &json!([price]))
    };
    let owed = |second: Option<&str>| {
        let known = [
            (at("2026-01-01T10:00:00Z"), agreed(Some("Q-1"))),
            (at("2026-03-01T10:00:00Z"), agreed(second)),
        ];
        let timeline = Timeline::of_versions(&versions(&known), tmf::zone::Zone::UTC).unwrap();
        let until = Until::all(day("2026-05-01"));
        net(&due(&known[1].1, &timeline, &[], &until, &terms(), at(RUN)).unwrap())
    };
    // January is free, and March too if another quote gives it.
    assert_eq!(owed(Some("Q-1")), decimal("93"));
    assert_eq!(owed(Some("Q-2")), decimal("62"));
}

#[test]
fn an_alteration_that_comes_during_a_suspension_begins_after_it() {
    let plain = price("F", "30", "EUR", "month");
    let mut free = plain.clone();
    free["productPriceAlteration"] = json!([{ "name": "Month free", "priceType": "discount",
        "applicationDuration": 1, "price": { "percentage": 100 } }]);
    let with = |status: &str, prices: &Value| product(status, "2026-01-01", &json!([prices]));
    let known = [
        (at("2026-01-01T10:00:00Z"), with("active", &plain)),
        (at("2026-02-01T10:00:00Z"), with("suspended", &free)),
        (at("2026-04-01T10:00:00Z"), with("active", &free)),
    ];
    let timeline = Timeline::of_versions(&versions(&known), tmf::zone::Zone::UTC).unwrap();
    let until = Until::all(day("2026-06-01"));
    let rates = due(&known[2].1, &timeline, &[], &until, &terms(), at(RUN)).unwrap();
    // January and May; April is free.
    assert_eq!(net(&rates), decimal("60"), "{}", shown(&rates));
}

#[test]
fn a_version_that_cannot_be_read_is_passed_over_if_a_later_one_can_be() {
    let bad = json!({ "name": "F", "priceType": "recurring", "recurringChargePeriod": "fortnight",
        "price": { "dutyFreeAmount": { "unit": "eur", "value": 31 } } });
    let good = price("F", "31", "EUR", "month");
    let with = |prices: &Value| product("active", "2026-01-01", &json!([prices]));
    let known = [
        (at("2026-01-01T10:00:00Z"), with(&bad)),
        (at("2026-01-20T10:00:00Z"), with(&good)),
        (at("2026-02-10T10:00:00Z"), with(&bad)),
        (at("2026-02-12T10:00:00Z"), with(&good)),
    ];
    let utc = tmf::zone::Zone::UTC;
    let timeline = Timeline::of_versions(&versions(&known), utc).unwrap();
    let until = Until::all(day("2026-03-01"));
    let rates = due(&known[3].1, &timeline, &[], &until, &terms(), at(RUN)).unwrap();
    assert_eq!(net(&rates), decimal("62"), "{}", shown(&rates));
    assert!(Timeline::of_versions(&versions(&known[..3]), utc).is_err());
}

#[test]
fn a_history_of_ten_years_is_charged_once_and_in_a_moment() {
    let fibre = product("active", "2016-01-01", &json!([price("F", "10", "EUR", "month")]));
    let days: Vec<Day> = (1..=120).map(|month| day("2016-01-01").plus_months(month)).collect();
    let rates = in_runs(&fibre, "", &days, &terms());
    assert_eq!((rates.len(), net(&rates)), (120, decimal("1200")));
    let late = in_runs(&fibre, "", &days[119..], &terms());
    assert_eq!((late.len(), net(&late)), (120, decimal("1200")));
}

#[test]
fn days_that_were_paid_ahead_count_when_the_bill_day_changes() {
    let fibre = product("active", "2026-03-10", &json!([price("F", "365", "EUR", "year")]));
    let later =
        Cycle::read(&tmf::document::read(&json!({ "billingDateShift": 14 })).unwrap()).unwrap();
    let timeline = timeline(&fibre, "");
    let first = in_runs(&fibre, "", &[day("2026-04-01")], &terms());
    assert_eq!(net(&first), decimal("356"));
    let terms = Terms { cycle: later, ..terms() };
    let until = |text| Until::all(day(text));
    let due = |text, at| due(&fibre, &timeline, &first, &until(text), &terms, start(day(at)));
    assert_eq!(due("2026-05-15", "2026-05-15"), Ok(Vec::new()));
    let next = due("2027-03-15", "2027-03-15").unwrap();
    insta::assert_snapshot!(shown(&next), @"recurringCharge Fibre, F | 2027-03-01..2028-02-15 | 351.00 EUR + 66.69 EUR | 351/365 days");
}

proptest! {
    #[test]
    fn whatever_the_cycles_each_day_is_charged_once(
        period in prop::sample::select(vec!["day", "week", "month", "quarter", "year"]),
        runs in prop::collection::vec((1..70_i64, 0..4_usize, 0..=30_u32), 1..8),
        history in histories(),
    ) {
        let status = if history.ends_with("terminated") { "terminated" } else { "active" };
        let fibre = product(status, "2026-01-05", &json!([price("F", "100", "EUR", period)]));
        let timeline = timeline(&fibre, &history);
        let mut rates: Vec<Rate> = Vec::new();
        let mut today = day("2026-01-05");
        let mut reached = today;
        for (wait, frequency, shift) in runs {
            today = today.plus_days(wait);
            let frequency = ["weekly", "monthly", "quarterly", "yearly"][frequency];
            let shift = if frequency == "weekly" { shift % 7 } else { shift };
            let cycle = json!({ "frequency": frequency, "billingDateShift": shift });
            let terms = Terms { cycle: Cycle::read(&tmf::document::read(&cycle).unwrap()).unwrap(), ..terms() };
            let until = terms.cycle.over_by(today).until;
            reached = reached.max(until);
            let made = due(&fibre, &timeline, &rates, &Until::all(until), &terms, start(today));
            rates.extend(made.unwrap());
            let again = due(&fibre, &timeline, &rates, &Until::all(until), &terms, start(today));
            prop_assert_eq!(again, Ok(Vec::new()));
        }
        for number in 0..day("2026-01-05").days_until(reached) {
            let one = day("2026-01-05").plus_days(number);
            let times = rates.iter().filter(|rate| rate.covers.unwrap().holds(one)).count();
            prop_assert_eq!(times, usize::from(timeline.is_charged_on(one)), "{}", one);
        }
    }
}
