use ferrule_plugin::{Context, FailureClass, Outcome, Step};
use serde_json::{Value, json};

use super::{Notification, Notifier};

fn text(template: &str, values: &Value) -> Result<String, String> {
    let input = json!({"template": template, "values": values, "channel": "email"});
    let context = Context::example(&input);
    match Notifier::run(&context, context.input().unwrap()) {
        Ok(Outcome::Done(notification)) => Ok(notification.text),
        Ok(Outcome::Waiting(_)) => panic!("a notifier never waits"),
        Err(failure) => {
            let sorted = (failure.class, failure.code.as_str());
            assert_eq!(sorted, (FailureClass::Operator, "TEMPLATE"));
            Err(failure.message)
        }
    }
}

#[test]
fn outputs_are_the_text_and_where_it_goes() {
    let input = json!({
        "template": "Dear {name}, order {order} is done.",
        "values": {"name": "Jane", "order": 17},
        "channel": "email",
        "to": {"address": "jane@example.com"},
    });
    let expected = Notification {
        channel: "email".into(),
        to: json!({"address": "jane@example.com"}),
        text: "Dear Jane, order 17 is done.".into(),
    };
    let context = Context::example(&input);
    let outcome = Notifier::run(&context, context.input().unwrap());
    assert_eq!(outcome, Ok(Outcome::Done(expected)));
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
fn a_name_without_a_value_is_reported() {
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
