//! Which open orders and runs a move is about: those of a filter that the new version fits. A token stands for
//! them, so that a move is made of what was previewed.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::{Digest, Fulfilment, PluginId, TaskId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tmf::time::Timestamp;

use super::Asked;
use crate::http::orchestration::view;
use crate::http::problem::Problem;
use crate::plugins::usage::is_open;

/// Max ids that a request names.
const NAMED_MAX: usize = 10_000;

/// The orders and runs that are meant; all of those that use the version if it is empty.
#[derive(Debug, Default)]
pub(super) struct Filter {
    ids: Option<BTreeSet<String>>,
    state: Option<String>,
    task: Option<String>,
    customer: Option<String>,
    submitted_before: Option<Timestamp>,
}

/// Those that are meant.
pub(super) struct Chosen {
    /// Those that the version fits, by their ids.
    pub(super) fit: Vec<Arc<Fulfilment>>,
    /// The others, with the reasons.
    pub(super) unfit: Vec<(Arc<Fulfilment>, Vec<&'static str>)>,
}

/// Stands for a set of orders and runs: their number, and a digest of their ids.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Token(String);

impl Filter {
    /// Reads the filter of a request.
    pub(super) fn of(asked: &mut Asked) -> Result<Self, Problem> {
        let ids = |text: String| text.split(',').map(|id| id.trim().to_owned()).collect();
        let ids: Option<BTreeSet<String>> = asked.fulfilments.take().map(ids);
        if ids.as_ref().is_some_and(|ids| ids.len() > NAMED_MAX) {
            let message = format!("names more than {NAMED_MAX}: use `state`, `task` or `customer`");
            return Err(Problem::bad(message).about("fulfilments"));
        }
        let time = |text: String| {
            let wrong = || Problem::bad("is a time such as `2026-03-12T02:00:00Z`");
            Timestamp::parse(&text).ok_or_else(|| wrong().about("submittedBefore"))
        };
        let filter = Self {
            ids,
            state: asked.state.take(),
            task: asked.task.take(),
            customer: asked.customer.take(),
            submitted_before: asked.submitted_before.take().map(time).transpose()?,
        };
        let empty = [("task", &filter.task), ("customer", &filter.customer)];
        let empty = empty.into_iter().find(|(_, text)| text.as_deref() == Some(""));
        match empty.map(|(name, _)| name) {
            Some(name) => Err(Problem::bad("is empty: leave it out").about(name)),
            None => Ok(filter),
        }
    }

    /// Whether an order or a run is meant.
    pub(super) fn takes(&self, one: &Fulfilment, plugin: &PluginId) -> bool {
        let is_named = self.ids.as_ref().is_none_or(|ids| ids.contains(one.id().as_str()));
        let is_before = self.submitted_before.is_none_or(|before| one.submitted_at() < before);
        is_named
            && is_before
            && self.state.as_deref().is_none_or(|state| is_in(one, state))
            && self.task.as_deref().is_none_or(|task| has_open(one, plugin, task))
            && self.customer.as_deref().is_none_or(|id| customer(one.document()) == Some(id))
    }
}

fn is_in(one: &Fulfilment, state: &str) -> bool {
    view::state(one) == state || one.order_state().as_str() == state
}

/// Whether a task of a plugin is not over that has this name, or whose step has.
fn has_open(one: &Fulfilment, plugin: &PluginId, name: &str) -> bool {
    let plan = one.plan();
    one.tasks().iter().enumerate().any(|(index, state)| {
        let task = TaskId::at(index);
        let is_its = is_open(state) && plan.step(task).plugin == *plugin;
        is_its && (plan.step(task).step == name || plan.task_name(task) == name)
    })
}

/// The customer that an order names.
fn customer(document: &Value) -> Option<&str> {
    let parties = document.get("relatedParty")?.as_array()?;
    let is_customer = |party: &&Value| {
        let is = |name: &str| {
            let text = party.get(name).and_then(Value::as_str);
            text.is_some_and(|text| text.eq_ignore_ascii_case("customer"))
        };
        is("role") || is("@referredType")
    };
    parties.iter().find(is_customer)?.get("id")?.as_str()
}

impl Chosen {
    /// Sorts out those that the version does not fit.
    pub(super) fn of(
        mut open: Vec<Arc<Fulfilment>>,
        misfits: impl Fn(&Fulfilment) -> Vec<&'static str>,
    ) -> Self {
        open.sort_by(|one, other| one.id().cmp(other.id()));
        let (mut fit, mut unfit) = (Vec::new(), Vec::new());
        for one in open {
            match misfits(&one) {
                reasons if reasons.is_empty() => fit.push(one),
                reasons => unfit.push((one, reasons)),
            }
        }
        Self { fit, unfit }
    }

    /// The token of those that are moved.
    pub(super) fn token(&self) -> Token {
        let ids: Vec<&str> = self.fit.iter().map(|one| one.id().as_str()).collect();
        let digest = Digest::of(ids.join(",").as_bytes());
        Token(format!("{}-{}", ids.len(), digest.short()))
    }
}

impl Token {
    /// Checks that what is moved is what was previewed.
    pub(super) fn check(&self, now: &Self) -> Result<(), Problem> {
        if self == now {
            return Ok(());
        }
        let count = |token: &Self| token.0.split('-').next().unwrap_or_default().to_owned();
        let (before, now) = (count(self), count(now));
        let message = format!(
            "the orders and runs that it is about changed since the preview: {before} then, {now} now; \
             nothing was moved, preview it again"
        );
        Err(Problem::conflict(message))
    }
}
