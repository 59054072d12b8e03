//! Renders the text of a customer notification. It sends nothing itself: the host publishes its
//! outputs, so that a notification goes out exactly once.

mod template;

use ferrule_plugin::{Context, Failure, Outcome, Step};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

#[cfg(test)]
mod tests;

struct Notifier;

impl Step for Notifier {
    type Input = Input;
    type Output = Notification;

    fn run(context: &Context, input: Input) -> Result<Outcome<Notification>, Failure> {
        let text = template::render(&input.template, &input.values).map_err(|error| {
            let name = context.name();
            let message = format!("the template of task `{name}` cannot be filled: {error}");
            Failure::operator("TEMPLATE", message)
        })?;
        Ok(Outcome::Done(Notification { channel: input.channel, to: input.to, text }))
    }
}

ferrule_plugin::export!(Notifier as Step);

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// the text, with `{names}`
    template: String,
    /// a value for each name
    #[serde(default)]
    values: Map<String, Value>,
    /// how it is sent, such as `email`
    channel: String,
    /// who it is for
    #[serde(default)]
    to: Value,
}

#[derive(Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
struct Notification {
    /// as given
    channel: String,
    /// as given
    to: Value,
    /// the text, filled in
    text: String,
}
