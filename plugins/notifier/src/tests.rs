use ferrule_plugin::{FailureClass, Outcome, Step, Task};
use serde_json::{Value, json};

use super::Notifier;

fn text(template: &str, values: &Value) -> Result<String, String> {
    let input = json!({"template": template, "values": values, "channel": "email"});
    match Notifier::run(&Task::example(&input)) {
        Ok(Outcome::Done(done)) => {
            let outputs: Value = serde_json::from_str(&done.outputs).unwrap();
            Ok(outputs["text"].as_str().unwrap().to_owned())
        }
        Ok(Outcome::Waiting(_)) => panic!("a notifier never waits"),
        Err(failure) => {
            assert_eq!((failure.class, failure.code.as_str()), (FailureClass::Person, "TEMPLATE"));
            Err(failure.message)
        }
    }
}

#[test]
fn outputs_say_what_to_send_and_how() {
    let input = json!({
        "template": "Dear {name}, order {order} is done.",
        "values": {"name": "Jane", "order": 17},
        "channel": "email",
        "to": {"address": "jane@example.com"},
    });
    let expected = json!({
        "channel": "email",
        "to": {"address": "jane@example.com"},
        "text": "Dear Jane, order 17 is done.",
    });
    assert_eq!(Notifier::run(&Task::example(&input)), Ok(Outcome::done(&expected)));
}

#[test]
fn names_are_paths_and_braces_are_doubled() {
    let values = json!({"customer": {"names": ["Jane", "Smith"]}, "ok": true});
    assert_eq!(text("{customer.names.1}, {ok}", &values).unwrap(), "Smith, true");
    assert_eq!(text("{{ {ok} }} é {ok}", &values).unwrap(), "{ true } é true");
    assert_eq!(text("", &values).unwrap(), "");
}

#[test]
fn a_value_is_not_a_template() {
    let values = json!({"name": "{secret}", "secret": "x"});
    assert_eq!(text("{name}", &values).unwrap(), "{secret}");
}

#[test]
fn what_cannot_be_filled_is_named() {
    let values = json!({"a": {"b": 1}, "none": null});
    for template in ["{c}", "{a.c}", "{a.b.c}", "{none}", "{}"] {
        assert!(
            text(template, &values).unwrap_err().contains("there is no value for"),
            "{template}"
        );
    }
    assert!(text("{a}", &values).unwrap_err().contains("no text or number"));
    for template in ["{a.b", "a.b}", "{a.b}}", "{"] {
        assert!(text(template, &values).unwrap_err().contains("no partner"), "{template}");
    }
}

#[test]
fn a_text_does_not_grow_without_end() {
    let values = json!({"long": "x".repeat(40_000)});
    assert!(text("{long}{long}", &values).unwrap_err().contains("longer than"));
}
