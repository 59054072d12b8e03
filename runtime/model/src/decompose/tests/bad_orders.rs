//! Orders that do not fit the catalogs. All that is wrong is said at once.

use insta::assert_snapshot;

use super::*;

const CATALOG: &str = "
    O offers P
    OLD offers P Retired
    Q bundles O 1..2
    P product: A; speed number 100 200..300; tech string GPON default HFC; name string required
    A service: X
    X network
";

fn refused(order: &str) -> String {
    play(CATALOG, "", order)
}

#[test]
fn missing_characteristics_get_their_defaults() {
    assert_snapshot!(refused("1 add O name=n"), @r#"
    items
      add P
          name = "n"
          tech = "HFC"
        add A
          add X
              task do by noop
    waves
      1: X
    tasks
      X.do
    "#);
}

#[test]
fn an_offering_that_the_catalog_does_not_have() {
    assert_snapshot!(refused("1 add NOPE name=n"), @"Reject OFFERING_UNKNOWN: item `1`: the catalog has no productOffering `NOPE`");
}

#[test]
fn an_offering_that_is_not_sold_any_more() {
    assert_snapshot!(refused("1 add OLD name=n"), @"Reject OFFERING_NOT_ORDERABLE: item `1`: productOffering `OLD` is `Retired`, not `Active` or `Launched`");
}

#[test]
fn a_product_of_another_specification_than_is_offered() {
    assert_snapshot!(refused("1 add O spec:A name=n"), @"Reject SPEC_MISMATCH: item `1`: `O` offers `P`, not `A`");
}

#[test]
fn a_line_without_an_offering() {
    assert_snapshot!(refused("1 add name=n"), @"Reject ITEM_WITHOUT_OFFERING: item `1`: names no productOffering");
}

#[test]
fn characteristics_that_may_not_be() {
    assert_snapshot!(refused("1 add O name=n speed=150 tech=DSL"), @r#"Reject CHARACTERISTIC_VALUE: item `1`: `speed` cannot be 150; allowed are 100, 200 to 300; item `1`: `tech` cannot be "DSL"; allowed are "GPON", "HFC""#);
    assert_snapshot!(refused("1 add O name=n speed=fast tech=1"), @r#"Reject CHARACTERISTIC_VALUE: item `1`: `speed` is of type number, not `"fast"`; item `1`: `tech` is of type string, not `1`"#);
    assert_snapshot!(refused("1 add O name=n colour=red"), @"Reject CHARACTERISTIC_UNKNOWN: item `1`: `P` has no characteristic `colour`");
}

#[test]
fn values_of_a_range_and_whole_numbers_with_a_fraction_of_zero() {
    let speed = |value: &str| refused(&format!("1 add O name=n speed={value}"));
    for fits in ["100", "100.0", "200", "250.5", "300"] {
        assert!(speed(fits).starts_with("items"), "{fits}");
    }
    for wrong in ["99.9", "199", "301", "true"] {
        assert!(speed(wrong).starts_with("Reject CHARACTERISTIC_VALUE"), "{wrong}");
    }
}

#[test]
fn a_mandatory_characteristic_without_a_default() {
    assert_snapshot!(refused("1 add O"), @"Reject CHARACTERISTIC_MISSING: item `1`: the characteristic `name` is mandatory");
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    assert_snapshot!(refused("1 add NOPE\n2 add O\n3 add O name=n speed=1"), @"Reject OFFERING_UNKNOWN: item `1`: the catalog has no productOffering `NOPE`; item `2`: the characteristic `name` is mandatory; item `3`: `speed` cannot be 1; allowed are 100, 200 to 300");
}

#[test]
fn a_bundle_with_too_few_too_many_or_strangers() {
    assert_snapshot!(refused("1 add Q"), @"Reject BUNDLE_CARDINALITY: item `1`: has 0 of `O`, may have 1 to 2");
    let three = "1 add Q\n2 add O name=n in:1\n3 add O name=n in:1\n4 add O name=n in:1";
    assert_snapshot!(refused(three), @"Reject BUNDLE_CARDINALITY: item `1`: has 3 of `O`, may have 1 to 2");
    assert_snapshot!(refused("1 add Q\n2 add O name=n in:1\n3 add Q in:1"), @"Reject BUNDLE_CARDINALITY: item `1`: `Q` is not part of this bundle; item `3`: has 0 of `O`, may have 1 to 2");
}

#[test]
fn a_change_names_what_exists() {
    assert_snapshot!(refused("1 modify O"), @"Reject INSTANCE_MISSING: item `1`: `modify` names no instance: what is it about?");
    assert_snapshot!(refused("1 delete O id:p"), @r#"looks up [InstanceLookup { resource: "product", id: "p" }]"#);
}

#[test]
fn a_specification_that_no_catalog_has_is_rejected() {
    let document = json!({ "serviceOrderItem": [
        { "id": "a", "action": "add", "service": { "serviceSpecification": { "id": "NOPE" } } },
        { "id": "b", "action": "add", "service": {} },
    ] });
    let order = Order::parse(Level::CustomerService, &document).unwrap();
    let stop = decompose(&order, &document, &rulebook(CATALOG, ""), &Answers::new());
    let Err(Blocked::Failure(failure)) = stop else { panic!("{stop:?}") };
    assert_snapshot!(refusal(&failure), @"Reject SPEC_UNKNOWN: item `a`: no catalog has the specification `NOPE`: name one that a catalog has; item `b`: names no specification: name one that a catalog has");
}
