//! Every use of the table is one that is found, and ends when its document does.

use serde_json::json;

use super::*;
use crate::index;

/// A document of the resource that refers to `it` along a path.
fn referring(path: &str, state: Option<(&str, &str)>) -> Value {
    let mut document = path.rsplit('.').fold(json!({ "id": "it" }), |below, name| {
        let below = json!([below]);
        json!({ name: below })
    });
    if let Some((attribute, state)) = state {
        document[attribute] = json!(state);
    }
    document
}

#[test]
fn every_use_is_found_by_an_index() {
    for found in USES {
        let (_, by) = of_key(found.by).unwrap();
        let path = found.indexed();
        assert!(by.indexes().any(|indexed| indexed == path), "{}: `{path}`", found.by);
        assert!(by.knows(&path), "{}: `{path}`", found.by);
        let document = referring(found.path, None);
        let entries = by.entries(&document);
        assert!(entries.iter().any(|entry| entry.value == index::value("it")), "{document}");
        for of in found.of {
            assert!(of_key(of).is_some(), "`{of}`");
        }
    }
}

#[test]
fn a_use_lasts_as_long_as_its_document_lives() {
    for found in USES {
        let (_, by) = of_key(found.by).unwrap();
        let (_, of) = of_key(found.of[0]).unwrap();
        let Some(lifecycle) = by.lifecycle else {
            assert!(found.keeps(&referring(found.path, None), of, "it"), "{found:?}");
            continue;
        };
        let (live, over) = match found.lasting {
            Lasting::In(states) => (states[0], "Retired"),
            Lasting::Until(states) => ("open", states[0]),
            Lasting::UntilFinal => {
                let states = || lifecycle.next.iter().map(|(state, _)| *state);
                let live = states().find(|state| !lifecycle.is_final(state)).unwrap_or("any");
                (live, states().find(|state| lifecycle.is_final(state)).unwrap_or_default())
            }
        };
        let kept = referring(found.path, Some((lifecycle.attribute, live)));
        assert!(found.keeps(&kept, of, "it"), "{found:?} while `{live}`");
        assert!(!found.keeps(&kept, of, "other"), "{found:?}");
        if !over.is_empty() {
            let ended = referring(found.path, Some((lifecycle.attribute, over)));
            assert!(!found.keeps(&ended, of, "it"), "{found:?} while `{over}`");
        }
    }
}

#[test]
fn a_reference_to_another_kind_of_the_same_id_keeps_nothing() {
    let party = |kind: &str| json!({ "status": "active", "relatedParty": [{ "id": "it", "@referredType": kind }] });
    let found = USES.iter().find(|found| found.by == "product" && found.path == "relatedParty");
    let (found, (_, customer)) = (found.unwrap(), of_key("customer").unwrap());
    assert!(found.keeps(&party("Customer"), customer, "it"));
    assert!(found.keeps(&party("VipCustomer"), customer, "it"));
    assert!(!found.keeps(&party("Individual"), customer, "it"));
}

#[test]
fn a_relation_to_a_peer_keeps_nothing() {
    let relation = |kind: &str| json!({ "productRelationship": [{ "relationshipType": kind, "product": { "id": "it" } }] });
    let found = USES.iter().find(|found| found.path == "productRelationship.product").unwrap();
    let (_, product) = of_key("product").unwrap();
    assert!(found.keeps(&relation("reliesOn"), product, "it"));
    assert!(!found.keeps(&relation("migration"), product, "it"));
}
