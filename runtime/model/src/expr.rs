//! Expressions: the Common Expression Language, behind one type of ours.
//!
//! CEL was chosen because it refuses a misspelt name instead of taking it for false: in
//! decomposition a silent false is a service that is never ordered. It has no loops; a comprehension
//! within a comprehension within a comprehension, which could take long, is refused here.

mod functions;
mod kind;
mod members;
mod paths;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, LazyLock};

use cel::common::ast::{EntryExpr, Expr as Node, IdedExpr};
use cel::common::types::{
    CelBool, CelDouble, CelInt, CelList, CelMap, CelMapKey, CelNull, CelString, CelUInt,
};
use cel::common::value::{CowVal, Val};
use cel::context::VariableResolver;
use cel::objects::Key;
use cel::{Context, Env, Program};
use serde_json::{Map, Number, Value};

pub use self::kind::Kinds;

/// Max depth of nested comprehensions.
const NESTING_MAX: usize = 2;

/// Max bytes of an expression.
const SOURCE_MAX: usize = 4096;

/// CEL's own functions. To list them takes longer than most expressions, so it is done once.
static FUNCTIONS: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib()));

/// A compiled expression; cheap to clone.
#[derive(Clone, Debug)]
pub struct Expr {
    source: Arc<str>,
    program: Arc<Program>,
}

impl PartialEq for Expr {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

/// Why an expression cannot be compiled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ExprError {
    /// What is wrong.
    pub message: String,
    /// The line within the expression, from 1.
    pub line: usize,
    /// The column within the line, from 1.
    pub column: usize,
    /// What would be right.
    pub help: Option<String>,
}

/// Why an expression has no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{source_text}`: {message}")]
pub struct EvalError {
    /// The expression.
    pub source_text: String,
    /// What went wrong.
    pub message: String,
}

/// Values by the name of the member that has them, and by their own.
pub type Members<'a> = BTreeMap<&'a str, BTreeMap<&'a str, &'a Value>>;

/// The variables that an expression can name; cheap to clone. They are made ready once and then
/// lent to each evaluation: an order may be large.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    variables: BTreeMap<&'static str, Arc<dyn Val>>,
}

impl Scope {
    /// Adds a variable.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: &Value) -> Self {
        self.variables.insert(name, Arc::from(to_cel(value)));
        self
    }

    /// Adds a variable of named members with values.
    #[must_use]
    pub fn with_members(mut self, name: &'static str, members: &Members<'_>) -> Self {
        let members = members.iter().map(|(name, values)| {
            let values = values.iter().map(|(name, value)| (*name, to_cel(value)));
            (*name, cel_map(values))
        });
        self.variables.insert(name, Arc::from(cel_map(members)));
        self
    }
}

impl VariableResolver for Scope {
    fn resolve<'b>(&'b self, name: &str) -> Option<CowVal<'b, 'b>> {
        self.variables.get(name).map(|value| CowVal::Borrowed(&**value))
    }
}

impl Expr {
    /// Compiles an expression that may name the variables of `scope`.
    pub fn parse(source: &str, scope: &[&str]) -> Result<Self, ExprError> {
        if source.len() > SOURCE_MAX {
            let message = format!("an expression may have {SOURCE_MAX} characters");
            return Err(ExprError { message, line: 1, column: 1, help: None });
        }
        let program = Program::compile(source).map_err(parse_error)?;
        let mut walk = Walk { bound: Vec::new(), unknown: None, scope };
        walk.node(program.expression(), 0).map_err(|message| ExprError {
            message,
            line: 1,
            column: 1,
            help: Some("split it into two rules, or use a decomposer plugin".into()),
        })?;
        if let Some(name) = walk.unknown {
            let (line, column) = position(source, name);
            return Err(ExprError {
                message: format!("unknown variable `{name}`"),
                line,
                column,
                help: Some(format!("available here: {}", scope.join(", "))),
            });
        }
        if let Some(name) = functions::unknown(&program) {
            let (line, column) = position(source, &name);
            let message = format!("unknown function `{name}`");
            return Err(ExprError { message, line, column, help: Some(functions::help()) });
        }
        Ok(Self { source: source.into(), program: Arc::new(program) })
    }

    /// The expression as it was written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The expression's value.
    pub fn evaluate(&self, scope: &Scope) -> Result<Value, EvalError> {
        let mut context = Context::with_env(Arc::clone(&FUNCTIONS));
        context.set_variable_resolver(scope);
        let value = self.program.execute(&context).map_err(|error| self.error(&error))?;
        from_cel(&value).map_err(|message| self.error(&message))
    }

    /// The value of a condition. Another value is not shown: it may be personal.
    pub fn is_true(&self, scope: &Scope) -> Result<bool, EvalError> {
        let what = match self.evaluate(scope)? {
            Value::Bool(value) => return Ok(value),
            Value::Null => "null",
            Value::Number(_) => "a number",
            Value::String(_) => "a text",
            Value::Array(_) => "a list",
            Value::Object(_) => "an object",
        };
        Err(self.error(&format_args!("a condition is true or false, this is {what}")))
    }

    fn error(&self, message: &dyn fmt::Display) -> EvalError {
        EvalError { source_text: self.source.to_string(), message: message.to_string() }
    }
}

/// Compiled expressions by their text, so that each is compiled once.
#[derive(Clone, Debug, Default)]
pub struct Expressions {
    compiled: BTreeMap<String, Expr>,
}

/// Max expressions that are kept compiled; beyond it the cache starts anew.
const EXPRESSIONS_MAX: usize = 10_000;

impl Expressions {
    /// Fills a template: every text that begins with `=` is replaced by the value of the
    /// expression after it, at any depth.
    pub fn fill(&mut self, template: &Value, scope: &Scope) -> Result<Value, EvalError> {
        if let Some(source) = template.as_str().and_then(|text| text.strip_prefix('=')) {
            return self.compiled(source)?.evaluate(scope);
        }
        match template {
            Value::Array(values) => values.iter().map(|value| self.fill(value, scope)).collect(),
            Value::Object(fields) => fields
                .iter()
                .map(|(name, value)| Ok((name.clone(), self.fill(value, scope)?)))
                .collect::<Result<Map<_, _>, _>>()
                .map(Value::Object),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                Ok(template.clone())
            }
        }
    }

    fn compiled(&mut self, source: &str) -> Result<&Expr, EvalError> {
        if !self.compiled.contains_key(source) {
            // The pack's check has seen it already, so names need not be checked again.
            let program = Program::compile(source).map_err(|errors| EvalError {
                source_text: source.into(),
                message: parse_error(errors).message,
            })?;
            if self.compiled.len() >= EXPRESSIONS_MAX {
                self.compiled.clear();
            }
            let expr = Expr { source: source.into(), program: Arc::new(program) };
            self.compiled.insert(source.into(), expr);
        }
        Ok(&self.compiled[source])
    }
}

/// Lists the expressions of a template, without their `=`.
pub fn expressions_of(template: &Value) -> Vec<&str> {
    match template {
        Value::String(text) => text.strip_prefix('=').into_iter().collect(),
        Value::Array(values) => values.iter().flat_map(expressions_of).collect(),
        Value::Object(fields) => fields.values().flat_map(expressions_of).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

/// A walk over an expression's tree that finds unbound names and nesting that is too deep.
struct Walk<'a> {
    bound: Vec<&'a str>,
    unknown: Option<&'a str>,
    scope: &'a [&'a str],
}

impl<'a> Walk<'a> {
    fn node(&mut self, node: &'a IdedExpr, depth: usize) -> Result<(), String> {
        match &node.expr {
            Node::Ident(name) => {
                let name = name.as_str();
                let known = self.scope.contains(&name) || self.bound.contains(&name);
                // `@result` and its like are the parser's own.
                if !known && !name.starts_with('@') && self.unknown.is_none() {
                    self.unknown = Some(name);
                }
                Ok(())
            }
            Node::Call(call) => {
                let target = call.target.as_deref().into_iter();
                target.chain(&call.args).try_for_each(|part| self.node(part, depth))
            }
            Node::Select(select) => self.node(&select.operand, depth),
            Node::List(list) => list.elements.iter().try_for_each(|part| self.node(part, depth)),
            Node::Map(map) => {
                map.entries.iter().try_for_each(|entry| self.entry(&entry.expr, depth))
            }
            Node::Struct(message) => {
                message.entries.iter().try_for_each(|entry| self.entry(&entry.expr, depth))
            }
            Node::Comprehension(inner) => {
                if depth >= NESTING_MAX {
                    return Err(format!("comprehensions may nest {NESTING_MAX} deep"));
                }
                self.node(&inner.iter_range, depth)?;
                let before = self.bound.len();
                self.bound.extend([inner.iter_var.as_str(), &inner.accu_var]);
                self.bound.extend(inner.iter_var2.as_deref());
                let parts = [&inner.accu_init, &inner.loop_cond, &inner.loop_step, &inner.result];
                parts.into_iter().try_for_each(|part| self.node(part, depth + 1))?;
                self.bound.truncate(before);
                Ok(())
            }
            Node::Unspecified | Node::Literal(_) => Ok(()),
        }
    }

    fn entry(&mut self, entry: &'a EntryExpr, depth: usize) -> Result<(), String> {
        match entry {
            EntryExpr::StructField(field) => self.node(&field.value, depth),
            EntryExpr::MapEntry(entry) => {
                self.node(&entry.key, depth)?;
                self.node(&entry.value, depth)
            }
        }
    }
}

fn parse_error(errors: cel::ParseErrors) -> ExprError {
    let message = errors.to_string();
    let Some(first) = errors.errors.into_iter().next() else {
        return ExprError { message, line: 1, column: 1, help: None };
    };
    let at = |position: isize| usize::try_from(position).unwrap_or(1).max(1);
    ExprError { message: first.msg, line: at(first.pos.0), column: at(first.pos.1), help: None }
}

/// Where a name first stands in a text as a word of its own: line and column from 1.
fn position(source: &str, name: &str) -> (usize, usize) {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let found = source.match_indices(name).map(|(at, _)| at).find(|at| {
        let before = source.get(..*at).and_then(|text| text.chars().next_back());
        let after = source.get(at + name.len()..).and_then(|text| text.chars().next());
        !before.is_some_and(|c| is_word(c) || c == '.') && !after.is_some_and(is_word)
    });
    let before = source.get(..found.unwrap_or(0)).unwrap_or_default();
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
    (before.matches('\n').count() + 1, column)
}

/// Whole numbers become CEL's `int`, so that `item.quantity + 1` works.
fn to_cel(value: &Value) -> Box<dyn Val> {
    match value {
        Value::Null => Box::new(CelNull),
        Value::Bool(value) => Box::new(CelBool::from(*value)),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(whole), _) => Box::new(CelInt::from(whole)),
            (None, Some(large)) => Box::new(CelUInt::from(large)),
            (None, None) => Box::new(CelDouble::from(number.as_f64().unwrap_or(f64::NAN))),
        },
        Value::String(text) => Box::new(CelString::from(text.clone())),
        Value::Array(values) => {
            let list: Vec<Box<dyn Val>> = values.iter().map(to_cel).collect();
            Box::new(CelList::from(list))
        }
        Value::Object(fields) => {
            cel_map(fields.iter().map(|(name, value)| (name.as_str(), to_cel(value))))
        }
    }
}

fn cel_map<'a>(fields: impl Iterator<Item = (&'a str, Box<dyn Val>)>) -> Box<dyn Val> {
    #[expect(
        clippy::disallowed_types,
        reason = "CEL's own; values leave by `from_cel`, which sorts the keys again"
    )]
    let map: std::collections::HashMap<CelMapKey<'_>, Box<dyn Val>> =
        fields.map(|(name, value)| (name.to_owned().into(), value)).collect();
    Box::new(CelMap::from(map))
}

fn from_cel(value: &cel::Value) -> Result<Value, String> {
    Ok(match value {
        cel::Value::Null => Value::Null,
        cel::Value::Bool(value) => Value::Bool(*value),
        cel::Value::Int(number) => Value::from(*number),
        cel::Value::UInt(number) => Value::from(*number),
        cel::Value::Float(number) => {
            Number::from_f64(*number).map(Value::Number).ok_or("the number is not finite")?
        }
        cel::Value::String(text) => Value::String(text.to_string()),
        cel::Value::List(values) => values.iter().map(from_cel).collect::<Result<_, _>>()?,
        cel::Value::Map(map) => {
            let fields = map.map.iter().map(|(key, value)| match key {
                Key::String(name) => Ok((name.to_string(), from_cel(value)?)),
                Key::Int(_) | Key::Uint(_) | Key::Bool(_) => {
                    Err("the keys of a map are texts here".to_string())
                }
            });
            // serde_json's map sorts its keys, so the order of the hash map does not show.
            Value::Object(fields.collect::<Result<Map<_, _>, _>>()?)
        }
        cel::Value::Bytes(_)
        | cel::Value::Function(..)
        | cel::Value::Opaque(_)
        | cel::Value::Struct(_) => return Err("this kind of value has no JSON form".into()),
    })
}

#[cfg(test)]
mod tests;
