//! One entry of the audit, as it is stored and read: JSON, its attributes always in this order.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tmf::difference::Difference;
use tmf::time::Timestamp;

use super::{Act, Audited};

/// Who acts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Actor {
    /// The name of the person, the client or the job.
    pub subject: String,
    /// How that was proved, such as `jwt`; `none` without authentication, `system` for jobs of the server.
    pub authentication: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
}

impl Actor {
    /// A job of the server, which acts on its own.
    pub fn system(job: &str) -> Self {
        Self { subject: job.into(), authentication: "system".into(), ..Self::default() }
    }
}

/// The subject of an act.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    pub resource: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// What became of an act.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    #[default]
    Done,
    /// It is about to change what is not in the store. An entry of its end follows, unless the server is killed.
    Begun,
    Refused,
    Failed,
}

/// The record of a fulfilment's journal that holds a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    pub id: String,
    /// Its number; `None` if the change is not about one record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<u32>,
}

/// A document that was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    pub resource: String,
    pub id: String,
    /// Its revision before; `None` if it was not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<u64>,
    /// Its revision after; `None` if it was removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// The attributes that differ, up to a limit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Difference>,
    /// The number of those beyond it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more: u64,
}

/// A change of what is not a document, such as a plugin or the settings, by the digests of both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digested {
    pub what: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// An entry as it was stored.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// Its number, from 1, without gaps.
    pub sequence: u64,
    #[serde(deserialize_with = "instant")]
    pub at: Timestamp,
    pub action: String,
    pub outcome: Outcome,
    /// The status or the code of a refusal.
    pub code: Option<String>,
    pub actor: Actor,
    pub address: Option<String>,
    pub request: Option<String>,
    pub trace: Option<String>,
    pub subject: Option<Subject>,
    pub why: Option<String>,
    pub fulfilment: Option<Recorded>,
    #[serde(default)]
    pub documents: Vec<Changed>,
    /// The number of changed documents that are not listed.
    #[serde(default)]
    pub more: u64,
    #[serde(default)]
    pub digests: Vec<Digested>,
    /// The number of acts alike that it stands for, if they are more than one.
    #[serde(default)]
    pub count: Option<u64>,
}

/// The same to write, without a copy of the act.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Written<'a> {
    pub sequence: u64,
    #[serde(serialize_with = "as_text")]
    pub at: Timestamp,
    pub action: &'a str,
    pub outcome: Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'a str>,
    pub actor: &'a Actor,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<&'a Subject>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fulfilment: Option<&'a Recorded>,
    #[serde(skip_serializing_if = "<[Changed]>::is_empty")]
    pub documents: &'a [Changed],
    #[serde(skip_serializing_if = "is_zero")]
    pub more: u64,
    #[serde(skip_serializing_if = "<[Digested]>::is_empty")]
    pub digests: &'a [Digested],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
}

impl<'a> Written<'a> {
    /// The entry of a batch, under its number.
    pub(super) fn new(sequence: u64, audited: &'a Audited) -> Self {
        let Audited { act, at, outcome, code, fulfilment, documents, more, digests, count } =
            audited;
        let Act { actor, address, request, trace, action, subject, why, .. } = &**act;
        Self {
            sequence,
            at: *at,
            action,
            outcome: *outcome,
            code: code.as_deref(),
            actor,
            address: address.as_deref(),
            request: request.as_deref(),
            trace: trace.as_deref(),
            subject: subject.as_ref(),
            why: why.as_deref(),
            fulfilment: fulfilment.as_ref(),
            documents,
            more: *more,
            digests,
            count: *count,
        }
    }

    /// Its bytes, which the chain is made of.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(512);
        serde_json::to_writer(&mut bytes, self).expect("texts and numbers can be written");
        bytes
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn as_text<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(at)
}

fn instant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    let text = String::deserialize(deserializer)?;
    let wrong = || serde::de::Error::custom("the time of an entry is not a date-time");
    Timestamp::parse(&text).ok_or_else(wrong)
}
