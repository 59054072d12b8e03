use serde::Deserialize;
use serde_json::json;

use crate::{FailureClass, Task};

#[derive(Debug, Deserialize, PartialEq)]
struct Input {
    speed: u32,
}

#[test]
fn an_input_is_read_into_the_plugins_own_type() {
    let task = Task::example(&json!({"speed": 200}));
    assert_eq!(task.input::<Input>().unwrap(), Input { speed: 200 });
}

#[test]
fn an_input_that_does_not_fit_is_for_a_person_and_says_what_is_missing() {
    let failure = Task::example(&json!({})).input::<Input>().unwrap_err();
    assert_eq!((failure.class, failure.code.as_str()), (FailureClass::Person, "BAD_INPUT"));
    assert!(failure.message.contains("`speed`"), "{}", failure.message);
}

#[test]
fn a_characteristic_is_read_by_name_and_type() {
    let mut task = Task::example(&json!({}));
    task.characteristics = json!({"vlan": 100, "note": null}).to_string();
    let characteristics = task.characteristics().unwrap();
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
