//! Defaults, and the errors of a choice.

use super::*;

fn configured(text: &str) -> String {
    let rulebook = rulebook(&catalog());
    let request = items(Form::Quote, text);
    let found = configure_quote(&request, &rulebook, NOW).unwrap();
    let show = |item: &Value| {
        let entries = item["product"]["productCharacteristic"].as_array().cloned();
        let entries = entries.unwrap_or_default();
        entries
            .iter()
            .map(|own| format!("{}={}", own["name"].as_str().unwrap(), own["value"]))
            .collect()
    };
    let mut text = table(Form::Quote, &write(&found.document), &show);
    for mistake in found.mistakes {
        text.push_str(&format!("! {} {}: {}\n", mistake.item, mistake.code, mistake.message));
    }
    text
}

#[test]
fn defaults_are_filled_in() {
    insta::assert_snapshot!(configured("1 NET tech=HFC"), @r#"
    1 NET
      tech="HFC"
      speed=100
    "#);
}

#[test]
fn a_bundle_of_which_nothing_was_chosen_has_the_default_of_each() {
    insta::assert_snapshot!(configured("1 BUNDLE"), @r#"
    1 BUNDLE
      1.1 NET
        speed=100
        tech="GPON"
      1.2 VOICE
    "#);
}

#[test]
fn a_bundle_of_which_something_was_chosen_has_what_it_must_have() {
    insta::assert_snapshot!(configured("1 BUNDLE\n 2 VOICE <1 x2"), @r#"
    1 BUNDLE
      1.1 NET
        speed=100
        tech="GPON"
    2 VOICE
    "#);
}

#[test]
fn cardinality_counts_quantities() {
    insta::assert_snapshot!(configured("1 BUNDLE\n 2 VOICE <1 x3\n 3 RADIO <1 @Berlin"), @r#"
    1 BUNDLE
      1.1 NET
        speed=100
        tech="GPON"
    2 VOICE
    3 RADIO
    ! 1 BUNDLE_CARDINALITY: has 3 of `VOICE`, may have 0 to 2
    ! 1 BUNDLE_CARDINALITY: `RADIO` is not part of this bundle
    "#);
}

#[test]
fn offerings_that_require_or_exclude_another_are_mistakes() {
    insta::assert_snapshot!(configured("1 TV"), @r"
    1 TV
    ! 1 OFFERING_REQUIRES: `TV` requires `NET`: add it, or name the one that is there with `noChange`
    ");
    insta::assert_snapshot!(configured("1 TV\n 2 NET noChange\n 3 RADIO @Berlin"), @r"
    1 TV
    2 NET
    3 RADIO
    ! 1 OFFERING_EXCLUDES: `TV` cannot be with `RADIO` of item `3`
    ");
    insta::assert_snapshot!(configured("1 TV @A\n 2 NET @A\n 3 RADIO @Berlin\n 4 NET delete @A"), @r#"
    1 TV
    2 NET
      speed=100
      tech="GPON"
    3 RADIO
    4 NET
    "#);
}

#[test]
fn offerings_with_places_are_not_sold_at_others() {
    insta::assert_snapshot!(configured("1 RADIO @Berlin\n 2 RADIO @Rome\n 3 RADIO"), @r"
    1 RADIO
    2 RADIO
    3 RADIO
    ! 2 PLACE_NOT_COVERED: `RADIO` is sold at Berlin only
    ! 3 PLACE_MISSING: `RADIO` is not sold everywhere: name its `place`
    ");
}

#[test]
fn wrong_values_are_all_reported_at_once() {
    insta::assert_snapshot!(configured("1 NET speed=300 colour=red\n 2 NOTHING\n 3 NET tech=1"), @r#"
    1 NET
      speed=300
      colour="red"
      tech="GPON"
    2 NOTHING
    3 NET
      tech=1
      speed=100
    ! 1 CHARACTERISTIC_UNKNOWN: `P-NET` has no characteristic `colour`
    ! 1 CHARACTERISTIC_VALUE: `speed` cannot be 300; allowed are 100, 200
    ! 2 OFFERING_UNKNOWN: the catalog has no productOffering `NOTHING`
    ! 3 CHARACTERISTIC_VALUE: `tech` is of type string, not `1`
    "#);
}

#[test]
fn an_offering_is_sold_while_it_is_valid() {
    let rulebook = rulebook(&catalog());
    let request = items(Form::Quote, "1 RADIO @Berlin");
    let codes = |at: &str| {
        let at = Timestamp::parse(at).unwrap();
        let found = configure_quote(&request, &rulebook, at).unwrap();
        found.mistakes.iter().map(|mistake| mistake.code.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(codes("2025-12-31T23:59:59Z"), ["OFFERING_NOT_ORDERABLE"]);
    assert_eq!(codes("2026-01-01T00:00:00Z"), Vec::<&str>::new());
    assert_eq!(codes("2026-04-01T00:00:00Z"), ["OFFERING_NOT_ORDERABLE"]);
}

#[test]
fn an_offering_may_offer_fewer_values_than_its_product() {
    let mut file = catalog();
    file["productOffering"][0]["prodSpecCharValueUse"] =
        json!([{ "name": "speed", "productSpecCharacteristicValue": [{ "value": 200 }] }]);
    let rulebook = rulebook(&file);
    let ask = |text: &str| {
        let request = items(Form::Quote, text);
        configure_quote(&request, &rulebook, NOW).unwrap()
    };
    assert_eq!(ask("1 NET").lines[0].characteristics["speed"], json!(200));
    assert_eq!(ask("1 NET speed=100").mistakes[0].code.as_str(), "CHARACTERISTIC_VALUE");
}

#[test]
fn several_values_are_allowed_by_a_cardinality() {
    let mut file = catalog();
    file["productSpecification"][0]["productSpecCharacteristic"][0]["maxCardinality"] = json!(2);
    let rulebook = rulebook(&file);
    let mistakes = |value: Value| {
        let mut request = items(Form::Quote, "1 NET");
        request["quoteItem"][0]["product"]["productCharacteristic"] =
            json!([{ "name": "speed", "value": value }]);
        configure_quote(&request, &rulebook, NOW).unwrap().mistakes.len()
    };
    assert_eq!(mistakes(json!([100, 200])), 0);
    assert_eq!(mistakes(json!([100, 300])), 1);
    assert_eq!(mistakes(json!([100, 200, 100])), 1);
}

#[test]
fn a_question_that_cannot_be_read_names_the_attribute() {
    let rulebook = rulebook(&catalog());
    let refused =
        |request: Value| configure_quote(&request, &rulebook, NOW).unwrap_err().to_string();
    insta::assert_snapshot!(refused(json!({})), @"quoteItem: is mandatory: the items of the order");
    insta::assert_snapshot!(refused(json!({ "quoteItem": [{ "action": "steal" }] })), @"quoteItem[0].action: is one of `add`, `modify`, `delete`, `noChange`, not `steal`");
}
