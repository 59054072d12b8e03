//! Workflows as they are written in a pack: named steps, what each needs, and its policies.

use serde::Deserialize;
use serde_json::Value;

use crate::diagnostic::Code;
use crate::id::PluginId;
use crate::places::Place;
use crate::plan::{OnFailure, Retry, Step};

/// A workflow, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Workflow {
    /// Its name.
    pub name: String,
    /// Its steps: what a step needs stands before it.
    pub steps: Vec<WorkflowStep>,
}

/// A step of a workflow.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkflowStep {
    /// The definition of its tasks.
    pub step: Step,
    /// The positions of the steps that it needs.
    pub needs: Vec<usize>,
    /// A condition, asked when the plan is made.
    pub when: Option<String>,
    /// An expression that gives the time before which it is not done.
    pub not_before: Option<String>,
}

/// The retry policy of a step that does not say.
pub const RETRY: Retry = Retry { attempts: 5, first_ms: 200, max_ms: 10_000 };

/// The time limit of a step that does not say, in milliseconds.
pub const TIMEOUT_MS: u64 = 30_000;

/// A workflow as it is written.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct WrittenWorkflow {
    pub workflow: String,
    #[serde(default)]
    #[expect(dead_code, reason = "for people: it is read so that it may be written")]
    pub description: String,
    pub steps: Vec<WrittenStep>,
}

/// A step as it is written.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct WrittenStep {
    pub step: String,
    pub plugin: String,
    #[serde(default)]
    pub needs: Option<Vec<String>>,
    #[serde(default)]
    pub input: Value,
    #[serde(default)]
    pub timeout: Option<String>,
    #[serde(default)]
    pub retry: Option<WrittenRetry>,
    #[serde(default)]
    pub on_failure: Option<WrittenOnFailure>,
    #[serde(default)]
    pub undo: Option<bool>,
    #[serde(default)]
    pub point_of_no_return: bool,
    #[serde(default)]
    pub milestone: Option<String>,
    #[serde(default)]
    pub expected: Option<String>,
    #[serde(default)]
    pub when: Option<String>,
    #[serde(default)]
    pub not_before: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct WrittenRetry {
    #[serde(default)]
    pub attempts: Option<u32>,
    #[serde(default)]
    pub first: Option<String>,
    #[serde(default)]
    pub max: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum WrittenOnFailure {
    Hold,
    RollBack,
}

/// Something that is wrong with a workflow, and where.
pub(crate) struct Wrong<'a> {
    pub code: Code,
    pub message: String,
    pub help: Option<String>,
    pub place: Place<'a>,
}

/// What is wrong with a workflow.
#[derive(Default)]
pub(crate) struct Mistakes<'a>(pub Vec<Wrong<'a>>);

impl<'a> Mistakes<'a> {
    fn add(&mut self, code: Code, place: Place<'a>, message: impl Into<String>) {
        self.0.push(Wrong { code, message: message.into(), help: None, place });
    }

    fn duration(&mut self, text: Option<&String>, place: Place<'a>) -> Option<u64> {
        let text = text?;
        let read = duration_ms(text);
        if read.is_none() {
            let message = format!("`{text}` is no duration such as `200ms`, `10s`, `5m`, `1h`");
            self.add(Code::Value, place, message);
        }
        read
    }
}

/// Turns what is written into a workflow, as far as that can be; with all that is wrong with it.
pub(crate) fn checked<'a>(
    written: WrittenWorkflow,
    place: Place<'a>,
    mistakes: &mut Mistakes<'a>,
) -> Workflow {
    let WrittenWorkflow { workflow: name, steps: written, .. } = written;
    let mut steps: Vec<WorkflowStep> = Vec::new();
    if written.is_empty() {
        mistakes.add(Code::Shape, place.get("workflow"), "a workflow needs at least one step");
    }
    for (index, mut entry) in written.into_iter().enumerate() {
        let place = place.get("steps").at(index);
        if steps.iter().any(|step| step.step.step == entry.step) {
            let message = format!("the step `{}` occurs twice", entry.step);
            mistakes.add(Code::Twice, place.get("step"), message);
        }
        steps.push(WorkflowStep {
            needs: needs(entry.needs.as_deref(), &steps, place.get("needs"), mistakes),
            when: entry.when.take(),
            not_before: entry.not_before.take(),
            step: step(&name, entry, place, mistakes),
        });
    }
    Workflow { name, steps }
}

/// The positions of the steps that a step needs.
fn needs<'a>(
    names: Option<&[String]>,
    steps: &[WorkflowStep],
    place: Place<'a>,
    mistakes: &mut Mistakes<'a>,
) -> Vec<usize> {
    let Some(names) = names else {
        return steps.len().checked_sub(1).into_iter().collect();
    };
    let mut found = Vec::new();
    for (index, name) in names.iter().enumerate() {
        match steps.iter().position(|step| step.step.step == *name) {
            Some(position) => found.push(position),
            None => {
                let known: Vec<_> = steps.iter().map(|step| step.step.step.as_str()).collect();
                let message = match known.join(", ") {
                    none if none.is_empty() => format!("no step `{name}` stands before this one"),
                    known => format!("no step `{name}` stands before this one; there are: {known}"),
                };
                mistakes.add(Code::UnknownStep, place.at(index), message);
                // It may have meant any of them: what it reads is no mistake of its own.
                found.extend(0..steps.len());
            }
        }
    }
    found
}

fn step<'a>(
    workflow: &str,
    entry: WrittenStep,
    place: Place<'a>,
    mistakes: &mut Mistakes<'a>,
) -> Step {
    let at = place.get("retry");
    let retry = match &entry.retry {
        Some(retry) => Retry {
            attempts: retry.attempts.unwrap_or(RETRY.attempts).max(1),
            first_ms: mistakes
                .duration(retry.first.as_ref(), at.get("first"))
                .unwrap_or(RETRY.first_ms),
            max_ms: mistakes.duration(retry.max.as_ref(), at.get("max")).unwrap_or(RETRY.max_ms),
        },
        None => RETRY,
    };
    if !matches!(entry.input, Value::Null | Value::Object(_)) {
        mistakes.add(Code::Shape, place.get("input"), "`input` is a mapping of names to values");
    }
    if entry.milestone.as_ref().is_some_and(|name| name.trim().is_empty()) {
        mistakes.add(Code::Value, place.get("milestone"), "`milestone` is a name");
    }
    let timeout = mistakes.duration(entry.timeout.as_ref(), place.get("timeout"));
    Step {
        workflow: workflow.into(),
        step: entry.step,
        plugin: PluginId::new(entry.plugin),
        input: entry.input,
        timeout_ms: timeout.unwrap_or(TIMEOUT_MS),
        retry,
        on_failure: match entry.on_failure {
            Some(WrittenOnFailure::RollBack) => OnFailure::RollBack,
            Some(WrittenOnFailure::Hold) | None => OnFailure::Hold,
        },
        undo: entry.undo.unwrap_or(true),
        point_of_no_return: entry.point_of_no_return,
        milestone: entry.milestone,
        expected_ms: mistakes.duration(entry.expected.as_ref(), place.get("expected")),
    }
}

/// The units of durations. Others that `humantime` knows are refused: `M`, a month, is too close to `m`.
const UNITS: [&str; 5] = ["ms", "s", "m", "h", "d"];

/// Reads a duration such as `200ms`, `10s`, `1h 30m` or `2d`, in milliseconds.
pub fn duration_ms(text: &str) -> Option<u64> {
    let units = text.split(|c: char| c.is_ascii_digit()).map(str::trim_end);
    if !units.filter(|unit| !unit.is_empty()).all(|unit| UNITS.contains(&unit)) {
        return None;
    }
    u64::try_from(humantime::parse_duration(text).ok()?.as_millis()).ok()
}

#[cfg(test)]
mod tests;
