//! Qualifications and their reasons.

use super::*;
use tmf::document::qualification::{QueryOfferingQualification, QueryServiceQualification};

fn answer(rulebook: &Rulebook, request: &Value, free: &[(&str, u64)]) -> String {
    let answer = with_facts(rulebook, free, |facts| qualify_offerings(request, facts)).unwrap();
    let show = |item: &Value| {
        let result = item["qualificationItemResult"].as_str().unwrap();
        let mut lines = vec![format!("{result} ({})", item["state"].as_str().unwrap())];
        for why in item["eligibilityUnavailabilityReason"].as_array().into_iter().flatten() {
            lines.push(format!(
                "{}: {}",
                why["code"].as_str().unwrap(),
                why["label"].as_str().unwrap()
            ));
        }
        for why in item["terminationError"].as_array().into_iter().flatten() {
            lines.push(format!(
                "error {}: {}",
                why["id"].as_str().unwrap(),
                why["value"].as_str().unwrap()
            ));
        }
        for other in item["alternateProductOfferingProposal"].as_array().into_iter().flatten() {
            let values = other["alternateProduct"]["productCharacteristic"].as_array();
            let values = values.into_iter().flatten().map(|v| v["value"].to_string());
            let values = values.collect::<Vec<_>>().join(" ");
            let id = other["alternateProductOffering"]["id"].as_str().unwrap();
            lines.push(format!("or {id} {values}"));
        }
        lines
    };
    let (state, result) = (&answer["state"], &answer["qualificationResult"]);
    let table = table(Form::OfferingQualification, &answer, &show);
    format!("{} {}\n{table}", state.as_str().unwrap(), result.as_str().unwrap())
}

fn asked(text: &str, free: &[(&str, u64)]) -> String {
    let mut request = items(Form::OfferingQualification, text);
    request["provideAlternative"] = json!(true);
    answer(&rulebook(&catalog()), &request, free)
}

#[test]
fn items_with_a_plan_and_free_values_qualify() {
    insta::assert_snapshot!(asked("1 NET @home\n 2 VOICE", &[]), @r"
    done green
    1 NET
      qualified (done)
    2 VOICE
      qualified (done)
    ");
}

#[test]
fn where_there_is_no_fibre_left_cable_is_proposed() {
    insta::assert_snapshot!(asked("1 NET @home", &[("fibres", 0)]), @r#"
    done yellow
    1 NET
      alternate (done)
      POOL_EXHAUSTED: `fibres` has no S-PORT `port` left
      or VOICE 
      or NET 100 "HFC"
    "#);
    insta::assert_snapshot!(asked("1 NET @home speed=200 tech=HFC", &[("cables", 0), ("numbers", 0)]), @r#"
    done yellow
    1 NET
      alternate (done)
      POOL_EXHAUSTED: `cables` has no S-PORT `port` left
      or NET 100 "HFC"
      or NET 200 "GPON"
    "#);
}

#[test]
fn items_do_not_qualify_for_the_same_value() {
    insta::assert_snapshot!(asked("1 NET @a\n 2 NET @b\n 3 NET @c", &[("slow-cables", 0), ("cables", 0), ("numbers", 0)]), @r"
    done yellow
    1 NET
      qualified (done)
    2 NET
      qualified (done)
    3 NET
      unqualified (done)
      POOL_EXHAUSTED: `fibres` has no S-PORT `port` left
    ");
}

#[test]
fn reasons_are_those_of_the_order() {
    insta::assert_snapshot!(asked("1 NET\n 2 NET @a speed=7\n 3 TV @b\n 4 NOTHING\n 5 RADIO @Rome\n 6 NET @c x4", &[("numbers", 0)]), @r#"
    done yellow
    1 NET
      unqualified (done)
      PLACE_MISSING: needs a place: name it in `place`
    2 NET
      alternate (done)
      CHARACTERISTIC_VALUE: `speed` cannot be 7; allowed are 100, 200
      or NET 100 "GPON"
      or NET 200 "GPON"
    3 TV
      unqualified (done)
      POOL_EXHAUSTED: `numbers` has no S-PORT `port` left
    4 NOTHING
      unqualified (terminatedWithError)
      error OFFERING_UNKNOWN: the catalog has no productOffering `NOTHING`
    5 RADIO
      alternate (done)
      PLACE_NOT_COVERED: `RADIO` is sold at Berlin only
      or NET 100 "GPON"
    6 NET
      unqualified (done)
      QUANTITY: at most 3 can be had in one item
    "#);
}

#[test]
fn a_bundle_stands_or_falls_with_its_parts() {
    insta::assert_snapshot!(asked("1 BUNDLE @home\n 2 VOICE <1\n 3 VOICE", &[("fibres", 0)]), @r"
    done yellow
    1 BUNDLE
      unqualified (done)
      POOL_EXHAUSTED: `fibres` has no S-PORT `port` left
    2 VOICE
      unqualified (done)
      POOL_EXHAUSTED: `fibres` has no S-PORT `port` left
    3 VOICE
      qualified (done)
    ");
}

#[test]
fn a_category_is_asked_about_as_a_whole() {
    let mut request = json!({ "category": { "id": "home" }, "provideOnlyAvailable": true,
        "place": [{ "id": "Berlin", "role": "installation" }] });
    let rulebook = rulebook(&catalog());
    insta::assert_snapshot!(answer(&rulebook, &request, &[("fibres", 0)]), @r"
    done yellow
    2 RADIO
      qualified (done)
    3 VOICE
      qualified (done)
    ");
    request["category"]["id"] = json!("office");
    assert_eq!(answer(&rulebook, &request, &[]), "done red\n");
}

#[test]
fn a_rule_that_is_missing_or_wrong_is_told_apart() {
    let mut file = catalog();
    file["serviceSpecification"].as_array_mut().unwrap().push(service("R-NEW", "Resource", &[]));
    file["serviceSpecification"][1] = service("C-VOICE", "Customer", &["R-NEW"]);
    let rulebook = rulebook(&file);
    let request = items(Form::OfferingQualification, "1 VOICE");
    insta::assert_snapshot!(answer(&rulebook, &request, &[]), @r"
    done red
    1 VOICE
      unqualified (done)
      DECOMP_NO_RULE: no rule states how `R-NEW` is delivered: add it under `deliver:` in a pack's rules.yaml and retry
    ");
}

#[test]
fn fibre_or_cable_is_decided_by_the_rules_of_the_pack() {
    let rulebook = shipped(&["superfibre"]);
    let ask = |tech: &str, place: &str, free: &[(&str, u64)]| {
        let request = items(
            Form::OfferingQualification,
            &format!("1 PO-SF200H accessTechnology={tech} {place}"),
        );
        answer(&rulebook, &request, free)
    };
    assert!(ask("GPON", "@home", &[("olt-1-onu", 0)]).contains("`olt-1-onu` has no RS-OLT-PORT"));
    assert!(ask("HFC", "@home", &[("olt-1-onu", 0)]).starts_with("done green"));
    assert!(ask("HFC", "@home", &[("ont-huawei", 0)]).contains("`ont-huawei` has no"));
    assert!(ask("HFC", "@home", &[("ont-nokia", 0)]).starts_with("done green"));
    assert!(ask("HFC", "", &[]).contains("PLACE_MISSING"));
}

#[test]
fn services_are_checked_by_the_same_rules() {
    let rulebook = rulebook(&catalog());
    let check = |tech: Value, free: &[(&str, u64)]| {
        let request = json!({ "provideAlternative": true, "serviceQualificationItem": [{ "service": {
            "serviceSpecification": { "id": "C-NET" },
            "serviceCharacteristic": [{ "name": "tech", "value": tech }],
        } }] });
        let answer =
            with_facts(&rulebook, free, |facts| qualify_services(&request, facts)).unwrap();
        let item = &answer["serviceQualificationItem"][0];
        let why = &item["eligibilityUnavailabilityReason"][0]["code"];
        let other =
            &item["alternateServiceProposal"][0]["alternateService"]["serviceCharacteristic"];
        format!(
            "{} {} {} {} {}",
            answer["state"],
            answer["qualificationResult"],
            item["qualificationResult"],
            why,
            other[0]["value"]
        )
    };
    insta::assert_snapshot!(check(json!("GPON"), &[]), @r#""done" "qualified" "qualified" null null"#);
    insta::assert_snapshot!(check(json!("COPPER"), &[("fibres", 0)]), @r#""done" "alternate" "alternate" "CHARACTERISTIC_VALUE" "HFC""#);
}

/// Attributes of the answer that a client sends.
#[test]
fn answers_of_the_client_do_not_stay_in_the_items() {
    let rulebook = rulebook(&catalog());
    let lies = |item: &mut Value, result: &str, proposal: &str| {
        item["eligibilityUnavailabilityReason"] = json!([{ "code": "LIE", "label": "LIE" }]);
        item["terminationError"] = json!([{ "id": "LIE", "value": "LIE" }]);
        item[proposal] = json!([{ "id": "LIE" }]);
        item[result] = json!("LIE");
        item["state"] = json!("LIE");
    };
    let mut offerings = items(Form::OfferingQualification, "1 NET @home");
    let item = &mut offerings["productOfferingQualificationItem"][0];
    lies(item, "qualificationItemResult", "alternateProductOfferingProposal");
    let service = |tech: &str| {
        json!({ "service": {
            "serviceSpecification": { "id": "C-NET" },
            "serviceCharacteristic": [{ "name": "tech", "value": tech }],
        }, "expectedServiceAvailabilityDate": "2011-11-11T11:11:11Z" })
    };
    let mut services = json!({ "serviceQualificationItem": [service("COPPER"), service("GPON")] });
    for at in 0..2 {
        let item = &mut services["serviceQualificationItem"][at];
        lies(item, "qualificationResult", "alternateServiceProposal");
    }
    let offerings =
        with_facts(&rulebook, &[], |facts| qualify_offerings(&offerings, facts)).unwrap();
    let services = with_facts(&rulebook, &[], |facts| qualify_services(&services, facts)).unwrap();
    for answer in [offerings.to_string(), services.to_string()] {
        assert!(!answer.contains("LIE") && !answer.contains("2011-11-11"), "{answer}");
    }
}

#[test]
fn services_that_can_be_had_are_found() {
    let rulebook = rulebook(&catalog());
    let query = |criteria: Value, free: &[(&str, u64)]| {
        let request = json!({ "searchCriteria": criteria });
        let answer = with_facts(&rulebook, free, |facts| query_services(&request, facts)).unwrap();
        let items = answer["serviceQualificationItem"].as_array().unwrap().clone();
        let line = |item: &Value| {
            let service = &item["service"];
            let tech = &service["serviceCharacteristic"][0]["value"];
            format!("{} {tech}", service["serviceSpecification"]["id"].as_str().unwrap())
        };
        items.iter().map(line).collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!(query(json!({}), &[]), @r#"
    C-NET "GPON"
    C-NET "HFC"
    C-VOICE null
    "#);
    insta::assert_snapshot!(query(json!({ "service": { "serviceSpecification": { "id": "C-NET" } } }), &[("fibres", 0)]), @r#"C-NET "HFC""#);
    let wrong = json!({ "searchCriteria": { "service": { "serviceCharacteristic": {} } } });
    let refused = read::<QueryServiceQualification>(&wrong).unwrap_err();
    insta::assert_snapshot!(refused, @"`searchCriteria.service.serviceCharacteristic` is not a list");
    let twice = json!([{ "name": "tech", "value": "GPON" }, { "name": "tech", "value": "HFC" }]);
    let wrong = json!({ "searchCriteria": { "service": { "serviceCharacteristic": twice } } });
    let refused = with_facts(&rulebook, &[], |facts| query_services(&wrong, facts)).unwrap_err();
    let Unanswered::Request(error) = refused else { panic!("{refused:?}") };
    insta::assert_snapshot!(error, @"searchCriteria.service.serviceCharacteristic[1]: the characteristic `tech` occurs twice");
    let refused =
        with_facts(&rulebook, &[], |facts| query_services(&json!({}), facts)).unwrap_err();
    let Unanswered::Request(error) = refused else { panic!("{refused:?}") };
    insta::assert_snapshot!(error, @"searchCriteria: is mandatory");
}

#[test]
fn offerings_that_can_be_had_are_found() {
    let rulebook = rulebook(&catalog());
    let query = |criteria: Value, free: &[(&str, u64)]| {
        let request = json!({ "searchCriteria": criteria });
        let answer = with_facts(&rulebook, free, |facts| query_offerings(&request, facts)).unwrap();
        let items = answer["qualifiedProductOfferingItem"].as_array().unwrap().clone();
        let ids = items.iter().map(|item| item["productOffering"]["id"].as_str().unwrap());
        ids.collect::<Vec<_>>().join(" ")
    };
    let home = json!({ "place": [{ "id": "home", "role": "installation" }] });
    assert_eq!(query(json!({}), &[]), "VOICE");
    let none_left = [("fibres", 0)];
    let at_home = || json!({ "product": home });
    assert_eq!(query(at_home(), &[]), "BUNDLE NET VOICE");
    assert!(!query(at_home(), &none_left).contains("NET"));
    let net = || json!({ "productOffering": { "id": "NET" }, "product": home });
    assert_eq!((query(net(), &[]), query(net(), &none_left)), ("NET".into(), String::new()));
    let wrong = json!({ "searchCriteria": { "product": [] } });
    let refused = read::<QueryOfferingQualification>(&wrong).unwrap_err();
    assert_eq!(refused.attribute, "searchCriteria.product");
}
