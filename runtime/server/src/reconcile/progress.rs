//! The progress and the findings of a reconciliation.

use model::reconcile::{Finding, Kind};
use serde::{Deserialize, Serialize};
use tmf::resource::Resource;
use tmf::table::of_key;
use tmf::time::Timestamp;

use super::check::Checked;

/// Max findings that are listed; all are counted.
const FINDINGS_MAX: usize = 500;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Reconciliation {
    pub(crate) id: String,
    pub(crate) state: State,
    /// The instances to check.
    pub(crate) scope: Scope,
    /// When it was requested.
    pub(crate) requested: String,
    /// When it last continued.
    pub(crate) at: String,
    /// Number of checked instances.
    pub(crate) checked: u64,
    /// Number of questions to elements.
    pub(crate) asked: u64,
    pub(crate) found: Found,
    /// The first findings; one is addressed by its place, from 1.
    pub(crate) findings: Vec<Finding>,
    /// The last checked instance: it continues after that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) after: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
}

/// Whether a reconciliation continues.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum State {
    Waiting,
    Running,
    Completed,
    Failed,
}

/// The instances to check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Scope {
    pub(crate) inventory: Inventory,
    /// One instance, with its parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) instance: Option<String>,
    /// Those that match a filter.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) query: String,
}

/// An inventory that can be read back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Inventory {
    Service,
    Resource,
}

/// The number of findings of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Found {
    missing_in_network: u64,
    differs: u64,
    left_in_network: u64,
    #[serde(default)]
    orphaned: u64,
    unknown: u64,
}

impl State {
    pub(crate) fn is_open(self) -> bool {
        matches!(self, Self::Waiting | Self::Running)
    }
}

impl Scope {
    /// The key of the inventory.
    pub(crate) fn resource(&self) -> &'static str {
        match self.inventory {
            Inventory::Service => "service",
            Inventory::Resource => "resource",
        }
    }

    /// The inventory in the table.
    pub(crate) fn found(&self) -> &'static Resource {
        of_key(self.resource()).expect("both inventories are in the table").1
    }
}

impl Reconciliation {
    /// A new reconciliation.
    pub(crate) fn new(id: String, scope: Scope, at: Timestamp) -> Self {
        Self {
            id,
            state: State::Waiting,
            scope,
            requested: at.to_string(),
            at: at.to_string(),
            checked: 0,
            asked: 0,
            found: Found::default(),
            findings: Vec::new(),
            after: None,
            error: None,
        }
    }

    /// Counts a checked instance.
    pub(super) fn count(&mut self, checked: Checked) {
        self.checked += 1;
        self.asked += checked.asked;
        for finding in checked.findings {
            match finding.kind {
                Kind::MissingInNetwork => self.found.missing_in_network += 1,
                Kind::Differs => self.found.differs += 1,
                Kind::LeftInNetwork => self.found.left_in_network += 1,
                Kind::Orphaned => self.found.orphaned += 1,
                Kind::Unknown => self.found.unknown += 1,
            }
            if self.findings.len() < FINDINGS_MAX {
                self.findings.push(finding);
            }
        }
    }

    /// Continues after an instance.
    pub(super) fn go_on(&mut self, last: Option<String>, at: Timestamp) {
        if self.state == State::Waiting {
            self.state = State::Running;
        }
        self.after = last.or_else(|| self.after.take());
        self.at = at.to_string();
    }

    pub(super) fn end(&mut self, at: Timestamp) {
        if self.state.is_open() {
            self.state = State::Completed;
        }
        self.at = at.to_string();
    }

    pub(super) fn fail(&mut self, why: String, at: Timestamp) {
        self.state = State::Failed;
        self.error = Some(why);
        self.at = at.to_string();
    }
}
