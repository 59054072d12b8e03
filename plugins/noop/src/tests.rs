use ferrule_plugin::{Context, Outcome, Step};
use serde_json::json;

use super::Noop;

#[test]
fn outputs_are_the_input() {
    let input = json!({"a": [1, 2], "b": {"c": null}});
    let outcome = Noop::run(&Context::example(&input), input.clone());
    assert_eq!(outcome, Ok(Outcome::Done(input)));
}
