//! Workflows as they are written in a pack: named steps, what each needs, and its policies.

use serde::Deserialize;
use serde_json::Value;

use crate::id::PluginId;
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
    /// What a task is made from.
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
    Unwind,
}

/// Something that is wrong with a workflow: what, and the text of it to point at.
pub(crate) struct Wrong {
    pub message: String,
    pub at: String,
}

impl Wrong {
    fn new(at: &str, message: String) -> Self {
        Self { message, at: at.into() }
    }
}

/// Turns what is written into a workflow.
pub(crate) fn checked(written: &WrittenWorkflow) -> Result<Workflow, Wrong> {
    let mut steps: Vec<WorkflowStep> = Vec::new();
    if written.steps.is_empty() {
        return Err(Wrong::new(&written.workflow, "a workflow needs at least one step".into()));
    }
    for entry in &written.steps {
        let position = |name: &String| {
            steps.iter().position(|step| step.step.step == *name).ok_or_else(|| {
                let known: Vec<_> = steps.iter().map(|step| step.step.step.as_str()).collect();
                let message = match known.join(", ") {
                    none if none.is_empty() => format!("no step `{name}` stands before this one"),
                    known => format!("no step `{name}` stands before this one; there are: {known}"),
                };
                Wrong::new(name, message)
            })
        };
        if position(&entry.step).is_ok() {
            let message = format!("the step `{}` occurs twice", entry.step);
            return Err(Wrong::new(&entry.step, message));
        }
        let needs = match &entry.needs {
            Some(names) => names.iter().map(position).collect::<Result<_, _>>()?,
            None => steps.len().checked_sub(1).into_iter().collect(),
        };
        steps.push(WorkflowStep {
            step: step(&written.workflow, entry)?,
            needs,
            when: entry.when.clone(),
            not_before: entry.not_before.clone(),
        });
    }
    Ok(Workflow { name: written.workflow.clone(), steps })
}

fn step(workflow: &str, entry: &WrittenStep) -> Result<Step, Wrong> {
    let duration = |text: &Option<String>, default: u64| match text {
        Some(text) => duration_ms(text).ok_or_else(|| {
            Wrong::new(text, format!("`{text}` is no duration such as `200ms`, `10s`, `5m`, `1h`"))
        }),
        None => Ok(default),
    };
    let retry = match &entry.retry {
        Some(retry) => Retry {
            attempts: retry.attempts.unwrap_or(RETRY.attempts).max(1),
            first_ms: duration(&retry.first, RETRY.first_ms)?,
            max_ms: duration(&retry.max, RETRY.max_ms)?,
        },
        None => RETRY,
    };
    if !matches!(entry.input, Value::Null | Value::Object(_)) {
        return Err(Wrong::new(&entry.step, "`input` is a mapping of names to values".into()));
    }
    if let Some(milestone) = entry.milestone.as_ref().filter(|name| name.trim().is_empty()) {
        return Err(Wrong::new(milestone, "`milestone` is a name".into()));
    }
    let expected = entry.expected.as_ref().map(|_| duration(&entry.expected, 0)).transpose()?;
    Ok(Step {
        workflow: workflow.into(),
        step: entry.step.clone(),
        plugin: PluginId::new(&entry.plugin),
        input: entry.input.clone(),
        timeout_ms: duration(&entry.timeout, TIMEOUT_MS)?,
        retry,
        on_failure: match entry.on_failure {
            Some(WrittenOnFailure::Unwind) => OnFailure::Unwind,
            Some(WrittenOnFailure::Hold) | None => OnFailure::Hold,
        },
        undo: entry.undo.unwrap_or(true),
        no_return: entry.point_of_no_return,
        milestone: entry.milestone.clone(),
        expected_ms: expected,
    })
}

/// Reads a duration such as `200ms`, `10s`, `5m`, `1h` or `2d`.
pub fn duration_ms(text: &str) -> Option<u64> {
    let split = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(split);
    let factor = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}
