//! Gives its input as outputs, so that benchmarks measure the runtime alone.

use ferrule_plugin::{Context, Failure, Outcome, Step};
use serde_json::Value;

#[cfg(test)]
mod tests;

struct Noop;

impl Step for Noop {
    type Input = Value;
    type Output = Value;

    fn run(_context: &Context, input: Value) -> Result<Outcome<Value>, Failure> {
        Ok(Outcome::Done(input))
    }
}

ferrule_plugin::export!(Noop as Step);
