//! Gives its input as outputs. Does nothing else, so what benchmarks measure is the runtime.

use ferrule_plugin::{Done, Failure, Outcome, Step, Task};

#[cfg(test)]
mod tests;

struct Noop;

impl Step for Noop {
    fn run(task: &Task) -> Result<Outcome, Failure> {
        Ok(Outcome::Done(Done { outputs: task.input.clone(), attributes: Vec::new() }))
    }
}

ferrule_plugin::step!(Noop);
