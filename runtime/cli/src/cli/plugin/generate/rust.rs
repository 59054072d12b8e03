//! The adapter in Rust: a module for each operation.

mod answer;
mod operation;
mod types;

use std::fmt::Write as _;

use super::names::{Taken, camel, snake};
use super::plan::{Adapter, Planned};

/// Names of modules that the project has anyway.
const MODULES: [&str; 7] = ["api", "lib", "main", "tests", "schema_json", "cases", "mod"];

/// Names of types that a module of an operation uses.
const TYPES: [&str; 16] = [
    "Address",
    "Context",
    "Deserialize",
    "Element",
    "Failure",
    "Finding",
    "JsonSchema",
    "Method",
    "Option",
    "Outcome",
    "Output",
    "Serialize",
    "String",
    "Value",
    "Vec",
    "BTreeMap",
];

/// The sources: paths and texts.
pub(super) fn print(adapter: &Adapter) -> Vec<(String, String)> {
    let mut modules = Taken::of(&MODULES);
    let mut variants = Taken::of(&TYPES);
    let named: Vec<Named<'_>> = adapter
        .operations
        .iter()
        .map(|planned| Named {
            planned,
            module: modules.unique(&snake(&planned.key, "operation")),
            name: variants.unique_type(&camel(&planned.key, "Operation")),
        })
        .collect();
    let mut files = vec![("src/lib.rs".into(), lib(adapter, &named))];
    for one in &named {
        files.push((format!("src/{}.rs", one.module), one.print()));
    }
    files
}

/// An operation with its names.
struct Named<'a> {
    planned: &'a Planned,
    module: String,
    name: String,
}

fn lib(adapter: &Adapter, operations: &[Named<'_>]) -> String {
    let mut modules = String::new();
    let mut variants = String::new();
    for Named { planned, module, name } in operations {
        writeln!(modules, "mod {module};").expect(WRITES);
        let key = &planned.key;
        if key != name {
            writeln!(variants, "    #[serde(rename = {key:?})]").expect(WRITES);
        }
        writeln!(variants, "    {name}({module}::{name}),").expect(WRITES);
    }
    let arms = |call: &str| {
        let arm =
            |one: &Named<'_>| format!("            Input::{}(input) => input.{call},\n", one.name);
        operations.iter().map(arm).collect::<String>()
    };
    let outputs =
        types::fields(&adapter.output, "    pub(crate) ", &mut Vec::new(), &mut Taken::default());
    let (title, version) = (&adapter.title, &adapter.version);
    format!(
        "//! An adapter for {title} {version}. Comments with `DECIDE` are for a person: the description of the API\n\
         //! leaves them open.\n\n\
         mod api;\n{modules}#[cfg(test)]\nmod tests;\n\n\
         use ferrule_plugin::element::Element;\n\
         use ferrule_plugin::{{{callbacks}Context, Failure, Finding, Outcome, Probe, Step, Undo}};\n\
         use schemars::JsonSchema;\nuse serde::{{Deserialize, Serialize}};\nuse serde_json::Value;\n\n\
         struct Adapter;\n\n\
         // The operation to carry out, with its input.\n\
         #[derive(Deserialize, JsonSchema)]\nenum Input {{\n{variants}}}\n\n\
         // The first level of the answers of all operations; what is below it is open JSON.\n\
         #[derive(Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]\n\
         pub(crate) struct Output {{\n{outputs}}}\n\n\
         impl Step for Adapter {{\n    type Input = Input;\n    type Output = Output;\n\n    \
         fn run(context: &Context, input: Input) -> Result<Outcome<Output>, Failure> {{\n        \
         match input {{\n{run}        }}\n    }}\n}}\n\n\
         impl Undo for Adapter {{\n    fn undo(\n        context: &Context,\n        input: Input,\n        \
         output: Option<Output>,\n    ) -> Result<Outcome<()>, Failure> {{\n        \
         let output = output.map(|output| output.value()).unwrap_or_default();\n        \
         match input {{\n{undo}        }}\n    }}\n}}\n\n\
         impl Probe for Adapter {{\n    \
         fn probe(context: &Context, input: Input) -> Result<Finding<Output>, Failure> {{\n        \
         match input {{\n{probe}        }}\n    }}\n}}\n\n\
         {resumed}ferrule_plugin::export!(Adapter as Activator{with});\n\n\
         impl Output {{\n    /// The outputs of an answer.\n    \
         fn of(element: &Element<'_>, answer: &Value) -> Result<Self, Failure> {{\n        \
         Self::deserialize(answer).map_err(|cause| api::unreadable(element, cause))\n    }}\n\n    \
         fn value(&self) -> Value {{\n        serde_json::to_value(self).unwrap_or_default()\n    }}\n}}\n",
        run = arms("run(context)"),
        undo = arms("undo(context, &output)"),
        probe = arms("probe(context)"),
        callbacks = if adapter.waits() { "Callbacks, " } else { "" },
        resumed = if adapter.waits() { RESUMED } else { "" },
        with = if adapter.waits() { " with Callbacks" } else { "" },
    )
}

/// The code that is called when the element calls back: the probe tells what became of the work.
const RESUMED: &str = "\
impl Callbacks for Adapter {
    fn resume(context: &Context, input: Input, _answer: &Value) -> Result<Outcome<Output>, Failure> {
        match Self::probe(context, input)? {
            Finding::Applied(output) => Ok(Outcome::Done(output)),
            Finding::Waiting(callback) => Ok(Outcome::Waiting(callback)),
            Finding::NotApplied => Err(api::called_back_in_vain()),
        }
    }
}

";

/// Why writing to a text cannot fail.
const WRITES: &str = "a text can be written to";
