//! The work of earlier fulfilments that this one keeps, changes or undoes.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::id::{FulfilmentId, InstanceId};
use crate::outcome::Reservation;
use tmf::document::Characteristics;
use tmf::document::ordered::OrderLink;
use tmf::time::Timestamp;

/// Ends the key under which work is undone, or done again as it was.
pub const UNDO: &str = ":undo";

/// The fields of an input that tell what it is about: where to look at it, and how to undo it.
pub(crate) const PLACES: [&str; 2] = ["probe", "undo"];

/// Where an existing instance comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Provenance {
    /// The fulfilment that made it. Inputs name this one, so that what it made is found again.
    pub fulfilment: FulfilmentId,
    /// Its line there.
    pub line: String,
    /// Since when it is there.
    pub since: Timestamp,
    /// Whether the fulfilment that owns it keeps it: this plan needs it, or shares it, and changes
    /// nothing of what it is made of.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stays: bool,
    /// The instances that used or needed it, and do not when the order is done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dropped: Vec<InstanceId>,
    /// The state that it was in, of a line of the order that came in.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub state: String,
    /// The state that is wanted, where that is to be another one. A shared instance is suspended
    /// when all its users are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wanted: Option<String>,
    /// The items of orders that it names as having made or changed it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<OrderLink>,
    /// What its document shows that an order which changes it adds to.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub shown: Map<String, Value>,
    /// The work for it that stands and is not done again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub made: Vec<PriorWork>,
}

/// Work that an earlier fulfilment did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PriorWork {
    /// The position in [`Plan::steps`](super::Plan::steps) of the step that it was made from.
    pub step: u32,
    /// The key that it was done under.
    pub key: String,
    /// The input that it was done with.
    pub input: Map<String, Value>,
    /// Its outputs.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub outputs: Map<String, Value>,
    /// Its pool values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reservations: Vec<Reservation>,
    /// The input for doing it again as a change, where that differs: its template reads `action`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<Map<String, Value>>,
    /// The characteristics of its item then, where they differ from those of the item now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub characteristics: Option<Characteristics>,
    /// Whether it is done again only if the input is another by then. The plan could not tell, since
    /// the input follows from work that is done again too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub if_changed: bool,
    /// Whether it is undone only if the same step, which is done again, is about something else by
    /// then, such as another port. The plan could not tell.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub if_moved: bool,
}

impl PriorWork {
    /// The input for doing it again where it was changed, or where it is to be compared with a
    /// change.
    pub fn as_change(&self) -> &Map<String, Value> {
        self.change.as_ref().unwrap_or(&self.input)
    }

    /// Whether an input is about something else than this work: its probe and its undo differ.
    pub fn moves(&self, input: &Map<String, Value>) -> bool {
        let told: Vec<_> = PLACES.iter().filter(|name| self.input.contains_key(**name)).collect();
        !told.is_empty() && told.iter().all(|name| self.input.get(**name) != input.get(**name))
    }
}

/// What a task does of its step.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Work {
    /// Does the work of the step.
    #[default]
    Do,
    /// Repeats prior work with new input. Its undo repeats it with the old input.
    Modify(Box<PriorWork>),
    /// Undoes prior work.
    Undo(Box<PriorWork>),
}

impl Work {
    /// Whether there is no prior work.
    pub fn is_do(&self) -> bool {
        matches!(self, Self::Do)
    }

    /// The prior work.
    pub fn before(&self) -> Option<&PriorWork> {
        match self {
            Self::Do => None,
            Self::Modify(made) | Self::Undo(made) => Some(made),
        }
    }

    /// The prior work that the task repeats with new input.
    pub fn replaced(&self) -> Option<&PriorWork> {
        match self {
            Self::Modify(made) => Some(made),
            Self::Do | Self::Undo(_) => None,
        }
    }

    /// Drops the characteristics that the item still has.
    pub(crate) fn trim(&mut self, now: &Characteristics) {
        let (Self::Modify(made) | Self::Undo(made)) = self else { return };
        if made.characteristics.as_ref() == Some(now) {
            made.characteristics = None;
        }
    }
}
