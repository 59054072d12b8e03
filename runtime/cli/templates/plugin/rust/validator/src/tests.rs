use ferrule_plugin::{Context, FailureClass, Validator};
use serde_json::json;

use super::{Adapter, Output};

#[test]
fn an_order_with_a_contact_is_accepted() {
    let order = json!({ "relatedParty": [{ "role": "customer" }, { "role": "contact" }] });
    let context = Context::example(&order);
    let input = context.input().unwrap();
    assert_eq!(Adapter::validate(&context, input), Ok(Output { contacts: 1 }));
}

#[test]
fn an_order_without_a_contact_is_rejected() {
    let context = Context::example(&json!({}));
    let failure = Adapter::validate(&context, context.input().unwrap()).unwrap_err();
    assert_eq!((failure.class, failure.code.as_str()), (FailureClass::Reject, "CONTACT_MISSING"));
}
