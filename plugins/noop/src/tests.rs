use ferrule_plugin::{Outcome, Step, Task};
use serde_json::json;

use super::Noop;

#[test]
fn outputs_are_the_input() {
    let input = json!({"a": [1, 2], "b": {"c": null}});
    assert_eq!(Noop::run(&Task::example(&input)), Ok(Outcome::done(&input)));
}
