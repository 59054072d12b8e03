//! The faults that are armed, when each fires, and how they are written.

use serde_json::{Map, Value, json};

use super::element::find;
use super::refusal::Refusal;

#[cfg(test)]
mod tests;

const FAULTS_MAX: usize = 256;
const DELAY_MS_MAX: u64 = 600_000;
const DELAY_MS: u64 = 300;
const TEXT_BYTES_MAX: usize = 512;

/// The kinds of faults, each with its fields and what it does.
pub(super) const KINDS: [(&str, &[&str], &str); 5] = [
    (
        "error",
        &["status", "rpcCode", "message"],
        "answers an error (503, -32001) and applies nothing",
    ),
    ("timeout", &[], "applies nothing and never answers"),
    ("slow", &["delayMs"], "applies after a delay (300), then answers"),
    ("lost", &[], "applies, then drops the connection"),
    (
        "async",
        &["delayMs", "duplicate", "outcome", "code", "message"],
        "accepts, applies after a delay (300), then calls back: `outcome` is `done` or `failed`",
    ),
];

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// Answers an error and applies nothing.
    Error { status: u16, rpc_code: i64, message: String },
    /// Applies nothing and never answers.
    Timeout,
    /// Applies after a delay, then answers.
    Slow { delay_ms: u64 },
    /// Applies, then drops the connection.
    Lost,
    /// Accepts, applies after a delay, then calls back.
    Async { delay_ms: u64, outcome: Outcome, deliveries: u8 },
}

/// How an accepted call ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    Done,
    Failed { code: String, message: String },
}

/// What a call would come to without a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Occasion {
    Change,
    /// A read, a refusal, or a repeat that is answered from the record. There is nothing to
    /// accept for later, so `async` lets it pass and does not count it.
    NoChange,
}

/// The armed faults, in the order given: the first that fires decides, and those behind it do not
/// see that call.
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<Fault>);

#[derive(Debug)]
struct Fault {
    element: String,
    operation: String,
    kind: Kind,
    times: Option<u64>,
    every: u64,
    matched: u64,
    fired: u64,
}

impl Faults {
    /// Reads the list that a user wrote.
    pub(super) fn parse(list: Value) -> Result<Self, Refusal> {
        let Value::Array(list) = list else {
            return Err(Refusal::malformed("the faults are not an array"));
        };
        if list.len() > FAULTS_MAX {
            return Err(Refusal::malformed(format!("more than {FAULTS_MAX} faults")));
        }
        let faults: Result<_, _> = list.into_iter().enumerate().map(Fields::read).collect();
        faults.map(Self)
    }

    /// Returns the fault that hits this call, and counts it.
    pub(super) fn fire(
        &mut self,
        element: &str,
        operation: &str,
        occasion: Occasion,
    ) -> Option<Kind> {
        self.0
            .iter_mut()
            .filter(|fault| fault.matches(element, operation, occasion))
            .find_map(Fault::fire)
    }

    /// The list with how often each has fired.
    pub(super) fn show(&self) -> Value {
        self.0.iter().map(Fault::show).collect()
    }
}

impl Fault {
    fn matches(&self, element: &str, operation: &str, occasion: Occasion) -> bool {
        let fits = match self.kind {
            Kind::Async { .. } => occasion == Occasion::Change,
            Kind::Error { .. } | Kind::Timeout | Kind::Slow { .. } | Kind::Lost => true,
        };
        let named = |pattern: &str, name: &str| pattern == "*" || pattern == name;
        fits && named(&self.element, element) && named(&self.operation, operation)
    }

    fn fire(&mut self) -> Option<Kind> {
        if self.times.is_some_and(|times| self.fired >= times) {
            return None;
        }
        self.matched += 1;
        if !self.matched.is_multiple_of(self.every) {
            return None;
        }
        self.fired += 1;
        Some(self.kind.clone())
    }

    fn show(&self) -> Value {
        let mut shown = json!({
            "element": self.element,
            "operation": self.operation,
            "every": self.every,
            "fired": self.fired,
        });
        if let Some(times) = self.times {
            shown["times"] = times.into();
        }
        match &self.kind {
            Kind::Error { status, rpc_code, message } => {
                shown["fault"] = "error".into();
                shown["status"] = (*status).into();
                shown["rpcCode"] = (*rpc_code).into();
                shown["message"] = message.as_str().into();
            }
            Kind::Timeout => shown["fault"] = "timeout".into(),
            Kind::Lost => shown["fault"] = "lost".into(),
            Kind::Slow { delay_ms } => {
                shown["fault"] = "slow".into();
                shown["delayMs"] = (*delay_ms).into();
            }
            Kind::Async { delay_ms, outcome, deliveries } => {
                shown["fault"] = "async".into();
                shown["delayMs"] = (*delay_ms).into();
                shown["duplicate"] = (*deliveries > 1).into();
                show_outcome(outcome, &mut shown);
            }
        }
        shown
    }
}

fn show_outcome(outcome: &Outcome, shown: &mut Value) {
    match outcome {
        Outcome::Done => shown["outcome"] = "done".into(),
        Outcome::Failed { code, message } => {
            shown["outcome"] = "failed".into();
            shown["code"] = code.as_str().into();
            shown["message"] = message.as_str().into();
        }
    }
}

/// One fault as written. A field is taken out when it is read, so what is left is unknown. By hand
/// and not by serde, whose message for a wrong type does not name the field.
struct Fields {
    index: usize,
    left: Map<String, Value>,
}

impl Fields {
    fn read((index, value): (usize, Value)) -> Result<Fault, Refusal> {
        let Value::Object(left) = value else {
            return Err(Refusal::malformed(format!("`[{index}]` is not an object with `fault`")));
        };
        let mut fields = Self { index, left };
        let element = fields.text("element")?.unwrap_or_else(|| "*".to_owned());
        if element != "*" && find(&element).is_none() {
            let unknown = Refusal::UnknownElement { name: element };
            return Err(fields.wrong("element", &format!("is wrong: {unknown}")));
        }
        let operation = fields.text("operation")?.unwrap_or_else(|| "*".to_owned());
        let times = fields.whole("times", 1, u64::MAX)?;
        let every = fields.whole("every", 1, u64::MAX)?.unwrap_or(1);
        let name = fields.text("fault")?.ok_or_else(|| fields.wrong("fault", "is missing"))?;
        let kind = fields.kind(&name)?;
        if let Some(unknown) = fields.left.keys().next() {
            return Err(fields.wrong(unknown, &format!("is not a field of fault `{name}`")));
        }
        Ok(Fault { element, operation, kind, times, every, matched: 0, fired: 0 })
    }

    fn kind(&mut self, name: &str) -> Result<Kind, Refusal> {
        match name {
            "error" => Ok(Kind::Error {
                status: self.status()?,
                rpc_code: self.signed("rpcCode")?.unwrap_or(-32001),
                message: self
                    .text("message")?
                    .unwrap_or_else(|| "the element is out of order".to_owned()),
            }),
            "timeout" => Ok(Kind::Timeout),
            "lost" => Ok(Kind::Lost),
            "slow" => Ok(Kind::Slow { delay_ms: self.delay_ms()? }),
            "async" => Ok(Kind::Async {
                delay_ms: self.delay_ms()?,
                deliveries: if self.flag("duplicate")? { 2 } else { 1 },
                outcome: self.outcome()?,
            }),
            _ => {
                let known = KINDS.map(|(name, ..)| name).join(", ");
                Err(self.wrong("fault", &format!("is none of {known}")))
            }
        }
    }

    fn outcome(&mut self) -> Result<Outcome, Refusal> {
        match self.text("outcome")?.as_deref() {
            None | Some("done") => Ok(Outcome::Done),
            Some("failed") => Ok(Outcome::Failed {
                code: self.text("code")?.unwrap_or_else(|| "failed".to_owned()),
                message: self
                    .text("message")?
                    .unwrap_or_else(|| "the element could not do it".to_owned()),
            }),
            Some(_) => Err(self.wrong("outcome", "is not done or failed")),
        }
    }

    fn status(&mut self) -> Result<u16, Refusal> {
        let status = self.whole("status", 400, 599)?.unwrap_or(503);
        Ok(u16::try_from(status).expect("it was just found to be below 600"))
    }

    fn delay_ms(&mut self) -> Result<u64, Refusal> {
        Ok(self.whole("delayMs", 0, DELAY_MS_MAX)?.unwrap_or(DELAY_MS))
    }

    fn text(&mut self, field: &str) -> Result<Option<String>, Refusal> {
        match self.left.remove(field) {
            None => Ok(None),
            Some(Value::String(text)) if !text.is_empty() && text.len() <= TEXT_BYTES_MAX => {
                Ok(Some(text))
            }
            Some(_) => Err(self.wrong(field, &format!("is not 1 to {TEXT_BYTES_MAX} bytes"))),
        }
    }

    fn whole(&mut self, field: &str, min: u64, max: u64) -> Result<Option<u64>, Refusal> {
        let Some(value) = self.left.remove(field) else {
            return Ok(None);
        };
        let number = value
            .as_u64()
            .filter(|number| (min..=max).contains(number))
            .ok_or_else(|| self.wrong(field, &format!("is not a number from {min} to {max}")))?;
        Ok(Some(number))
    }

    fn signed(&mut self, field: &str) -> Result<Option<i64>, Refusal> {
        let Some(value) = self.left.remove(field) else {
            return Ok(None);
        };
        let number = value.as_i64().ok_or_else(|| self.wrong(field, "is not a whole number"))?;
        Ok(Some(number))
    }

    fn flag(&mut self, field: &str) -> Result<bool, Refusal> {
        match self.left.remove(field) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(flag),
            Some(_) => Err(self.wrong(field, "is not true or false")),
        }
    }

    fn wrong(&self, field: &str, why: &str) -> Refusal {
        Refusal::malformed(format!("`[{}].{field}` {why}", self.index))
    }
}
