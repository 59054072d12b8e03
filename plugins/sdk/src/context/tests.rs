use serde::Deserialize;
use serde_json::json;

use super::{Action, Context, Item};
use crate::FailureClass;

#[derive(Debug, Deserialize, PartialEq)]
struct Input {
    speed: u32,
}

#[test]
fn an_input_is_read_into_the_plugins_own_type() {
    let context = Context::example(&json!({"speed": 200}));
    assert_eq!(context.input::<Input>().unwrap(), Input { speed: 200 });
}

#[test]
fn an_unfit_input_is_refused_by_the_name_of_its_key() {
    let failure = Context::example(&json!({})).input::<Input>().unwrap_err();
    assert_eq!((failure.class, failure.code.as_str()), (FailureClass::Operator, "BAD_INPUT"));
    assert!(failure.message.contains("`speed`"), "{}", failure.message);
}

#[test]
fn a_characteristic_is_read_by_name_and_type() {
    let item = Item {
        spec: "EXAMPLE".into(),
        action: Action::Add,
        characteristics: json!({"vlan": 100, "note": null}).to_string(),
    };
    let context = Context::example(&json!({})).with_item(Some(item));
    let characteristics = context.characteristics().unwrap();
    assert_eq!(characteristics.get::<u32>("vlan").unwrap(), 100);
    assert_eq!(characteristics.find::<String>("note").unwrap(), None);
    let missing = characteristics.get::<String>("note").unwrap_err();
    assert_eq!(missing.code, "CHARACTERISTIC_MISSING");
    assert_eq!(missing.message, "characteristic `note` of `EXAMPLE` is missing");
    let wrong = characteristics.get::<String>("vlan").unwrap_err();
    assert_eq!(
        (wrong.class, wrong.code.as_str()),
        (FailureClass::Reject, "CHARACTERISTIC_INVALID")
    );
    assert!(wrong.message.contains("`vlan`"), "{}", wrong.message);
}

#[test]
fn a_step_of_the_whole_order_has_no_characteristics() {
    let context = Context::example(&json!({})).with_item(None);
    assert_eq!(context.characteristics().unwrap().names().count(), 0);
}

#[test]
fn an_undo_has_a_key_of_its_own() {
    let context = Context::example(&json!({}));
    let undo = context.clone().with_undo();
    assert_eq!((context.key(), undo.key()), ("key-1", "key-1:undo"));
}
