//! A fulfilment as a process flow with its task flows (TMF701): how far the work is, for whoever
//! follows processes rather than orders.

use serde_json::{Value, json};

use super::{capitalised, copy, href};
use crate::fulfilment::{Fulfilment, Phase};
use crate::id::TaskId;
use crate::journal::{End, Kind};
use crate::task::TaskState;

impl Fulfilment {
    /// The process flow.
    pub fn process_flow(&self) -> Value {
        let place = href("processFlow", self.id().as_str());
        let tasks = (0..self.tasks().len()).map(TaskId::at).map(|task| {
            let id = number(task);
            json!({ "id": id, "href": format!("{place}/taskFlow/{id}"), "@referredType": "TaskFlow" })
        });
        let specification = match self.kind() {
            Kind::Run { workflow } => workflow.as_str(),
            Kind::ProductOrder | Kind::ServiceOrder | Kind::ResourceOrder => {
                self.root_resource().unwrap_or_default()
            }
        };
        let orders = self.order_resources().map(|resource| {
            json!({
                "id": self.id(),
                "href": href(resource, self.id().as_str()),
                "role": resource,
                "@referredType": capitalised(resource),
            })
        });
        let mut flow = json!({
            "id": self.id(),
            "href": place,
            "processFlowDate": self.submitted_at().to_string(),
            "processFlowSpecification": specification,
            "state": self.flow_state(),
            "taskFlow": tasks.collect::<Vec<_>>(),
            "relatedEntity": orders.collect::<Vec<_>>(),
            "@type": "ProcessFlow",
        });
        copy(self.document(), &["relatedParty", "channel"], &mut flow);
        flow
    }

    /// The task flows, in the order of the plan.
    pub fn task_flows(&self) -> Vec<Value> {
        (0..self.tasks().len()).map(TaskId::at).map(|task| self.task_flow(task)).collect()
    }

    fn flow_state(&self) -> &'static str {
        match self.phase() {
            Phase::Ended(End::Completed | End::Partial, _) => "completed",
            Phase::Ended(..) => "cancelled",
            Phase::Held(_) => "hold",
            Phase::Submitted | Phase::Running | Phase::RollingBack(_) if self.is_held() => "hold",
            Phase::Submitted | Phase::Running | Phase::RollingBack(_) => "active",
        }
    }

    fn task_flow(&self, id: TaskId) -> Value {
        let task = self.plan().task(id);
        let step = self.plan().step(id);
        let place = href("processFlow", self.id().as_str());
        let needs = task.needs.iter().map(|need| {
            let id = number(*need);
            json!({
                "relationshipType": "dependsOn",
                "taskFlow": { "id": id, "href": format!("{place}/taskFlow/{id}") },
            })
        });
        let mut flow = json!({
            "id": number(id),
            "href": format!("{place}/taskFlow/{}", number(id)),
            "name": self.plan().task_name(id),
            "taskFlowSpecification": format!("{}.{}", step.workflow, step.step),
            "completionMethod": step.plugin,
            "isMandatory": true,
            "state": task_state(&self.tasks()[id.index()]),
            "taskFlowRelationship": needs.collect::<Vec<_>>(),
            "@type": "TaskFlow",
        });
        if let Some(failure) = self.tasks()[id.index()].failure()
            && let Some(fields) = flow.as_object_mut()
        {
            let characteristics = json!([
                { "name": "code", "valueType": "string", "value": failure.code },
                { "name": "message", "valueType": "string", "value": failure.message },
            ]);
            fields.insert("characteristic".into(), characteristics);
        }
        flow
    }
}

/// The id of a task within its flow, from 1.
fn number(task: TaskId) -> String {
    (task.0 + 1).to_string()
}

/// TMF701's state of a task.
fn task_state(state: &TaskState) -> &'static str {
    match state {
        TaskState::Pending => "new",
        TaskState::Running { .. }
        | TaskState::Waiting { .. }
        | TaskState::CalledBack { .. }
        | TaskState::Retrying { .. }
        | TaskState::Undoing { .. }
        | TaskState::UndoWaiting { .. }
        | TaskState::UndoCalledBack { .. } => "active",
        TaskState::Failed { .. } | TaskState::Stuck { .. } => "hold",
        TaskState::Done(_) => "completed",
        TaskState::Undone | TaskState::GivenUp { .. } => "cancelled",
    }
}
