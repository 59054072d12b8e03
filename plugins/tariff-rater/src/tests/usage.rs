//! Usage by its tariff.

use ferrule_plugin::Attribute;
use ferrule_plugin::money::Rounding;
use ferrule_plugin::rater::ChargeKind;

use super::{charges, price, request};

const TIERS: &str =
    r#"[{"upTo":"100","price":"0.09"},{"upTo":"200","price":"0.05"},{"price":"0.01"}]"#;
const BANDS: &str = r#"[{"name":"night","from":"20:00","until":"06:00","percent":"50"},
    {"name":"weekend","from":"00:00","until":"24:00","percent":"0","days":[6,7]}]"#;

/// A price of 0.09 with attributes such as `units=61, per=60`; what it charges.
fn try_rate(attributes: &[(&str, &str)]) -> Result<String, String> {
    let mut calls = price(ChargeKind::Usage, "0.09", "EUR", "");
    let attributes = attributes.iter();
    calls.attributes = attributes
        .map(|(name, value)| Attribute { name: (*name).into(), value: (*value).into() })
        .collect();
    let made = charges(&request(vec![calls], "2026-03-10", 0, "19"), Rounding::HalfUp);
    let made = made.map_err(|failure| failure.message)?;
    let lines = made.iter().map(|charge| {
        let told = charge.attributes.iter().map(|one| format!(", {} {}", one.name, one.value));
        format!("{} + {}{}", charge.net, charge.tax, told.collect::<String>())
    });
    Ok(lines.collect::<Vec<_>>().join("; "))
}

fn rate(attributes: &[(&str, &str)]) -> String {
    try_rate(attributes).unwrap()
}

#[test]
fn what_was_used_is_paid_for() {
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
    let at = |time, weekday| {
        rate(&[("units", "10"), ("bands", BANDS), ("time", time), ("weekday", weekday)])
    };
    let whole = "0.90 EUR + 0.171 EUR, units 10, free-units 0";
    let half = "0.45 EUR + 0.0855 EUR, units 10, free-units 0, band night";
    let free = "0.00 EUR + 0.00 EUR, units 10, free-units 0, band weekend";
    let table = [
        ("19:59", "2", whole),
        ("20:00", "2", half),
        ("00:00", "2", half),
        ("05:59", "2", half),
        ("06:00", "2", whole),
        ("12:00", "6", free),
        // The first that fits.
        ("23:00", "6", half),
    ];
    for (time, weekday, expected) in table {
        assert_eq!(at(time, weekday), expected, "{time} on {weekday}");
    }
}

#[test]
fn what_makes_no_sense_is_for_a_person_and_named() {
    let error = |attributes: &[(&str, &str)]| try_rate(attributes).unwrap_err();
    let says = |problem: &str| format!("price `p1` cannot be charged: {problem}");
    assert_eq!(error(&[("units", "many")]), says("`units` is `many`"));
    assert_eq!(error(&[("units", "-1")]), says("`units` is `-1`"));
    assert_eq!(error(&[("units", "1e99")]), says("`units` is `1e99`"));
    assert_eq!(error(&[("units", "9999999999999")]), says("`units` is `9999999999999`"));
    assert_eq!(error(&[("units", "1"), ("per", "0")]), says("`per` is `0`"));
    assert_eq!(error(&[("units", "1"), ("weekday", "8")]), says("`weekday` is `8`"));
    let fine = [("units", "999999999999"), ("round-to", "0.00000000000000000001")];
    assert_eq!(error(&fine), says("the amount does not fit in 28 digits"));
    let ends = [("units", "2"), ("tiers", r#"[{"upTo":"1","price":"1"}]"#)];
    assert_eq!(error(&ends), says("its last tier ends before what was used"));
    assert!(error(&[("units", "1"), ("tiers", "[{}]")]).contains("`tiers` cannot be read: "));
}
