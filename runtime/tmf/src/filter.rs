//! Filters: which documents a client asks for (TMF630, part 1, 4.4). `docs/filters.md` has the
//! grammar: `&` between conditions that must all hold, `;` between alternatives, `,` between values; a path
//! through an array leads to each of its elements.

mod compare;
mod expression;
mod kinds;
mod number;
mod read;
mod written;

use serde_json::Value;

pub use compare::Key;
use compare::{As, Operator, Sought};
use expression::{Expression, Left};
pub use kinds::{Anything, Attributes, Holds, Unknown};
pub(crate) use kinds::{found, likely};
pub use written::{Parameter, parameters, quoted};

/// Max conditions in a filter.
const CONDITIONS_MAX: usize = 64;

/// Max values in a filter: each is compared with each of a document.
const VALUES_MAX: usize = 1_000;

/// Max characters of a value that a message repeats.
const SHOWN_CHARS_MAX: usize = 60;

/// A query on documents.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    clauses: Vec<Clause>,
}

/// Conditions of which one must hold.
#[derive(Clone, Debug)]
pub struct Clause {
    conditions: Vec<Condition>,
}

/// A condition on one attribute.
#[derive(Clone, Debug)]
pub struct Condition {
    path: Vec<String>,
    name: String,
    test: Test,
}

#[derive(Clone, Debug)]
enum Test {
    /// It compares to any of these.
    Compare {
        operator: Operator,
        compared: As,
        operands: Vec<Sought>,
        /// Other readings of the texts, for comparisons of texts.
        readings: Vec<String>,
    },
    /// One of these is found in it.
    Regex(Vec<Expression>),
}

/// Errors of a query.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// A condition or a value is missing.
    #[error("`{name}` has an empty condition or value: an empty text is written `\"\"`")]
    Empty {
        /// The attribute, or what is written.
        name: String,
    },
    /// It begins with no attribute.
    #[error("`{name}` does not name an attribute: names with `.` between them are due")]
    NoAttribute { name: String },
    /// There is no operator.
    #[error("`{name}` has no operator: write `{name}=value`")]
    NoOperator { name: String },
    /// There is no such operator.
    #[error(
        "`{name}` has the unknown operator `{operator}`: there are `=`, `!=`, `>`, `>=`, `<`, `<=`, \
         `=~`, `.eq`, `.ne`, `.gt`, `.gte`, `.lt`, `.lte` and `.regex`; a value that begins with \
         such a sign stands in quotes{}", is_meant(.meant.as_deref())
    )]
    Operator {
        name: String,
        operator: String,
        /// The most similar known name.
        meant: Option<String>,
    },
    /// A value has quotes that are not closed.
    #[error(
        "the value of `{name}` begins with a quote that is not closed: a quote in it is `\\\"`"
    )]
    Unclosed { name: String },
    /// Something follows a value in quotes.
    #[error("the value of `{name}` goes on after its closing quote: `,`, `;` or `&` may follow it")]
    AfterQuote { name: String },
    /// A value is no regular expression, or too large a one.
    #[error("the value of `{name}` is no regular expression: {reason}")]
    Regex { name: String, reason: String },
    /// The attribute cannot have this value.
    #[error("`{name}` takes {wanted}, not `{value}`{}", is_meant(.meant.as_deref()))]
    Value {
        name: String,
        /// The possible values.
        wanted: String,
        value: String,
        /// The most similar known name.
        meant: Option<String>,
    },
    /// There is no such attribute.
    #[error(transparent)]
    Unknown(#[from] Unknown),
    /// The attribute is an object, which cannot be compared to a value.
    #[error("`{name}` is an object: name an attribute of it{}", such_as(.example.as_deref()))]
    Object {
        name: String,
        /// An attribute of it.
        example: Option<String>,
    },
    /// There are too many conditions, or values.
    #[error("a filter has at most {CONDITIONS_MAX} conditions and {VALUES_MAX} values")]
    TooMany {
        /// The attribute of the first that is too many.
        name: String,
    },
}

fn is_meant(name: Option<&str>) -> String {
    name.map(|name| format!(": is `{name}` meant?")).unwrap_or_default()
}

fn such_as(name: Option<&str>) -> String {
    name.map(|name| format!(", such as `{name}`")).unwrap_or_default()
}

impl FilterError {
    /// The wrong parameter, as it is written up to a sign: the attribute, with an operator
    /// that is a word. The attribute alone if it is unknown.
    pub fn name(&self) -> &str {
        match self {
            Self::Empty { name }
            | Self::NoAttribute { name }
            | Self::NoOperator { name }
            | Self::Operator { name, .. }
            | Self::Unclosed { name }
            | Self::AfterQuote { name }
            | Self::Regex { name, .. }
            | Self::Value { name, .. }
            | Self::Unknown(Unknown { name, .. })
            | Self::Object { name, .. }
            | Self::TooMany { name } => name,
        }
    }
}

impl Filter {
    /// Reads all parameters of a query on documents with `attributes`.
    pub fn read(query: &str, attributes: &dyn Attributes) -> Result<Self, FilterError> {
        let mut filter = Self::default();
        for parameter in parameters(query) {
            filter.add(&parameter, "", attributes)?;
        }
        Ok(filter)
    }

    /// Adds a parameter of a query. Values of one attribute are alternatives, however often it is
    /// named with `=` (TMF630). `base` is the beginning of hrefs in answers, which stored
    /// documents lack.
    pub fn add(
        &mut self,
        parameter: &Parameter,
        base: &str,
        attributes: &dyn Attributes,
    ) -> Result<(), FilterError> {
        let clause = Clause { conditions: read::conditions(parameter, base, attributes)? };
        let same = clause
            .equals()
            .and_then(|path| self.clauses.iter_mut().find(|known| known.equals() == Some(path)));
        match same {
            Some(known) => known.conditions.extend(clause.conditions),
            None => self.clauses.push(clause),
        }
        let conditions = self.clauses.iter().flat_map(|clause| &clause.conditions);
        let mut values = 0;
        for (at, condition) in conditions.enumerate() {
            values += condition.test.values();
            if at == CONDITIONS_MAX || values > VALUES_MAX {
                return Err(FilterError::TooMany { name: condition.name.clone() });
            }
        }
        Ok(())
    }

    /// Compares each attribute by its type in `attributes`. Fails if an attribute can never match.
    /// Returns the unknown attributes, which documents may have nonetheless.
    pub fn check(&mut self, attributes: &dyn Attributes) -> Result<Vec<Unknown>, FilterError> {
        let mut unknown = Vec::new();
        let conditions = self.clauses.iter_mut().flat_map(|clause| &mut clause.conditions);
        for condition in conditions {
            match attributes.find(&condition.path) {
                Ok(holds) => condition.check(&holds)?,
                Err(error) => unknown.push(error),
            }
        }
        Ok(unknown)
    }

    /// A filter that nothing matches.
    pub(crate) fn nothing() -> Self {
        Self { clauses: vec![Clause { conditions: Vec::new() }] }
    }

    /// Whether every document matches.
    pub fn is_empty(&self) -> bool {
        self.clauses.is_empty()
    }

    /// Whether a document matches.
    pub fn matches(&self, document: &Value) -> bool {
        let left = Left::default();
        self.clauses.iter().all(|clause| clause.holds(document, &left))
    }

    /// The clauses; all must hold.
    pub fn clauses(&self) -> &[Clause] {
        &self.clauses
    }
}

impl Clause {
    /// The conditions; one must hold.
    pub fn conditions(&self) -> &[Condition] {
        &self.conditions
    }

    /// The values, if the filter only compares one attribute for equality.
    pub fn equals(&self) -> Option<&[String]> {
        let first = self.conditions.first()?;
        let is_same =
            |other: &Condition| other.path == first.path && other.operator() == Operator::Eq;
        self.conditions.iter().all(is_same).then_some(first.path.as_slice())
    }

    /// The texts of [`equals`](Self::equals); `None` if an equal value may be
    /// written differently.
    pub fn texts(&self) -> Option<Vec<&str>> {
        let texts = self.conditions.iter().map(Condition::texts).collect::<Option<Vec<_>>>()?;
        Some(texts.into_iter().flatten().collect())
    }

    fn holds(&self, document: &Value, left: &Left) -> bool {
        self.conditions.iter().any(|condition| condition.is_met(document, left))
    }
}

impl Test {
    /// The number of values that it compares with.
    fn values(&self) -> usize {
        match self {
            Self::Compare { operands, .. } => operands.len(),
            Self::Regex(expressions) => expressions.len(),
        }
    }
}

impl Condition {
    fn of(written: read::Written, base: &str) -> Result<Self, FilterError> {
        let read::Written { path, name, operator, values, mut readings } = written;
        if operator == Operator::Regex {
            let read = |value: &read::Value| {
                let read = Expression::read(&value.text);
                read.map_err(|reason| FilterError::Regex { name: name.clone(), reason })
            };
            let built = values.iter().map(read);
            return Ok(Self { test: Test::Regex(built.collect::<Result<_, _>>()?), path, name });
        }
        let is_href = path.last().is_some_and(|last| last == "href" || last.ends_with("Href"));
        // An href may be sent as it was answered.
        let kept = |text: String| match text.strip_prefix(base) {
            Some(path) if is_href => path.to_string(),
            _ => text,
        };
        let operand = |value: read::Value| Sought::new(kept(value.text), &value.plain);
        let operands: Vec<Sought> = values.into_iter().map(operand).collect();
        readings = readings.into_iter().map(kept).collect();
        readings.retain(|reading| operands.iter().all(|operand| operand.text != *reading));
        readings.sort();
        readings.dedup();
        if !matches!(operator, Operator::Eq | Operator::Ne) {
            readings.clear();
        }
        let test = Test::Compare { operator, compared: As::Looks, operands, readings };
        Ok(Self { path, name, test })
    }

    /// The attribute, in pieces.
    pub fn path(&self) -> &[String] {
        &self.path
    }

    /// Whether it holds for documents without the attribute.
    pub fn is_negative(&self) -> bool {
        self.operator() == Operator::Ne
    }

    fn operator(&self) -> Operator {
        match self.test {
            Test::Compare { operator, .. } => operator,
            Test::Regex(_) => Operator::Regex,
        }
    }

    fn texts(&self) -> Option<Vec<&str>> {
        let Test::Compare { operator: Operator::Eq, compared, operands, readings } = &self.test
        else {
            return None;
        };
        let is_literal = match compared {
            As::Text => true,
            // Times are equal regardless of their spelling.
            As::Looks => operands.iter().all(|operand| operand.time.is_none()),
            As::Number | As::Time | As::Boolean => false,
        };
        let texts = operands.iter().map(|operand| &operand.text).chain(readings);
        is_literal.then(|| texts.map(String::as_str).collect())
    }

    /// Whether it holds for a document.
    pub fn holds(&self, document: &Value) -> bool {
        self.is_met(document, &Left::default())
    }

    fn is_met(&self, document: &Value, left: &Left) -> bool {
        match &self.test {
            Test::Compare { operator, compared, operands, readings } => {
                let is_not = *operator == Operator::Ne;
                let operator = if is_not { Operator::Eq } else { *operator };
                let is_any = any(document, &self.path, &mut |found| {
                    operands.iter().any(|operand| operator.holds(found, operand, *compared))
                        || readings.iter().any(|reading| found == reading.as_str())
                });
                // A missing attribute is not equal either.
                is_any != is_not
            }
            Test::Regex(expressions) => any(document, &self.path, &mut |found| {
                compare::text(found).is_some_and(|text| {
                    expressions.iter().any(|expression| expression.is_in(&text, left))
                })
            }),
        }
    }
}

/// Whether the test holds for any value at the path.
pub fn any(value: &Value, path: &[String], test: &mut dyn FnMut(&Value) -> bool) -> bool {
    if let Value::Array(entries) = value {
        return entries.iter().any(|entry| any(entry, path, test));
    }
    match path.split_first() {
        None => test(value),
        Some((name, rest)) => value.get(name).is_some_and(|value| any(value, rest, test)),
    }
}

#[cfg(test)]
mod tests;
