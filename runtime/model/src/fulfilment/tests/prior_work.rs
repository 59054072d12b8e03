//! What stands of a fulfilment's work, as a later order is told of it.

use serde_json::{Value, json};

use super::*;
use crate::expr::Expressions;
use crate::id::ItemId;
use crate::plan::PriorWork;

/// What stands of one step with this input, done for an item with this action.
fn prior_work(action: &str, input: &Value) -> PriorWork {
    let plan = json!({
        "packs": {}, "plugins": {},
        "steps": [{
            "workflow": "pcrf", "step": "apply", "plugin": "jsonrpc-activator", "input": input,
            "timeoutMs": 1_000, "retry": { "attempts": 1, "firstMs": 1, "maxMs": 1 },
            "onFailure": "rollBack", "undo": true,
        }],
        "items": [{
            "name": "RFS-PCRF", "level": "resourceService", "line": "1", "spec": "RFS-PCRF",
            "title": "Policy", "action": action, "characteristics": { "quotaGB": 10 },
        }],
        "tasks": [{ "item": 0, "step": 0 }],
    });
    let plan: Plan = serde_json::from_value(plan).unwrap();
    let mut fulfilment =
        Fulfilment::new(FulfilmentId::new("f-1"), Kind::ServiceOrder, json!({}), Timestamp(0));
    let (task, attempt) = (TaskId(0), 1);
    let (outputs, reservations) = (serde_json::Map::new(), Vec::new());
    for event in [
        Event::Planned { plan: Arc::new(plan) },
        Event::Started { task, attempt },
        Event::Succeeded { task, attempt, outputs, reservations },
    ] {
        fulfilment.apply(Timestamp(1), &event).unwrap();
    }
    let mut prior_work = fulfilment.prior_work(ItemId(0), &mut Expressions::default()).unwrap();
    prior_work.remove(0).1
}

#[test]
fn work_is_done_again_as_a_change_and_not_as_it_was_first_done() {
    let method = "=item.action == \"modify\" ? \"updatePolicy\" : \"createPolicy\"";
    let made = prior_work("add", &json!({ "method": method, "quota": "=item.char.quotaGB" }));
    assert_eq!(Value::Object(made.input.clone()), json!({ "method": "createPolicy", "quota": 10 }));
    let change = Value::Object(made.as_change().clone());
    assert_eq!(change, json!({ "method": "updatePolicy", "quota": 10 }));
    assert_eq!(made.characteristics.unwrap()["quotaGB"], 10);
}

#[test]
fn an_input_that_does_not_read_the_action_is_kept_once() {
    let made = prior_work("add", &json!({ "method": "PUT", "quota": "=item.char.quotaGB" }));
    assert_eq!(made.change, None);
    assert_eq!(made.as_change(), &made.input);
    let method = "=item.action == \"modify\" ? \"updatePolicy\" : \"createPolicy\"";
    let made = prior_work("modify", &json!({ "method": method }));
    assert_eq!((made.change, &made.input["method"]), (None, &json!("updatePolicy")));
}
