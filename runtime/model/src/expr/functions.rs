//! The functions that an expression may call. One that is not there would fail only when it is evaluated.

use std::collections::BTreeSet;
use std::sync::Arc;

use cel::{Context, ExecutionError, Program};

use super::FUNCTIONS;

/// Those that are called most; they are there.
const USUAL: [&str; 11] = [
    "bool",
    "bytes",
    "contains",
    "double",
    "endsWith",
    "int",
    "size",
    "startsWith",
    "string",
    "type",
    "uint",
];

/// The functions and macros that there are, for people.
pub(super) fn help() -> String {
    format!("there are {}, and has, all, exists, exists_one, map and filter", USUAL.join(", "))
}

/// The first function of an expression that is not there.
pub(super) fn unknown(program: &Program) -> Option<String> {
    let references = program.references();
    let called: BTreeSet<&str> = references.functions().into_iter().collect();
    // The names of operators begin otherwise.
    let is_named = |name: &str| name.starts_with(|first: char| first.is_alphabetic());
    let mut named = called.into_iter().filter(|name| is_named(name) && !USUAL.contains(name));
    named.find(|name| !is_there(name)).map(str::to_owned)
}

/// Whether there is a function of this name, alone or of a value. The environment tells only when it is called: one
/// that is there refuses what it is called with.
fn is_there(name: &str) -> bool {
    let context = Context::with_env(Arc::clone(&FUNCTIONS));
    let calls = [format!("{name}()"), format!("0.{name}()")];
    calls.iter().any(|call| {
        let called = Program::compile(call).map(|program| program.execute(&context));
        !matches!(called, Ok(Err(ExecutionError::UndeclaredReference(_))) | Err(_))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expr::Expr;

    #[test]
    fn functions_that_are_not_there_are_found() {
        for name in USUAL {
            assert!(is_there(name), "{name}");
        }
        for (source, expected) in [
            ("[1].map(n, string(n)).size()", None),
            ("\"a\".matches(\"b\")", Some("unknown function `matches`")),
            ("\"a\".startswith(\"b\")", Some("unknown function `startswith`")),
            ("lower(\"a\")", Some("unknown function `lower`")),
            ("[1].exists(1)", Some("unknown function `exists`")),
        ] {
            let error = Expr::parse(source, &[]).err().map(|error| error.message);
            assert_eq!(error.as_deref(), expected, "{source}");
        }
    }
}
