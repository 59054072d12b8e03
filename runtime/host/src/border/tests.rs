use model::{Failure, FailureClass, Outcome, SpecId, Wait};
use serde_json::json;

use super::*;

fn mask() -> Mask {
    Mask::of([("token".to_owned(), "s3cr3t-value".to_owned())].into())
}

fn object(value: serde_json::Value) -> serde_json::Map<String, serde_json::Value> {
    let serde_json::Value::Object(object) = value else { panic!("not an object: {value}") };
    object
}

#[test]
fn a_failure_is_masked_before_it_is_cut() {
    // Cut first, the secret would lose its end and be shown up to there.
    let place = model::BOUNDS.message_bytes_max - 8;
    let message = format!("{}s3cr3t-value", "x".repeat(place));
    let failed = Failure::new(FailureClass::Operator, "E_s3cr3t-value", message);
    let failed = failure(failed, &mask());
    assert_eq!(failed.code.as_str(), "E_[setting token]");
    assert!(!failed.message.contains("s3c"), "{}", &failed.message[place - 10..]);
}

#[test]
fn a_setting_in_a_key_or_a_specification_is_refused() {
    let wait = Wait { keys: vec!["a".into(), "x-s3cr3t-value".into()], timeout_ms: 1 };
    let Outcome::Failed(failed) = outcome(Outcome::Waiting(wait), &mask()) else {
        panic!("it waits")
    };
    assert_eq!(failed.code.as_str(), "PLUGIN_SHOWS_SETTING");
    let production = Production {
        spec: SpecId::new("CFS-s3cr3t-value"),
        characteristics: tmf::document::Characteristics::new(),
    };
    assert_eq!(
        productions(vec![production], &mask()).unwrap_err().code.as_str(),
        "PLUGIN_SHOWS_SETTING"
    );
}

#[test]
fn observations_and_productions_are_masked() {
    let held = Reading::Held {
        outputs: object(json!({ "a": "s3cr3t-value" })),
        differences: vec![Difference {
            name: "s3cr3t-value".into(),
            expected: json!("s3cr3t-value"),
            found: json!(["s3cr3t-value"]),
        }],
        holder: Holder::Other("s3cr3t-value".into()),
    };
    let read = reading(held, &mask()).unwrap();
    assert!(!format!("{read:?}").contains("s3cr3t"), "{read:?}");
    let production = Production {
        spec: SpecId::new("CFS"),
        characteristics: [("a", json!({ "b": "s3cr3t-value" }))].into_iter().collect(),
    };
    let made = productions(vec![production], &mask()).unwrap();
    assert_eq!(made[0].characteristics["a"]["b"], "[setting token]");
    assert_eq!(log(vec!["info: s3cr3t-value".into()], &mask()), ["info: [setting token]"]);
}
