//! Compares two calls: how they ended, what they answered, and what they asked for. Values are shown without
//! secrets.

use std::collections::{BTreeMap, BTreeSet};

use hyper::header::CONTENT_TYPE;
use model::bounds::cut;
use model::reconcile::{Holder, Reading};
use model::{Failure, FailureClass, FailureCode, Outcome};
use serde::Serialize;

use crate::capability::record::shown::{self, HIDDEN};
use crate::capability::tape::{Asked, Names, Requests};
use crate::invoke::Production;
use crate::mask::Mask;
use crate::shadow::{Change, DIFFERENCES_MAX, Difference, Of, VALUE_BYTES_MAX, Verdict};

/// Headers that follow from the rest of a request.
const DERIVED: [&str; 2] = ["content-length", "host"];

/// The values of a document, each as JSON, by their JSON pointers.
type Leaves = BTreeMap<String, String>;

/// How a call ended, masked.
#[derive(Debug)]
pub(super) struct Ended {
    how: String,
    values: Leaves,
    stop: Option<Stop>,
}

/// Why a call had no answer of its plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    /// It crashed, or took too long or too much.
    Crashed,
    /// The host had no room for it.
    NoRoom,
}

/// The result of a comparison.
#[derive(Debug)]
pub(super) struct Compared {
    pub(super) verdict: Verdict,
    pub(super) differences: Vec<Difference>,
    pub(super) more: usize,
}

impl Ended {
    /// The end of a call for a task.
    pub(super) fn of(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Done(outputs) => Self::new("done", outputs),
            Outcome::Waiting(wait) => Self::new("waiting", wait),
            Outcome::Failed(failure) => Self::failed(failure),
        }
    }

    /// The end of an observation.
    pub(super) fn of_reading(reading: &Result<Reading, Failure>) -> Self {
        #[derive(Serialize)]
        struct Seen<'a, T> {
            outputs: T,
            holder: &'a str,
            differs: Vec<&'a str>,
        }
        let (outputs, differences, holder) = match reading {
            Ok(Reading::Nothing) => return Self::new("absent", &()),
            Ok(Reading::Pending) => return Self::new("pending", &()),
            Err(failure) => return Self::failed(failure),
            Ok(Reading::Held { outputs, differences, holder }) => (outputs, differences, holder),
        };
        let holder = match holder {
            Holder::Ours => "ours",
            Holder::Other(key) => key,
            Holder::Unknown => "unknown",
        };
        let differs = differences.iter().map(|one| one.name.as_str()).collect();
        Self::new("present", &Seen { outputs, holder, differs })
    }

    /// The end of a decomposition.
    pub(super) fn of_productions(productions: &Result<Vec<Production>, Failure>) -> Self {
        match productions {
            Err(failure) => Self::failed(failure),
            Ok(productions) => {
                let rows = productions.iter().map(|one| (one.spec.as_str(), &one.characteristics));
                Self::new("done", &rows.collect::<Vec<_>>())
            }
        }
    }

    fn new(how: &str, values: &impl Serialize) -> Self {
        Self { how: how.into(), values: leaves(values), stop: None }
    }

    fn failed(failure: &Failure) -> Self {
        let class = match failure.class {
            FailureClass::Retry => "retry",
            FailureClass::Reject => "reject",
            FailureClass::Operator => "operator",
        };
        let how = format!("failed: {class} {}", failure.code);
        Self { how, values: Leaves::new(), stop: Stop::of(&failure.code) }
    }
}

impl Stop {
    #[expect(clippy::wildcard_enum_match_arm, reason = "all other codes are a plugin's answer")]
    fn of(code: &FailureCode) -> Option<Self> {
        match code {
            FailureCode::PluginTrapped
            | FailureCode::PluginCpu
            | FailureCode::PluginMemory
            | FailureCode::PluginTimeout
            | FailureCode::HostFault => Some(Self::Crashed),
            FailureCode::PluginBusy
            | FailureCode::HostBusy
            | FailureCode::HostClosing
            | FailureCode::HostMemory => Some(Self::NoRoom),
            _ => None,
        }
    }
}

/// Compares a call of the version in use with that of the version in shadow, which has no end of its own if
/// it was ended where it asked for something else.
pub(super) fn compare(
    before: &Ended,
    now: Option<&Ended>,
    requests: Requests,
    mask: &Mask,
) -> Compared {
    let mut found = Found { mask, differences: Vec::new(), more: 0 };
    let now = now.filter(|_| requests.end.is_none());
    found.requests(requests, now.is_some());
    if let Some(now) = now {
        if before.how == now.how {
            found.values((Of::Output, None), &before.values, &now.values);
        } else {
            found.changed((Of::Outcome, None, None), Some(&before.how), Some(&now.how));
        }
    }
    let stop = now.and_then(|now| now.stop).filter(|stop| before.stop != Some(*stop));
    let verdict = match stop {
        Some(Stop::Crashed) => Verdict::Failed,
        Some(Stop::NoRoom) => Verdict::Skipped,
        None if found.differences.is_empty() => Verdict::Same,
        None => Verdict::Different,
    };
    Compared { verdict, differences: found.differences, more: found.more }
}

/// The differences that were found so far.
struct Found<'a> {
    mask: &'a Mask,
    differences: Vec<Difference>,
    more: usize,
}

impl Found<'_> {
    /// Compares requests. Missing ones are known only of a call that came to its end.
    fn requests(&mut self, requests: Requests, is_whole: bool) {
        let Requests { pairs, added, takings_missing, takings_added, names, .. } = requests;
        for (before, now) in pairs {
            let request = self.request(&before);
            match now {
                Some(now) => self.pair(&request, (&before, &names.0), (&now, &names.1)),
                None if is_whole => self.whole(Of::Request, Change::Missing, request),
                None => {}
            }
        }
        for asked in added {
            let request = self.request(&asked);
            self.whole(Of::Request, Change::Added, request);
        }
        let missing = takings_missing.into_iter().filter(|_| is_whole);
        let missing = missing.map(|taking| (Change::Missing, taking));
        let added = takings_added.into_iter().map(|taking| (Change::Added, taking));
        for (change, (pool, name)) in missing.chain(added).collect::<Vec<_>>() {
            let taking = self.mask.text(format!("{pool} {name}"));
            self.whole(Of::Reservation, change, taking);
        }
    }

    /// A request as it is named.
    fn request(&self, asked: &Asked) -> String {
        format!("{} {}", asked.method, shown::url(&asked.url, self.mask))
    }

    fn pair(&mut self, request: &str, before: (&Asked, &Names), now: (&Asked, &Names)) {
        let headers = |(asked, names): (&Asked, &Names)| {
            let mut headers = Leaves::new();
            for (name, value) in asked.texts(names) {
                if !DERIVED.contains(&name.as_str()) {
                    let joined = headers.entry(name).or_default();
                    *joined += if joined.is_empty() { "" } else { ", " };
                    *joined += &value;
                }
            }
            headers
        };
        self.values((Of::Header, Some(request)), &headers(before), &headers(now));
        let (before, now) = (Content::of(before), Content::of(now));
        match (before, now) {
            (Content::Json(before), Content::Json(now)) => {
                self.values((Of::Body, Some(request)), &before, &now);
            }
            (before, now) => {
                let whole = |content: Content| Leaves::from([(String::new(), content.text())]);
                self.values((Of::Body, Some(request)), &whole(before), &whole(now));
            }
        }
    }

    fn values(&mut self, (of, request): (Of, Option<&str>), before: &Leaves, now: &Leaves) {
        let places: BTreeSet<&String> = before.keys().chain(now.keys()).collect();
        for at in places {
            let (before, now) = (before.get(at), now.get(at));
            if before != now {
                self.changed((of, request, Some(at.as_str())), before, now);
            }
        }
    }

    fn changed(
        &mut self,
        (of, request, at): (Of, Option<&str>, Option<&str>),
        before: Option<&String>,
        now: Option<&String>,
    ) {
        let change = match (before, now) {
            (None, _) => Change::Added,
            (_, None) => Change::Missing,
            (Some(_), Some(_)) => Change::Changed,
        };
        let is_hidden = at.is_some_and(|at| match of {
            Of::Header => !shown::is_open(at),
            Of::Output | Of::Body => at.split('/').any(shown::is_secret_field),
            Of::Outcome | Of::Request | Of::Reservation => false,
        });
        let shown = |value: &String| match is_hidden {
            true => HIDDEN.to_owned(),
            // It is masked before it is cut, and a cut may leave the beginning of a value.
            false => cut(self.mask.text(value.to_owned()), VALUE_BYTES_MAX),
        };
        let (before, now) = (before.map(shown), now.map(shown));
        let (request, at) =
            (request.map(str::to_owned), at.map(|at| self.mask.text(at.to_owned())));
        self.add(Difference { of, change, request, at, before, now });
    }

    fn whole(&mut self, of: Of, change: Change, request: String) {
        let request = Some(request);
        self.add(Difference { of, change, request, at: None, before: None, now: None });
    }

    fn add(&mut self, difference: Difference) {
        match self.differences.len() < DIFFERENCES_MAX {
            true => self.differences.push(difference),
            false => self.more += 1,
        }
    }
}

/// The body of a request.
enum Content {
    Json(Leaves),
    /// Text, without what its names mark as secret.
    Text(String),
    Binary(String),
}

impl Content {
    fn of((asked, names): (&Asked, &Names)) -> Self {
        if asked.is_cut {
            return Self::Binary(format!("more than {} bytes", asked.body.len()));
        }
        let Ok(text) = std::str::from_utf8(&asked.body) else {
            let digest = model::Digest::of(&asked.body);
            return Self::Binary(format!("{} bytes, {}", asked.body.len(), digest.short()));
        };
        let text = names.put_into(text);
        match serde_json::from_str::<serde_json::Value>(&text) {
            Ok(json) => Self::Json(leaves(&json)),
            Err(_) => {
                let media = asked.headers.get(CONTENT_TYPE).map(|media| media.as_bytes());
                Self::Text(shown::hidden(&text, media))
            }
        }
    }

    fn text(self) -> String {
        match self {
            Self::Json(leaves) => {
                format!("JSON with {} values", leaves.len())
            }
            Self::Text(text) | Self::Binary(text) => text,
        }
    }
}

/// The values of a document by their JSON pointers. An empty object or array is a value.
fn leaves(document: &impl Serialize) -> Leaves {
    use serde_json::Value;
    let mut leaves = Leaves::new();
    let Ok(root) = serde_json::to_value(document) else { return leaves };
    let mut open = vec![(String::new(), root)];
    while let Some((at, value)) = open.pop() {
        match value {
            Value::Object(members) if !members.is_empty() => {
                let place = |(name, value): (String, Value)| {
                    (format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), value)
                };
                open.extend(members.into_iter().map(place));
            }
            Value::Array(items) if !items.is_empty() => {
                let items = items.into_iter().enumerate();
                open.extend(items.map(|(index, item)| (format!("{at}/{index}"), item)));
            }
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_)
            | Value::Object(_) => {
                leaves.insert(at, value.to_string());
            }
        }
    }
    leaves
}

#[cfg(test)]
mod tests;
