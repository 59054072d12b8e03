//! What can be launched, and what a change of the catalog's documents does.

use super::*;
use crate::catalog::Lifecycle;

/// Why an offering cannot be launched after a change of the catalog.
fn reasons(offering: &str, change: impl FnOnce(&mut Value)) -> String {
    let mut file = catalog();
    change(&mut file);
    let documents = documents(&file);
    let base = rulebook(&catalog());
    match base.with_documents(documents.iter().map(|(name, document)| (*name, document))) {
        Ok(rulebook) => {
            let found = deliverable(&rulebook, &SpecId::new(offering), NOW);
            found.iter().map(|r| format!("{} {r}\n", r.code)).collect()
        }
        Err(errors) => errors.iter().map(|error| format!("refused: {error}\n")).collect(),
    }
}

fn documents(file: &Value) -> Vec<(&str, Value)> {
    let file = file.as_object().unwrap().iter();
    file.flat_map(|(name, entities)| {
        entities.as_array().unwrap().iter().map(move |entity| (name.as_str(), entity.clone()))
    })
    .collect()
}

#[test]
fn what_is_whole_can_be_launched() {
    for offering in ["NET", "VOICE", "TV", "RADIO", "BUNDLE"] {
        assert_eq!(reasons(offering, |_| {}), "", "{offering}");
    }
}

#[test]
fn every_shipped_offering_can_be_launched() {
    let rulebook = crate::decompose::tests::shipped(&["superfibre", "triple-play", "mobile-4g"]);
    for offering in rulebook.catalog().offerings.keys() {
        assert_eq!(deliverable(&rulebook, offering, NOW), [], "{offering}");
    }
}

#[test]
fn a_service_that_no_rule_delivers_is_named() {
    let text = reasons("VOICE", |file| {
        file["serviceSpecification"].as_array_mut().unwrap().push(service(
            "R-NEW",
            "Resource",
            &[],
        ));
        file["serviceSpecification"].as_array_mut().unwrap().push(service(
            "C-NEW",
            "Customer",
            &[],
        ));
        file["serviceSpecification"][1] = service("C-VOICE", "Customer", &["R-NEW", "C-NEW"]);
    });
    insta::assert_snapshot!(text, @r"
    NOTHING_DELIVERS `C-NEW`: serviceSpecRelationship: no service is below it and no rule delivers it: add a `serviceSpecRelationship` of type `reliesOn`, or a delivery
    NO_DELIVERY `R-NEW`: id: no rule says how it is delivered: add it under `deliver:` in a pack's rules.yaml
    ");
}

#[test]
fn prices_and_bundles_are_looked_at() {
    let text = reasons("BUNDLE", |file| {
        file["productOffering"][0]["productOfferingPrice"] = json!([]);
        file["productOffering"][1]["lifecycleStatus"] = json!("Retired");
        file["productOfferingPrice"][2]["price"]["unit"] = json!("USD");
        let parts = &mut file["productOffering"][4]["bundledProductOffering"];
        parts[1]["bundledProductOfferingOption"]["numberRelOfferDefault"] = json!(3);
        parts.as_array_mut().unwrap().push(json!({ "id": "BUNDLE" }));
    });
    insta::assert_snapshot!(text, @r"
    BUNDLE_CARDINALITY `BUNDLE`: bundledProductOffering: `VOICE`: 0 to 2, by default 3: the default is between the limits
    BUNDLE_CIRCLE `BUNDLE`: bundledProductOffering: `BUNDLE` is a bundle within itself
    BUNDLE_PART `BUNDLE`: bundledProductOffering: `VOICE` is not active, or not valid today
    PRICE_CURRENCY `VOICE`: productOfferingPrice: its prices are in EUR, USD
    PRICE_MISSING `NET`: productOfferingPrice: has no price: name one, of 0 where it is free
    ");
}

#[test]
fn a_usage_has_one_price() {
    let tariff = json!({ "usageSpecification": "VOICE", "quantity": "n" });
    let text = reasons("VOICE", |file| {
        let prices = file["productOfferingPrice"].as_array_mut().unwrap();
        let tiers = prices
            .iter_mut()
            .filter(|price| price["id"].as_str().is_some_and(|id| id.starts_with("CALLS-")));
        for price in tiers {
            price["tariff"] = tariff.clone();
            price["prodSpecCharValueUse"] = json!([]);
        }
    });
    insta::assert_snapshot!(text, @"PRICE_TARIFF `CALLS-1`: tariff.usageSpecification: is the second price for this usage: a product has one");
}

#[test]
fn specifications_must_be_active() {
    let text = reasons("NET", |file| {
        file["productSpecification"][0]["lifecycleStatus"] = json!("In Test");
        file["serviceSpecification"][2]["lifecycleStatus"] = json!("Retired");
    });
    insta::assert_snapshot!(text, @r"
    SPEC_NOT_ACTIVE `P-NET`: lifecycleStatus: is `In Test`, or not valid today: it must be `Active`
    SPEC_NOT_ACTIVE `R-FIBRE`: lifecycleStatus: is `Retired`, or not valid today: it must be `Active`
    ");
}

#[test]
fn an_order_for_one_is_rehearsed() {
    let text = reasons("NET", |file| {
        file["productSpecification"][0]["productSpecCharacteristic"][1] = json!({ "name": "x" });
    });
    insta::assert_snapshot!(text, @r#"REHEARSAL `NET`: productSpecification: an order for one fails: DECOMP_RULE: rule `fibre`: `item.char.tech == "GPON"`: No such key: tech"#);
}

#[test]
fn a_draft_may_be_unfinished_and_is_not_launched() {
    let draft = |file: &mut Value| {
        let offerings = file["productOffering"].as_array_mut().unwrap();
        offerings.push(json!({ "id": "NEW", "name": "NEW", "lifecycleStatus": "In Design" }));
        offerings.push(json!({ "id": "NEXT", "name": "NEXT", "lifecycleStatus": "In Study",
            "productSpecification": { "id": "P-NEW" } }));
    };
    insta::assert_snapshot!(reasons("NEW", draft), @r"
    OFFERING_UNKNOWN `NEW`: id: the catalog has no such offering ready
    UNFINISHED `NEW`: lifecycleStatus: names neither a `productSpecification` nor a `bundledProductOffering`
    ");
    insta::assert_snapshot!(reasons("NEXT", draft), @r"
    OFFERING_UNKNOWN `NEXT`: id: the catalog has no such offering ready
    UNFINISHED `NEXT`: lifecycleStatus: names `P-NEW`, which no catalog has ready
    ");
    let launched = |file: &mut Value| {
        draft(file);
        file["productOffering"][5]["lifecycleStatus"] = json!("Active");
        file["productOffering"][6]["lifecycleStatus"] = json!("Active");
    };
    insta::assert_snapshot!(reasons("NEW", launched), @r"
    refused: productOffering `NEW`: names neither a `productSpecification` nor a `bundledProductOffering`
    refused: productOffering `NEXT`: names `P-NEW`, which no catalog has ready
    ");
}

#[test]
fn what_the_rules_name_cannot_be_taken_away() {
    let text = reasons("NET", |file| {
        let specs = file["serviceSpecification"].as_array_mut().unwrap();
        specs.retain(|spec| spec["id"] != "R-CABLE");
        specs[0] = service("C-NET", "Customer", &["R-FIBRE"]);
    });
    insta::assert_snapshot!(text, @r"
    refused: pack `home`: rule `cable` names `R-CABLE`, which no catalog has
    refused: pack `home`: the delivery of `R-CABLE` names `R-CABLE`, which no catalog has
    ");
}

#[test]
fn an_offering_that_no_pack_has_is_delivered_by_the_pack_of_its_services() {
    let mut file = catalog();
    file["productOffering"].as_array_mut().unwrap().push(json!({ "id": "NEW", "name": "NEW",
        "productSpecification": { "id": "P-NEW" }, "productOfferingPrice": [{ "id": "TV-MRC" }] }));
    file["productSpecification"]
        .as_array_mut()
        .unwrap()
        .push(json!({ "id": "P-NEW", "name": "P-NEW",
        "serviceSpecification": [{ "id": "C-VOICE" }] }));
    let documents = documents(&file);
    let documents = documents.iter().map(|(name, document)| (*name, document));
    let rulebook = rulebook(&catalog()).with_documents(documents).unwrap();
    let request = items(Form::ProductOrder, "1 NEW");
    let order = Order::parse(crate::plan::Level::Product, &request).unwrap();
    let plan = crate::decompose::decompose(&order, &request, &rulebook, &Answers::new()).unwrap();
    let names: Vec<_> =
        (0..plan.tasks.len()).map(|n| plan.task_name(crate::TaskId::at(n))).collect();
    assert_eq!(names, ["intake.validate", "R-VOICE.allocate", "P-NEW.rate"]);
}

#[test]
fn the_life_cycle_of_a_catalog_is_a_table() {
    let rows = Lifecycle::ALL.map(|status| {
        let next: Vec<_> = status.next().iter().map(|next| next.as_str()).collect();
        format!("{} -> {}", status.as_str(), next.join(", "))
    });
    insta::assert_snapshot!(rows.join("\n"), @r"
    In Study -> In Design
    In Design -> In Test
    In Test -> Active, Rejected, In Design
    Rejected -> 
    Active -> Launched, Retired
    Launched -> Retired
    Retired -> Obsolete
    Obsolete -> 
    ");
    assert_eq!(Lifecycle::parse("inDesign"), Some(Lifecycle::InDesign));
    assert_eq!(Lifecycle::parse("somewhere"), None);
}
