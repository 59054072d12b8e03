//! Adapters, each right by itself and with four bugs that the setting `bug` switches on: what the test kit
//! is measured by. The input names the adapter as `style`.

mod job;
mod style;

use ferrule_plugin::{Callbacks, Context, Failure, Finding, Outcome, Probe, Step, Undo};
use serde_json::Value;

use job::Job;
use style::{calc, change, cli, login, pages, post, put, queued, read_first, rpc, two};

struct Adapters;

impl Step for Adapters {
    type Input = Value;
    type Output = Value;

    fn run(context: &Context, input: Value) -> Result<Outcome<Value>, Failure> {
        let job = Job::new(context, input);
        match job.style() {
            "put" => put::run(&job),
            "post" => post::run(&job),
            "login" => login::run(&job),
            "queued" => queued::run(&job),
            "two" => two::run(&job),
            "rpc" => rpc::run(&job),
            "read-first" => read_first::run(&job),
            "pages" => pages::run(&job),
            "cli" => cli::run(&job),
            "calc" => calc::run(&job),
            "change" => change::run(&job),
            style => Err(Failure::operator("STYLE", format!("no adapter `{style}`"))),
        }
    }
}

impl Undo for Adapters {
    fn undo(
        context: &Context,
        input: Value,
        output: Option<Value>,
    ) -> Result<Outcome<()>, Failure> {
        let job = Job::new(context, input);
        match job.style() {
            "put" => put::undo(&job),
            "post" => post::undo(&job, output.as_ref()),
            "login" => login::undo(&job),
            "queued" => queued::undo(&job),
            "two" => two::undo(&job),
            "rpc" => rpc::undo(&job),
            "read-first" => read_first::undo(&job),
            "pages" => pages::undo(&job),
            "cli" => cli::undo(&job),
            "change" => change::undo(&job),
            _ => Ok(()),
        }
        .map(Outcome::Done)
    }
}

impl Probe for Adapters {
    fn probe(context: &Context, input: Value) -> Result<Finding<Value>, Failure> {
        let job = Job::new(context, input);
        match job.style() {
            "put" => put::probe(&job),
            "post" => post::probe(&job),
            "login" => login::probe(&job),
            "queued" => queued::probe(&job),
            "two" => two::probe(&job),
            "rpc" => rpc::probe(&job),
            "change" => change::probe(&job),
            _ => Ok(Finding::NotApplied),
        }
    }
}

impl Callbacks for Adapters {
    fn resume(context: &Context, input: Value, answer: &Value) -> Result<Outcome<Value>, Failure> {
        queued::resume(&Job::new(context, input), answer)
    }
}

ferrule_plugin::export!(Adapters as Activator with Callbacks);
