//! Renders the text of a customer notification. It reaches nobody itself: the host publishes what
//! it gives as outputs, so that a notification goes out exactly once.

mod template;

use ferrule_plugin::{Failure, Outcome, Step, Task};
use serde::Deserialize;
use serde_json::{Map, Value, json};

#[cfg(test)]
mod tests;

struct Notifier;

impl Step for Notifier {
    fn run(task: &Task) -> Result<Outcome, Failure> {
        let input: Input = task.input()?;
        let text = template::render(&input.template, &input.values).map_err(|error| {
            let message = format!("the template of task `{}` cannot be filled: {error}", task.name);
            Failure::person("TEMPLATE", message)
        })?;
        Ok(Outcome::done(&json!({"channel": input.channel, "to": input.to, "text": text})))
    }
}

ferrule_plugin::step!(Notifier);

/// The step's input.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    template: String,
    #[serde(default)]
    values: Map<String, Value>,
    channel: String,
    #[serde(default)]
    to: Value,
}
