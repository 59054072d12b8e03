//! A fulfilment as a process flow with its task flows (TMF701), for clients that follow processes
//! rather than orders.

use serde_json::Value;
use tmf::document::process_flow::{FlowState, ProcessFlow, TaskFlow, TaskFlowRelationship};
use tmf::document::{Attributes, Characteristic, DateTime, Reference, Rest};

use super::{capitalised, href};
use crate::fulfilment::{Fulfilment, Phase};
use crate::id::TaskId;
use crate::journal::{End, Kind};
use crate::task::TaskState;

/// The attributes that a process flow has in common with its order.
const SHARED: [&str; 2] = ["relatedParty", "channel"];

impl Fulfilment {
    /// The process flow.
    pub fn process_flow(&self) -> ProcessFlow {
        let tasks = (0..self.tasks().len()).map(TaskId::at);
        let tasks = tasks.map(|task| Reference {
            referred_type: Some("TaskFlow".into()),
            ..self.flow_reference(task)
        });
        let specification = match self.kind() {
            Kind::Run { workflow } => workflow.as_str(),
            Kind::ProductOrder | Kind::ServiceOrder | Kind::ResourceOrder => {
                self.root_resource().unwrap_or_default()
            }
        };
        let orders = self.order_resources().map(|resource| Reference {
            href: Some(href(resource, self.id().as_str())),
            role: Some(resource.into()),
            ..Reference::of(&capitalised(resource), self.id().as_str())
        });
        ProcessFlow {
            id: self.id().to_string(),
            href: Some(href("processFlow", self.id().as_str())),
            process_flow_date: Some(DateTime::from(self.submitted_at())),
            process_flow_specification: Some(specification.into()),
            state: self.flow_state(),
            task_flow: Some(tasks.collect()),
            related_entity: Some(orders.collect()),
            kind: Some("ProcessFlow".into()),
            rest: Attributes::of(self.document()).only(|name| SHARED.contains(&name)),
        }
    }

    /// The task flows, in the order of the plan.
    pub fn task_flows(&self) -> Vec<TaskFlow> {
        (0..self.tasks().len()).map(TaskId::at).map(|task| self.task_flow(task)).collect()
    }

    fn flow_state(&self) -> FlowState {
        match self.phase() {
            Phase::Ended(End::Completed | End::Partial, _) => FlowState::Completed,
            Phase::Ended(..) => FlowState::Cancelled,
            Phase::Held(_) => FlowState::Hold,
            Phase::Submitted | Phase::Running | Phase::RollingBack(_) if self.is_held() => {
                FlowState::Hold
            }
            Phase::Submitted | Phase::Running | Phase::RollingBack(_) => FlowState::Active,
        }
    }

    fn task_flow(&self, id: TaskId) -> TaskFlow {
        let task = self.plan().task(id);
        let step = self.plan().step(id);
        let needs = task.needs.iter().map(|need| TaskFlowRelationship {
            relationship_type: "dependsOn".into(),
            task_flow: self.flow_reference(*need),
            rest: Rest::new(),
        });
        let text = |name: &str, text: &str| Characteristic::typed(name, Value::from(text));
        let failure = self.tasks()[id.index()].failure();
        let failure = failure.map(|failure| {
            vec![text("code", &failure.code.to_string()), text("message", &failure.message)]
        });
        TaskFlow {
            id: number(id),
            href: self.flow_reference(id).href,
            name: Some(self.plan().task_name(id)),
            task_flow_specification: Some(format!("{}.{}", step.workflow, step.step)),
            completion_method: Some(step.plugin.to_string()),
            is_mandatory: Some(true),
            state: state(&self.tasks()[id.index()]),
            characteristic: failure.unwrap_or_default(),
            task_flow_relationship: Some(needs.collect()),
            kind: Some("TaskFlow".into()),
            rest: Rest::new(),
        }
    }

    fn flow_reference(&self, task: TaskId) -> Reference {
        let (flow, id) = (href("processFlow", self.id().as_str()), number(task));
        Reference {
            href: Some(format!("{flow}/taskFlow/{id}")),
            id: Some(id),
            name: None,
            role: None,
            referred_type: None,
            rest: Rest::new(),
        }
    }
}

/// The id of a task within its flow, from 1.
fn number(task: TaskId) -> String {
    (task.0 + 1).to_string()
}

fn state(state: &TaskState) -> FlowState {
    match state {
        TaskState::Pending => FlowState::New,
        TaskState::Running { .. }
        | TaskState::Waiting { .. }
        | TaskState::CalledBack { .. }
        | TaskState::Retrying { .. }
        | TaskState::Undoing { .. }
        | TaskState::UndoWaiting { .. }
        | TaskState::UndoCalledBack { .. } => FlowState::Active,
        TaskState::Failed { .. } | TaskState::Stuck { .. } => FlowState::Hold,
        TaskState::Done(_) => FlowState::Completed,
        TaskState::Undone | TaskState::GivenUp { .. } => FlowState::Cancelled,
    }
}
