//! Launches of offerings, and the effects of a change of the catalogs.

use super::*;
use model::catalog::Lifecycle;

/// The rules with the catalog after a change.
fn changed(change: impl FnOnce(&mut Value)) -> Rulebook {
    let mut file = catalog();
    change(&mut file);
    let documents = documents(&file);
    let documents = documents.iter().map(|(name, document)| (*name, document));
    rulebook(&catalog()).with_documents(documents)
}

/// Why an offering cannot be launched after a change of the catalog.
fn reasons(offering: &str, change: impl FnOnce(&mut Value)) -> String {
    let found = deliverable(&changed(change), &SpecId::new(offering), NOW);
    found.iter().map(|reason| format!("{} {reason}\n", reason.code)).collect()
}

/// How every entity stands that is not ready.
fn unready(rulebook: &Rulebook) -> String {
    let all = model::catalog::RESOURCES.into_iter();
    let all = all.flat_map(|(resource, _)| Standing::all(rulebook, resource, NOW));
    let told = all.filter(|standing| !standing.is_ready).map(|standing| {
        let reasons: Vec<_> = standing.reasons.iter().map(ToString::to_string).collect();
        format!("{} {}: {}\n", standing.resource, standing.id, reasons.join("; "))
    });
    told.collect()
}

fn documents(file: &Value) -> Vec<(&str, Value)> {
    let file = file.as_object().unwrap().iter();
    file.flat_map(|(name, entities)| {
        entities.as_array().unwrap().iter().map(move |entity| (name.as_str(), entity.clone()))
    })
    .collect()
}

#[test]
fn complete_offerings_can_be_launched() {
    for offering in ["NET", "VOICE", "TV", "RADIO", "BUNDLE"] {
        assert_eq!(reasons(offering, |_| {}), "", "{offering}");
    }
}

#[test]
fn every_shipped_offering_can_be_launched() {
    let rulebook = shipped(&["superfibre", "triple-play", "mobile-4g"]);
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
    NO_DELIVERY `R-NEW`: id: no rule delivers it: add it under `deliver:` in a pack's rules.yaml
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
    UNFINISHED `NEW`: names neither a `productSpecification` nor a `bundledProductOffering`
    ");
    insta::assert_snapshot!(reasons("NEXT", draft), @r"
    UNFINISHED `NEXT`: names `P-NEW`, which no catalog has ready
    ");
    let launched = |file: &mut Value| {
        draft(file);
        file["productOffering"][5]["lifecycleStatus"] = json!("Active");
        file["productOffering"][6]["lifecycleStatus"] = json!("Active");
    };
    insta::assert_snapshot!(unready(&changed(launched)), @"
    productOffering NEW: `NEW`: names neither a `productSpecification` nor a `bundledProductOffering`
    productOffering NEXT: `NEXT`: names `P-NEW`, which no catalog has ready
    ");
}

#[test]
fn unusable_entities_are_left_out_with_those_that_need_them() {
    let spec = |id: &str, below: &[&str]| service(id, "Customer", below);
    let rulebook = changed(|file| {
        let specs = file["serviceSpecification"].as_array_mut().unwrap();
        specs.push(spec("ELSEWHERE", &["NOWHERE"]));
        specs.push(json!({ "id": "PLAIN", "name": "p", "@type": "ServiceSpecification" }));
        // The same id as a service of a pack: that one is used.
        file["resourceSpecification"] = json!([{ "id": "C-VOICE", "name": "c" }]);
        file["productSpecification"].as_array_mut().unwrap().push(json!({
            "id": "P-2", "name": "P-2", "serviceSpecification": [{ "id": "ELSEWHERE" }] }));
        file["productOfferingPrice"].as_array_mut().unwrap().push(json!({
            "id": "ODD", "name": "odd", "priceType": "allowance" }));
        let offerings = file["productOffering"].as_array_mut().unwrap();
        offerings.push(json!({ "id": "O-2", "name": "O-2", "lifecycleStatus": "In Study",
            "productSpecification": { "id": "P-2" } }));
        offerings.push(json!({ "id": "O-3", "name": "O-3", "lifecycleStatus": "live",
            "productSpecification": { "id": "P-NET" } }));
        offerings.push(json!({ "id": "O-4", "name": "O-4",
            "productSpecification": { "id": "R-FIBRE" } }));
        offerings
            .push(json!({ "id": "O-5", "name": "O-5", "productOfferingPrice": [{ "id": "ODD" }],
            "productSpecification": { "id": "P-NET" } }));
    });
    insta::assert_snapshot!(unready(&rulebook), @"
    resourceSpecification C-VOICE: `C-VOICE`: a serviceSpecification has the id `C-VOICE` too: ids are unique among the specifications of products, services and resources that are ordered
    serviceSpecification ELSEWHERE: `ELSEWHERE`: names `NOWHERE`, which no catalog has ready
    serviceSpecification PLAIN: `PLAIN`: `@type` is neither `CustomerFacingServiceSpecification` nor `ResourceFacingServiceSpecification`
    productSpecification P-2: `P-2`: names `ELSEWHERE`, which no catalog has ready
    productOfferingPrice ODD: `ODD`: `price` needs `unit` (a currency) and `value` (a number)
    productOffering O-2: `O-2`: lifecycleStatus: is `In Study`, not `Active` or `Launched`; `O-2`: names `P-2`, which no catalog has ready
    productOffering O-3: `O-3`: lifecycleStatus: is `live`, not `Active` or `Launched`; `O-3`: `lifecycleStatus` is none of `In Study`, `In Design`, `In Test`, `Rejected`, `Active`, `Launched`, `Retired`, `Obsolete`
    productOffering O-4: `O-4`: names `R-FIBRE`, which no catalog has ready
    productOffering O-5: `O-5`: names `ODD`, which no catalog has ready
    ");
    for offering in ["NET", "VOICE", "TV", "RADIO", "BUNDLE"] {
        assert_eq!(deliverable(&rulebook, &SpecId::new(offering), NOW), [], "{offering}");
    }
    assert_eq!(rulebook.without_specs(), []);
    // Configurations, quotes and orders get the reason.
    let request = items(Form::ProductOrder, "1 O-2\n2 O-3\n3 O-5");
    let order = Order::parse(model::plan::Level::Product, &request).unwrap();
    let stop = model::decompose::decompose(&order, &request, &rulebook, &Answers::new());
    let Err(model::decompose::Blocked::Failure(failure)) = stop else { panic!("{stop:?}") };
    insta::assert_snapshot!(format!("{} {}", failure.code, failure.message), @"OFFERING_NOT_ORDERABLE item `1`: productOffering `O-2` cannot be ordered: it is `In Study`, and names `P-2`, which no catalog has ready; item `2`: productOffering `O-3` cannot be ordered: `lifecycleStatus` is none of `In Study`, `In Design`, `In Test`, `Rejected`, `Active`, `Launched`, `Retired`, `Obsolete`; item `3`: productOffering `O-5` cannot be ordered: names `ODD`, which no catalog has ready");
}

#[test]
fn a_rule_that_leads_nowhere_is_told_and_holds_orders() {
    let rulebook = changed(|file| {
        let specs = file["serviceSpecification"].as_array_mut().unwrap();
        specs.retain(|spec| spec["id"] != "R-CABLE");
        specs[0] = service("C-NET", "Customer", &["R-FIBRE"]);
    });
    let told: Vec<_> = rulebook.without_specs().iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(told.join("\n"), @"
    pack `home`: rule `cable` names `R-CABLE`, which no catalog has
    pack `home`: the delivery of `R-CABLE` names `R-CABLE`, which no catalog has
    ");
    let request = items(Form::ProductOrder, "1 NET tech=HFC");
    let order = Order::parse(model::plan::Level::Product, &request).unwrap();
    let stop = model::decompose::decompose(&order, &request, &rulebook, &Answers::new());
    let Err(model::decompose::Blocked::Failure(failure)) = stop else { panic!("{stop:?}") };
    insta::assert_snapshot!(format!("{:?} {} {}", failure.class, failure.code, failure.message), @"Operator DECOMP_SPEC rule `cable` leads to `R-CABLE`, which no catalog has ready");
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
    let rulebook = rulebook(&catalog()).with_documents(documents);
    let request = items(Form::ProductOrder, "1 NEW");
    let order = Order::parse(model::plan::Level::Product, &request).unwrap();
    let plan = model::decompose::decompose(&order, &request, &rulebook, &Answers::new()).unwrap();
    let names: Vec<_> =
        (0..plan.tasks.len()).map(|n| plan.task_name(model::TaskId::at(n))).collect();
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
