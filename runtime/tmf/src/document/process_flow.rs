//! TMF701: process flows and their task flows.

use serde::{Deserialize, Serialize};

use super::{Characteristic, DateTime, Reference};

crate::document! {
    /// A process flow.
    pub struct ProcessFlow {
        id: String,
        href?: String,
        process_flow_date?: DateTime,
        process_flow_specification?: String,
        state: FlowState,
        task_flow?: Vec<Reference>,
        related_entity?: Vec<Reference>,
        #[serde(rename = "@type")]
        kind?: String,
    }
}

crate::document! {
    /// A task of a process flow.
    pub struct TaskFlow {
        id: String,
        href?: String,
        name?: String,
        task_flow_specification?: String,
        completion_method?: String,
        is_mandatory?: bool,
        state: FlowState,
        characteristic*: Characteristic,
        task_flow_relationship?: Vec<TaskFlowRelationship>,
        #[serde(rename = "@type")]
        kind?: String,
    }
}

crate::document! {
    /// A relationship of a task flow to another one.
    pub struct TaskFlowRelationship {
        relationship_type: String,
        task_flow: Reference,
    }
}

/// The state of a flow. A process flow has all of them but `new`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FlowState {
    New,
    Active,
    Hold,
    Completed,
    Cancelled,
}

impl FlowState {
    /// The state as documents spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Active => "active",
            Self::Hold => "hold",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
        }
    }
}
