use serde_json::json;

use super::*;
use crate::id::FulfilmentId;
use crate::order::Form;
use crate::order::attributes::{Does, Part, attributes};

/// Each attribute that decisions read is fixed, or followed: no patch is accepted without effect.
#[test]
fn every_attribute_that_is_acted_on_is_fixed_decided_or_followed() {
    for form in [Form::ProductOrder, Form::ServiceOrder, Form::ResourceOrder] {
        for attribute in attributes(form, Part::Order) {
            let known = [FIXED, DECIDED, FOLLOWED];
            let count = known.iter().filter(|names| names.contains(&attribute.name)).count();
            let acts = matches!(attribute.add, Does::Acts(_));
            assert!(count == 1 || (count == 0 && !acts), "{form:?} `{}`", attribute.name);
        }
    }
}

#[test]
fn an_order_is_not_wanted_before_it_begins() {
    let document = json!({ "requestedStartDate": "2026-05-01T00:00:00Z" });
    let now = Timestamp::parse("2026-03-01T00:00:00Z").unwrap();
    let order = Fulfilment::new(FulfilmentId::new("f"), Kind::ProductOrder, document, now);
    let patched = |date: &str| {
        let patch = json!({ COMPLETION: date });
        order.patched("productOrder", patch.as_object().unwrap().clone())
    };
    assert!(patched("2026-05-02T00:00:00Z").is_ok());
    assert!(matches!(patched("2026-04-30T00:00:00Z"), Err(PatchError::TooEarly { .. })));
}
