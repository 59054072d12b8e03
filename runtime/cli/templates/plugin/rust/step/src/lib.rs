//! Computes something of the input, without reaching outside.

use ferrule_plugin::{Context, Failure, Outcome, Step};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[cfg(test)]
mod tests;

struct Adapter;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// The speed in Mb/s.
    mbps: u32,
}

#[derive(Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
struct Output {
    /// The name of the profile.
    profile: String,
}

impl Step for Adapter {
    type Input = Input;
    type Output = Output;

    fn run(_context: &Context, input: Input) -> Result<Outcome<Output>, Failure> {
        let profile = match input.mbps {
            0 => return Err(Failure::reject("SPEED_INVALID", "`mbps` must be at least 1")),
            1..=100 => "bronze",
            101..=500 => "silver",
            _ => "gold",
        };
        Ok(Outcome::Done(Output { profile: profile.into() }))
    }
}

ferrule_plugin::export!(Adapter as Step);
