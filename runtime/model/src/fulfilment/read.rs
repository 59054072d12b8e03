//! What others read of a fulfilment. Only its events change it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::{Fulfilment, Phase};
use crate::id::{FulfilmentId, TaskId};
use crate::journal::{Activation, CancelRequest, Kind, SlaRisk};
use crate::plan::Plan;
use crate::task::TaskState;
use tmf::time::Timestamp;

impl Fulfilment {
    /// Its id.
    pub fn id(&self) -> &FulfilmentId {
        &self.id
    }

    /// The API that it was submitted to, or the workflow that it runs.
    pub fn kind(&self) -> &Kind {
        &self.kind
    }

    /// The order or the input as it was submitted, which steps read.
    pub fn document(&self) -> &Arc<Value> {
        &self.document
    }

    /// The request that the order was made of, if one instance is activated directly.
    pub fn activation(&self) -> Option<&Arc<Activation>> {
        self.activation.as_ref()
    }

    /// The attributes of the order that were patched since then.
    pub fn changed(&self) -> &Map<String, Value> {
        &self.changed
    }

    /// The request that cancelled it, if it was cancelled.
    pub fn cancelled_by(&self) -> Option<&CancelRequest> {
        self.cancelled_by.as_ref()
    }

    /// The orders that must complete before it is decomposed.
    pub fn after(&self) -> &[FulfilmentId] {
        &self.after
    }

    /// The orders that must end before it is decomposed, since they change instances that it uses.
    pub fn behind(&self) -> &[FulfilmentId] {
        &self.behind
    }

    /// When it was submitted.
    pub fn submitted_at(&self) -> Timestamp {
        self.submitted_at
    }

    /// When the last event was recorded.
    pub fn updated_at(&self) -> Timestamp {
        self.updated_at
    }

    /// When it ended.
    pub fn ended_at(&self) -> Option<Timestamp> {
        self.ended_at
    }

    /// How far it is.
    pub fn phase(&self) -> &Phase {
        &self.phase
    }

    /// The plan; empty before it is planned.
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// The state of each task of the plan.
    pub fn tasks(&self) -> &[TaskState] {
        &self.tasks
    }

    /// The state of a task; `None` if the plan does not have it.
    pub fn state_of(&self, task: TaskId) -> Option<&TaskState> {
        self.tasks.get(task.index())
    }

    /// The times at which the tasks were done that reach a milestone.
    pub fn reached(&self) -> &BTreeMap<TaskId, Timestamp> {
        &self.reached
    }

    /// The alerts about its lateness, in order.
    pub fn sla_risks(&self) -> &[SlaRisk] {
        &self.sla_risks
    }

    /// The number of records in its journal.
    pub fn records(&self) -> u32 {
        self.records
    }
}
