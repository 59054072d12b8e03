//! A case: a task, what the element answers to it, and what is expected.

mod lines;
pub(super) mod stock;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Result;
use host::regular;
use serde::{Deserialize, Deserializer, Serialize};

pub(in crate::cli::plugin) use self::lines::Lines;
use super::fault::Fault;
use super::json::Json;
use crate::cli::Usage;
use model::FailureClass;

/// Max bytes of a file of a case.
const FILE_BYTES_MAX: usize = 1 << 20;
/// Max cases of a project.
const CASES_MAX: usize = 100;
/// Max exchanges of a case.
const EXCHANGES_MAX: usize = 200;

/// A case of a project, with the name of its file.
#[derive(Debug)]
pub(in crate::cli::plugin) struct Case {
    /// The name of its file without the extension.
    pub(in crate::cli::plugin) name: String,
    pub(in crate::cli::plugin) file: PathBuf,
    pub(in crate::cli::plugin) written: Written,
    pub(in crate::cli::plugin) lines: Lines,
}

/// A case as it is written.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(in crate::cli::plugin) struct Written {
    /// Its purpose, for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(in crate::cli::plugin) about: String,
    #[serde(default)]
    pub(in crate::cli::plugin) task: Task,
    /// The settings of the plugin; `{{element}}` is the address of the simulated element.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(in crate::cli::plugin) settings: BTreeMap<String, String>,
    /// The documents of the inventory, by their kind.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(in crate::cli::plugin) inventory: BTreeMap<String, Vec<Json>>,
    /// The pools, name to pattern, such as `{100..199}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(in crate::cli::plugin) pools: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(in crate::cli::plugin) exchanges: Vec<Exchange>,
    #[serde(default, skip_serializing_if = "Expect::is_empty")]
    pub(in crate::cli::plugin) expect: Expect,
    /// The part that is disturbed; everything by default.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub(in crate::cli::plugin) disturb: Option<Disturb>,
    /// The faults that this case leaves out, each with the reason.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(in crate::cli::plugin) leave_out: BTreeMap<Fault, String>,
}

/// The part of a case that is disturbed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::cli::plugin) enum Disturb {
    /// The whole matrix is played.
    Everything,
    /// The task is done once, and not undone: the exchanges of more are not known.
    Nothing,
}

/// The task that the plugin is called for.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub(in crate::cli::plugin) struct Task {
    /// The specification of the item.
    pub(in crate::cli::plugin) spec: String,
    pub(in crate::cli::plugin) action: Action,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(in crate::cli::plugin) characteristics: BTreeMap<String, Json>,
    /// The input of the step; of a validator or a decomposer, the order.
    pub(in crate::cli::plugin) input: Json,
    /// The earlier request that this one changes or, with the action `delete`, ends.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub(in crate::cli::plugin) replaces: Option<Earlier>,
}

/// A request that was carried out before that of the task.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(in crate::cli::plugin) struct Earlier {
    /// Its characteristics, if they were others.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub(in crate::cli::plugin) characteristics: Option<BTreeMap<String, Json>>,
    /// Its input, if it was another.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub(in crate::cli::plugin) input: Option<Json>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::cli::plugin) enum Action {
    Add,
    Modify,
    Delete,
    NoChange,
}

/// A request that the element knows, and its answer.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(in crate::cli::plugin) struct Exchange {
    pub(in crate::cli::plugin) request: Pattern,
    #[serde(default)]
    pub(in crate::cli::plugin) does: Does,
    /// The effect that it makes, removes or shows, where an element has several.
    #[serde(default = "work", skip_serializing_if = "is_work")]
    pub(in crate::cli::plugin) effect: String,
    /// By what the element knows a request that it has carried out.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub(in crate::cli::plugin) once: Option<Once>,
    /// Where the request has its idempotency key: a header, or a JSON pointer into the body.
    #[serde(default = "key_header", skip_serializing_if = "is_key_header")]
    pub(in crate::cli::plugin) key: String,
    /// The answer; of a request that reads or reverts, if the effect is there.
    #[serde(default)]
    pub(in crate::cli::plugin) answer: Answer,
    /// The answer of a request that reads or reverts if the effect is not there; 404 by default.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub(in crate::cli::plugin) absent: Option<Answer>,
    /// The answer to a request that was carried out already.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub(in crate::cli::plugin) repeated: Option<Answer>,
    /// The answer if the effect is there under another key.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub(in crate::cli::plugin) taken: Option<Answer>,
    /// The answer of a request that reads, while the callback is still to come.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub(in crate::cli::plugin) pending: Option<Answer>,
    /// The callback by which the element ends what it accepted.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub(in crate::cli::plugin) callback: Option<Callback>,
}

/// A pattern of requests.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::cli::plugin) struct Pattern {
    pub(in crate::cli::plugin) method: Method,
    /// The path with its query, as the plugin sends it.
    pub(in crate::cli::plugin) path: PathPattern,
    /// Headers that it must have.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(in crate::cli::plugin) headers: BTreeMap<String, String>,
    /// Its body as JSON.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub(in crate::cli::plugin) body: Option<Json>,
    /// Its body as text.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub(in crate::cli::plugin) text: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub(in crate::cli::plugin) struct Method(pub(in crate::cli::plugin) String);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub(in crate::cli::plugin) struct PathPattern(pub(in crate::cli::plugin) String);

/// The effect of a request on the element.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::cli::plugin) enum Does {
    /// It makes the effect, or makes it anew.
    Applies,
    /// It changes the effect that is there, with the members of its body.
    Changes,
    /// It removes the effect.
    Reverts,
    /// It shows the effect.
    Reads,
    /// It is about no effect, such as a login.
    #[default]
    Nothing,
}

impl Does {
    pub(in crate::cli::plugin) fn changes(self) -> bool {
        match self {
            Self::Applies | Self::Changes | Self::Reverts => true,
            Self::Reads | Self::Nothing => false,
        }
    }
}

/// By what an element knows a request that it has carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::cli::plugin) enum Once {
    /// By the idempotency key: the default of `POST`.
    Key,
    /// By method and path: the default of every other method.
    Target,
    /// By the effect: the request takes the place of what is there, whatever made it.
    Effect,
    /// It does not: each request makes another effect.
    Never,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::cli::plugin) struct Answer {
    pub(in crate::cli::plugin) status: Status,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(in crate::cli::plugin) headers: BTreeMap<String, String>,
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub(in crate::cli::plugin) body: Option<Json>,
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub(in crate::cli::plugin) text: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u16")]
pub(in crate::cli::plugin) struct Status(pub(in crate::cli::plugin) u16);

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::cli::plugin) struct Callback {
    /// The element's own name for the work; without it the callback goes to the URL of the task.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub(in crate::cli::plugin) name: Option<String>,
    pub(in crate::cli::plugin) body: Json,
}

/// The expected end of the task if nothing disturbs it.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(in crate::cli::plugin) struct Expect {
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub(in crate::cli::plugin) outputs: Option<Json>,
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub(in crate::cli::plugin) failure: Option<Failed>,
    /// The specifications that a decomposer makes, in order.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub(in crate::cli::plugin) productions: Option<Vec<String>>,
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub(in crate::cli::plugin) probe: Option<Probe>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::cli::plugin) struct Failed {
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub(in crate::cli::plugin) class: Option<FailureClass>,
    pub(in crate::cli::plugin) code: String,
}

/// The ability of the plugin's probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::cli::plugin) enum Probe {
    /// Find the work under the key of the task.
    Tells,
    /// No more than to answer `not applied`, so that the work is done again.
    CannotTell,
}

impl Default for Task {
    fn default() -> Self {
        Self {
            spec: "EXAMPLE".into(),
            action: Action::Add,
            characteristics: BTreeMap::new(),
            input: Json(serde_json::Value::Object(serde_json::Map::new())),
            replaces: None,
        }
    }
}

impl Task {
    /// Whether the task ends the earlier work.
    pub(in crate::cli::plugin) fn ends(&self) -> bool {
        self.replaces.is_some() && self.action == Action::Delete
    }
}

impl Default for Answer {
    fn default() -> Self {
        Self { status: Status(200), headers: BTreeMap::new(), body: None, text: None }
    }
}

impl Answer {
    /// An answer that is not known yet.
    pub(in crate::cli::plugin) fn unset() -> Self {
        Self { status: Status(0), ..Self::default() }
    }

    pub(in crate::cli::plugin) fn is_unset(&self) -> bool {
        self.status == Status(0)
    }
}

impl Expect {
    fn is_empty(&self) -> bool {
        self.outputs.is_none()
            && self.failure.is_none()
            && self.productions.is_none()
            && self.probe.is_none()
    }
}

impl Exchange {
    /// The part that has both a `body` and a `text`.
    fn two_bodies(&self) -> Option<&'static str> {
        let answers = [&self.absent, &self.repeated, &self.taken, &self.pending];
        let answers = answers.into_iter().flatten().chain(std::iter::once(&self.answer));
        if self.request.body.is_some() && self.request.text.is_some() {
            return Some("a request has a `body` or a `text`, not both");
        }
        let has_two = |answer: &Answer| answer.body.is_some() && answer.text.is_some();
        answers.into_iter().any(has_two).then_some("an answer has a `body` or a `text`, not both")
    }

    pub(in crate::cli::plugin) fn once(&self) -> Once {
        let default = if self.request.method.0 == "POST" { Once::Key } else { Once::Target };
        self.once.unwrap_or(default)
    }
}

impl TryFrom<String> for Method {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_uppercase()) {
            true => Ok(Self(text)),
            false => Err(format!("`{text}` is no method: write it in capitals, such as `PUT`")),
        }
    }
}

impl TryFrom<String> for PathPattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.starts_with('/') {
            true => Ok(Self(text)),
            false => Err(format!("the path `{text}` must begin with `/`, without the address")),
        }
    }
}

impl TryFrom<u16> for Status {
    type Error = String;

    fn try_from(status: u16) -> Result<Self, String> {
        match (200..=599).contains(&status) {
            true => Ok(Self(status)),
            false => Err(format!("{status} is no status of an answer: 200 to 599")),
        }
    }
}

pub(in crate::cli::plugin) fn work() -> String {
    "work".into()
}

fn is_work(effect: &String) -> bool {
    effect == "work"
}

pub(in crate::cli::plugin) fn key_header() -> String {
    "idempotency-key".into()
}

fn is_key_header(key: &String) -> bool {
    key == "idempotency-key"
}

impl Case {
    /// The file and a line of it, for messages.
    pub(in crate::cli::plugin) fn place(&self, line: u64) -> String {
        format!("{}:{line}", self.file.display())
    }
}

/// Reads the cases of a folder, in the order of their names.
pub(in crate::cli::plugin) fn read_all(folder: &Path) -> Result<Vec<Case>> {
    let none = || {
        let what = format!(
            "`{}` has no case: write `tests/<name>.yaml`, or record one with `--record URL`",
            folder.display()
        );
        Usage(what)
    };
    let entries = std::fs::read_dir(folder).map_err(|_missing| none())?;
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|file| {
        let kind = file.extension().and_then(|kind| kind.to_str());
        matches!(kind, Some("yaml" | "yml" | "json"))
    });
    files.sort();
    if files.is_empty() {
        return Err(none().into());
    }
    if files.len() > CASES_MAX {
        let count = files.len();
        return Err(Usage(format!("{count} cases are too many, the limit is {CASES_MAX}")).into());
    }
    files.into_iter().map(|file| read(&file)).collect()
}

/// A value that is given. A key without one is a mistake, and not as if the key were not there.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

/// Reads a case.
pub(in crate::cli::plugin) fn read(file: &Path) -> Result<Case> {
    let shown = file.display();
    let text = regular::read_text(file, FILE_BYTES_MAX);
    let text = text.map_err(|error| Usage(format!("`{shown}`: {error}")))?;
    let written = parse(&text).map_err(|(line, what)| Usage(format!("{shown}:{line}: {what}")))?;
    let lines = Lines::of(&text);
    let name = file.file_stem().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
    Ok(Case { name, file: file.into(), written, lines })
}

/// Reads the text of a case; fails with a line and what is wrong there.
fn parse(text: &str) -> Result<Written, (u64, String)> {
    let options = serde_saphyr::options! {
        strict_booleans: true,
        with_snippet: false,
        reject_unsupported_tags: true,
    };
    let written: Written = serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let line = error.location().map_or(1, |place| place.line());
        let message = error.without_snippet().to_string();
        (line, message.lines().next().unwrap_or_default().to_owned())
    })?;
    let line = |word: &str| {
        let found = text.lines().position(|line| line.trim_start().starts_with(word));
        found.map_or(1, |at| at as u64 + 1)
    };
    let earlier = written.task.replaces.as_ref().and_then(|earlier| earlier.input.as_ref());
    for input in std::iter::once(&written.task.input).chain(earlier) {
        if !input.0.is_object() {
            return Err((line("input"), "`input` must be an object".into()));
        }
        if input.has_expression() {
            let what = "a case has values and no expressions: a text of `input` begins with `=`";
            return Err((line("input"), what.into()));
        }
    }
    if written.task.replaces.is_some()
        && !matches!(written.task.action, Action::Modify | Action::Delete)
    {
        let what = "a task that `replaces` an earlier one has the action `modify` or `delete`";
        return Err((line("replaces"), what.into()));
    }
    if let Some(fault) = written.leave_out.iter().find(|(_, reason)| reason.trim().is_empty()) {
        let what = format!("`leaveOut` needs the reason why `{}` is left out", fault.0.name());
        return Err((line("leaveOut"), what));
    }
    if let Some(what) = written.exchanges.iter().find_map(Exchange::two_bodies) {
        return Err((line("exchanges"), what.into()));
    }
    stock::check(&written.inventory).map_err(|what| (line("inventory"), what))?;
    if written.exchanges.len() > EXCHANGES_MAX {
        let what =
            format!("at most {EXCHANGES_MAX} exchanges, these are {}", written.exchanges.len());
        return Err((line("exchanges"), what));
    }
    if written.expect.outputs.is_some() && written.expect.failure.is_some() {
        return Err((line("expect"), "expect `outputs` or a `failure`, not both".into()));
    }
    Ok(written)
}

#[cfg(test)]
mod tests;
