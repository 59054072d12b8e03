//! Bounds on what comes from plugins, elements and callbacks: size, depth and count. Prose that
//! exceeds them is cut, data is refused, before it is applied or written.

use serde_json::{Map, Value};

use crate::codes::FailureCode;
use crate::outcome::{Failure, FailureClass, Outcome, Wait};
use tmf::document::Characteristics;

/// The bounds of this version. Everything that is written to a journal keeps to them.
pub const BOUNDS: Bounds = Bounds {
    depth_max: 32,
    outputs_bytes_max: 256 * 1024,
    values_max: 20_000,
    code_bytes_max: 64,
    message_bytes_max: 4 * 1024,
    keys_max: 32,
    key_bytes_max: 512,
    wait_ms_max: u32::MAX as u64,
    retry_after_ms_max: 7 * 24 * 3_600_000,
    payload_bytes_max: 64 * 1024,
    productions_max: 1_000,
    productions_bytes_max: 1 << 20,
    attributes_max: 64,
    attribute_bytes_max: 4 * 1024,
};

/// How large, deep and many the parts of an answer may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Levels of arrays and objects in any JSON; the outermost one counts.
    pub depth_max: usize,
    /// Bytes of the outputs of one call, written as JSON.
    pub outputs_bytes_max: usize,
    /// Values in one JSON: many small ones take far more memory than text.
    pub values_max: usize,
    /// Bytes of a failure's code.
    pub code_bytes_max: usize,
    /// Bytes of a failure's message.
    pub message_bytes_max: usize,
    /// Keys that one task waits under.
    pub keys_max: usize,
    /// Bytes of such a key.
    pub key_bytes_max: usize,
    /// Milliseconds that a task waits for a callback.
    pub wait_ms_max: u64,
    /// Milliseconds that a failure puts off the next attempt.
    pub retry_after_ms_max: u64,
    /// Bytes of the payload of a callback.
    pub payload_bytes_max: usize,
    /// Productions of one decomposition.
    pub productions_max: usize,
    /// Bytes of the characteristics of all productions of one decomposition, written as JSON.
    pub productions_bytes_max: usize,
    /// Attributes of one record of an answer.
    pub attributes_max: usize,
    /// Bytes of the name and value of one attribute.
    pub attribute_bytes_max: usize,
}

/// Which bound was exceeded, by what.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} with {has} {unit}, the limit is {max}")]
pub struct Exceeded {
    /// What is too large, such as `outputs`.
    pub what: &'static str,
    /// What was counted, such as `bytes`.
    pub unit: &'static str,
    /// How many there are; where counting stopped early, how many there are at least.
    pub has: u64,
    /// How many there may be.
    pub max: u64,
}

impl Exceeded {
    /// The failure of a call whose answer is out of bounds.
    pub fn failure(&self) -> Failure {
        let message = format!(
            "the plugin answered with {self}; the limit is fixed, so mend the plugin or have the \
             element answer less, then retry the task"
        );
        Failure::new(FailureClass::Operator, FailureCode::PluginAnswer, message)
    }
}

impl Bounds {
    /// An outcome within bounds: what cannot be cut becomes a failure.
    pub fn outcome(&self, outcome: Outcome) -> Outcome {
        match outcome {
            Outcome::Done(outputs) => match self.outputs(&outputs) {
                Ok(()) => Outcome::Done(outputs),
                Err(exceeded) => Outcome::Failed(exceeded.failure()),
            },
            Outcome::Waiting(wait) => match self.wait(wait) {
                Ok(wait) => Outcome::Waiting(wait),
                Err(exceeded) => Outcome::Failed(exceeded.failure()),
            },
            Outcome::Failed(failure) => Outcome::Failed(self.failure(failure)),
        }
    }

    /// Checks the outputs of a call.
    pub fn outputs(&self, outputs: &Map<String, Value>) -> Result<(), Exceeded> {
        self.shape("outputs", outputs.values())?;
        within("outputs", "bytes", bytes(outputs), self.outputs_bytes_max)
    }

    /// Checks the payload of a callback.
    pub fn payload(&self, payload: &Value) -> Result<(), Exceeded> {
        self.shape("a payload", std::iter::once(payload))?;
        within("a payload", "bytes", bytes(payload), self.payload_bytes_max)
    }

    /// Checks the characteristics of the productions of one decomposition.
    pub fn productions<'a>(
        &self,
        characteristics: impl ExactSizeIterator<Item = &'a Characteristics>,
    ) -> Result<(), Exceeded> {
        within("a decomposition", "productions", characteristics.len(), self.productions_max)?;
        let mut all = 0;
        for one in characteristics {
            self.shape("characteristics", one.iter().map(|(_, value)| value))?;
            all += bytes(one);
            let what = "a decomposition";
            within(what, "bytes of characteristics", all, self.productions_bytes_max)?;
        }
        Ok(())
    }

    /// Checks the outputs that were read back of a piece of work, and the differences, each a name
    /// with the expected value and the one found.
    pub fn read_back<'a>(
        &self,
        outputs: &Map<String, Value>,
        differences: impl Iterator<Item = (&'a str, &'a Value, &'a Value)> + Clone,
    ) -> Result<(), Exceeded> {
        self.outputs(outputs)?;
        let values = differences.clone().flat_map(|(_, expected, found)| [expected, found]);
        self.shape("differences", values)?;
        let size =
            differences.map(|(name, expected, found)| name.len() + bytes(expected) + bytes(found));
        within("differences", "bytes", size.sum(), self.outputs_bytes_max)
    }

    /// A wait within bounds. Keys are not cut: another key would be another wait.
    pub fn wait(&self, wait: Wait) -> Result<Wait, Exceeded> {
        within("a wait", "keys", wait.keys.len(), self.keys_max)?;
        for key in &wait.keys {
            within("a key of a wait", "bytes", key.len(), self.key_bytes_max)?;
        }
        Ok(Wait { timeout_ms: wait.timeout_ms.min(self.wait_ms_max), ..wait })
    }

    /// A failure within bounds: its texts are cut, and hold no control characters but line breaks.
    pub fn failure(&self, failure: Failure) -> Failure {
        let Failure { class, code, message, retry_after_ms, attribute } = failure;
        Failure {
            class,
            code: cut(plain(code.to_string(), &[]), self.code_bytes_max).into(),
            message: cut(plain(message, &['\n', '\t']), self.message_bytes_max),
            retry_after_ms: retry_after_ms.map(|ms| ms.min(self.retry_after_ms_max)),
            attribute: attribute.map(|path| cut(plain(path, &[]), self.message_bytes_max)),
        }
    }

    /// Checks the depth of JSON text before anything is made of it.
    pub fn text(&self, what: &'static str, text: &str) -> Result<(), Exceeded> {
        within(what, "levels", text_depth(text), self.depth_max)
    }

    /// Checks depth and count of values, without going deeper than allowed.
    fn shape<'a>(
        &self,
        what: &'static str,
        values: impl Iterator<Item = &'a Value>,
    ) -> Result<(), Exceeded> {
        let mut counted = 0;
        // The values lie in an object or a list, which is the first level.
        let mut left: Vec<(&Value, usize)> = values.map(|value| (value, 1)).collect();
        while let Some((value, outside)) = left.pop() {
            counted += 1;
            within(what, "values", counted + left.len(), self.values_max)?;
            let inside = outside + 1;
            match value {
                Value::Array(items) => {
                    within(what, "levels", inside, self.depth_max)?;
                    left.extend(items.iter().map(|item| (item, inside)));
                }
                Value::Object(fields) => {
                    within(what, "levels", inside, self.depth_max)?;
                    left.extend(fields.values().map(|field| (field, inside)));
                }
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
            }
        }
        Ok(())
    }
}

/// How many levels of arrays and objects there are in a value; none in a number or text.
pub fn depth(value: &Value) -> usize {
    let mut deepest = 0;
    let mut left = vec![(value, 0)];
    while let Some((value, outside)) = left.pop() {
        let inside = outside + 1;
        match value {
            Value::Array(items) => left.extend(items.iter().map(|item| (item, inside))),
            Value::Object(fields) => left.extend(fields.values().map(|field| (field, inside))),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => continue,
        }
        deepest = deepest.max(inside);
    }
    deepest
}

/// How many levels of arrays and objects JSON text opens; text that is not JSON has some number.
pub fn text_depth(text: &str) -> usize {
    let (mut open, mut deepest) = (0_usize, 0);
    let (mut in_text, mut is_escaped) = (false, false);
    for byte in text.bytes() {
        match (in_text, byte) {
            (true, _) if is_escaped => is_escaped = false,
            (true, b'\\') => is_escaped = true,
            (_, b'"') => in_text = !in_text,
            (false, b'[' | b'{') => {
                open += 1;
                deepest = deepest.max(open);
            }
            (false, b']' | b'}') => open = open.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// How many bytes something has as JSON.
pub fn bytes(value: &impl serde::Serialize) -> usize {
    struct Count(usize);
    impl std::io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    match serde_json::to_writer(&mut count, value) {
        Ok(()) => count.0,
        // What cannot be written has no size that would be small enough.
        Err(_) => usize::MAX,
    }
}

/// A text of no more than this many bytes; where it is cut it ends with an ellipsis.
pub fn cut(mut text: String, bytes_max: usize) -> String {
    const MARK: &str = "…";
    if text.len() <= bytes_max {
        return text;
    }
    let end = text.floor_char_boundary(bytes_max.saturating_sub(MARK.len()));
    text.truncate(end);
    if end + MARK.len() <= bytes_max {
        text.push_str(MARK);
    }
    text.shrink_to_fit();
    text
}

/// A text without control characters but these: it is shown in terminals and logs.
fn plain(text: String, but: &[char]) -> String {
    let is_bad = |c: char| c.is_control() && !but.contains(&c);
    if !text.contains(is_bad) {
        return text;
    }
    text.chars().map(|c| if is_bad(c) { ' ' } else { c }).collect()
}

fn within(what: &'static str, unit: &'static str, has: usize, max: usize) -> Result<(), Exceeded> {
    if has <= max {
        return Ok(());
    }
    Err(Exceeded { what, unit, has: has as u64, max: max as u64 })
}

#[cfg(test)]
mod tests;
