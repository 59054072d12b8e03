//! Usage by its tariff.

use ferrule_plugin::Money;
use ferrule_plugin::money::Rounding;
use ferrule_plugin::usage::{Band, Tier, Usage, Weekday};
use rust_decimal::Decimal;

use super::super::used;

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// Tiers such as `100:0.09`, the last without an end.
fn tiers(text: &str) -> Vec<Tier> {
    let tier = |tier: &str| {
        let (up_to, price) = tier.split_once(':').unwrap();
        Tier { up_to: (!up_to.is_empty()).then(|| decimal(up_to)), price: decimal(price) }
    };
    text.split(' ').map(tier).collect()
}

const TIERS: &str = "100:0.09 200:0.05 :0.01";

/// Half the price from 20:00 to 06:00, then free weekends.
fn bands() -> Vec<Band> {
    let band = |name: &str, first_minute, end_minute, percent: &str, days| {
        let (name, percent) = (name.into(), decimal(percent));
        Band { name, first_minute, end_minute, percent, days }
    };
    vec![
        band("night", 20 * 60, 6 * 60, "50", vec![]),
        band("weekend", 0, 24 * 60, "0", vec![Weekday::Saturday, Weekday::Sunday]),
    ]
}

fn usage() -> Usage {
    Usage {
        price: "p1".into(),
        amount: Money::parse("0.09", "EUR").unwrap(),
        per: Decimal::ONE,
        units: Decimal::ZERO,
        round_to: None,
        allowance_left: Decimal::ZERO,
        units_before: Decimal::ZERO,
        tiers: Vec::new(),
        bands: Vec::new(),
        minute: 0,
        weekday: None,
        tax_rate: decimal("19"),
    }
}

/// A usage with attributes such as `units=61, per=60`.
fn with(attributes: &[(&str, &str)]) -> Usage {
    let mut usage = usage();
    for (name, value) in attributes {
        match *name {
            "units" => usage.units = decimal(value),
            "per" => usage.per = decimal(value),
            "round-to" => usage.round_to = Some(decimal(value)),
            "allowance-left" => usage.allowance_left = decimal(value),
            "units-before" => usage.units_before = decimal(value),
            "tiers" => usage.tiers = tiers(value),
            other => panic!("`{other}`"),
        }
    }
    usage
}

fn charged(usage: &Usage) -> Result<String, String> {
    let charge = used(usage, Rounding::HalfUp).map_err(|failure| failure.message)?;
    let band = charge.band.map(|band| format!(", band {band}")).unwrap_or_default();
    let (units, free) = (charge.units.normalize(), charge.free_units.normalize());
    Ok(format!("{} + {}, units {units}, free-units {free}{band}", charge.net, charge.tax))
}

fn try_rate(attributes: &[(&str, &str)]) -> Result<String, String> {
    charged(&with(attributes))
}

fn rate(attributes: &[(&str, &str)]) -> String {
    try_rate(attributes).unwrap()
}

#[test]
fn used_units_are_charged() {
    assert_eq!(rate(&[("units", "3")]), "0.27 EUR + 0.0513 EUR, units 3, free-units 0");
    assert_eq!(rate(&[("units", "0")]), "0.00 EUR + 0.00 EUR, units 0, free-units 0");
    assert_eq!(
        rate(&[("units", "61"), ("per", "60")]),
        "0.0915 EUR + 0.017385 EUR, units 61, free-units 0"
    );
}

#[test]
fn units_are_counted_up() {
    let started = |units| rate(&[("units", units), ("round-to", "60"), ("per", "60")]);
    assert_eq!(started("1"), "0.09 EUR + 0.0171 EUR, units 60, free-units 0");
    assert_eq!(started("60"), "0.09 EUR + 0.0171 EUR, units 60, free-units 0");
    assert_eq!(started("60.1"), "0.18 EUR + 0.0342 EUR, units 120, free-units 0");
    assert_eq!(started("0"), "0.00 EUR + 0.00 EUR, units 0, free-units 0");
}

#[test]
fn an_allowance_comes_first() {
    let with = |left| rate(&[("units", "100"), ("allowance-left", left)]);
    assert_eq!(with("100"), "0.00 EUR + 0.00 EUR, units 100, free-units 100");
    assert_eq!(with("30"), "6.30 EUR + 1.197 EUR, units 100, free-units 30");
    assert_eq!(with("500"), "0.00 EUR + 0.00 EUR, units 100, free-units 100");
}

#[test]
fn tiers_are_filled_one_after_the_other() {
    let with =
        |units, before| rate(&[("units", units), ("units-before", before), ("tiers", TIERS)]);
    assert_eq!(with("50", "0"), "4.50 EUR + 0.855 EUR, units 50, free-units 0");
    assert_eq!(with("250", "0"), "14.50 EUR + 2.755 EUR, units 250, free-units 0");
    assert_eq!(with("50", "90"), "2.90 EUR + 0.551 EUR, units 50, free-units 0");
    assert_eq!(with("50", "900"), "0.50 EUR + 0.095 EUR, units 50, free-units 0");
}

#[test]
fn using_at_once_or_bit_by_bit_costs_the_same() {
    let cost = |units: u32, before: u32| -> f64 {
        let (units, before) = (units.to_string(), before.to_string());
        let line = rate(&[("units", &units), ("units-before", &before), ("tiers", TIERS)]);
        line.split(' ').next().unwrap().parse().unwrap()
    };
    let bits: f64 = (0..250).map(|before| cost(1, before)).sum();
    assert!((bits - cost(250, 0)).abs() < 1e-9);
}

#[test]
fn the_time_of_day_changes_what_it_costs() {
    let at = |(hour, minute): (u32, u32), weekday| {
        let usage = with(&[("units", "10")]);
        let (minute, weekday) = (hour * 60 + minute, Some(weekday));
        charged(&Usage { bands: bands(), minute, weekday, ..usage }).unwrap()
    };
    let whole = "0.90 EUR + 0.171 EUR, units 10, free-units 0";
    let half = "0.45 EUR + 0.0855 EUR, units 10, free-units 0, band night";
    let free = "0.00 EUR + 0.00 EUR, units 10, free-units 0, band weekend";
    let table = [
        ((19, 59), Weekday::Tuesday, whole),
        ((20, 0), Weekday::Tuesday, half),
        ((0, 0), Weekday::Tuesday, half),
        ((5, 59), Weekday::Tuesday, half),
        ((6, 0), Weekday::Tuesday, whole),
        ((12, 0), Weekday::Saturday, free),
        // The first that fits.
        ((23, 0), Weekday::Saturday, half),
    ];
    for (time, weekday, expected) in table {
        assert_eq!(at(time, weekday), expected, "{time:?} on {weekday:?}");
    }
}

#[test]
fn an_impossible_usage_is_refused_by_name() {
    let error = |attributes: &[(&str, &str)]| try_rate(attributes).unwrap_err();
    let refused = |problem: &str| format!("price `p1` cannot be charged: {problem}");
    assert_eq!(error(&[("units", "-1")]), refused("`units` is `-1`"));
    assert_eq!(error(&[("units", "9999999999999")]), refused("`units` is `9999999999999`"));
    assert_eq!(error(&[("units", "1"), ("per", "0")]), refused("`per` is `0`"));
    let fine = [("units", "999999999999"), ("round-to", "0.00000000000000000001")];
    assert_eq!(error(&fine), refused("the amount does not fit in 28 digits"));
    let ends = [("units", "2"), ("tiers", "1:1")];
    assert_eq!(error(&ends), refused("its last tier ends before what was used"));
}
