//! What an order shows of its way: the milestones that its pack names, and that it is late
//! (TMF641 `milestone` and `jeopardyAlert`; TMF622 calls them after itself).

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{capitalised, href};
use crate::fulfilment::{Fulfilment, Phase};
use crate::id::{ItemId, TaskId};
use crate::journal::{RiskLevel, SlaRisk};
use crate::plan::Level;

impl Fulfilment {
    /// Adds the milestones and alerts to an order.
    pub(super) fn way(&self, resource: &str, order: &mut Map<String, Value>) {
        let (milestone, alert) = match resource {
            "productOrder" => ("productOrderMilestone", "productOrderJeopardyAlert"),
            _ => ("milestone", "jeopardyAlert"),
        };
        let milestones = self.milestones(resource);
        if !milestones.is_empty() {
            order.insert(milestone.into(), Value::Array(milestones));
        }
        let alerts = self.sla_risks().iter().enumerate();
        let alerts: Vec<Value> =
            alerts.map(|(index, alert)| shown(resource, index + 1, alert)).collect();
        if !alerts.is_empty() {
            order.insert(alert.into(), Value::Array(alerts));
        }
    }

    /// Whether the milestone of a task is reached, and was not before it was done.
    pub(super) fn reaches(&self, task: TaskId) -> bool {
        let Some(name) = self.plan().milestone(task) else { return false };
        // The last tasks are done last, so that most questions end at once.
        let tasks = (0..self.plan().tasks.len()).rev().map(TaskId::at);
        let mut same = tasks.filter(|other| self.plan().milestone(*other) == Some(name));
        same.all(|other| self.reached().contains_key(&other))
    }

    /// The milestones in the order of the plan: each is reached when all tasks that lead to it are
    /// done.
    fn milestones(&self, resource: &str) -> Vec<Value> {
        let mut named: Vec<(&str, Vec<TaskId>)> = Vec::new();
        for task in (0..self.plan().tasks.len()).map(TaskId::at) {
            let Some(name) = self.plan().milestone(task) else { continue };
            match named.iter_mut().find(|(known, _)| *known == name) {
                Some((_, tasks)) => tasks.push(task),
                None => named.push((name, vec![task])),
            }
        }
        let named = named.into_iter().enumerate();
        named
            .map(|(index, (name, tasks))| self.milestone(resource, index + 1, name, &tasks))
            .collect()
    }

    fn milestone(&self, resource: &str, number: usize, name: &str, tasks: &[TaskId]) -> Value {
        let times: Option<Vec<_>> = tasks.iter().map(|task| self.reached().get(task)).collect();
        let reached = times.and_then(|times| times.into_iter().max());
        let status = match (reached, self.phase()) {
            (Some(_), _) => "reached",
            (None, Phase::RollingBack(_) | Phase::Ended(..)) => "notReached",
            (None, Phase::Submitted | Phase::Held(_) | Phase::Running) => "planned",
        };
        let mut milestone = json!({
            "id": number.to_string(),
            "name": name,
            "status": status,
            "@type": typed(resource, "Milestone"),
        });
        if let Some(time) = reached {
            milestone["milestoneDate"] = json!(time.to_string());
        }
        if let Some((attribute, items)) = self.lines_of(resource, tasks) {
            milestone[attribute] = Value::Array(items);
        }
        milestone
    }

    /// The lines of an order that tasks are for; nothing where the standard names none.
    fn lines_of(&self, resource: &str, tasks: &[TaskId]) -> Option<(&'static str, Vec<Value>)> {
        let levels: &[Level] = match resource {
            "productOrder" => &[Level::Product],
            "serviceOrder" => &[Level::CustomerService, Level::ResourceService],
            _ => return None,
        };
        let items = tasks.iter().filter_map(|task| self.plan().task(*task).item);
        let lines = items.flat_map(|item| self.nearest(item, levels)).collect::<BTreeSet<ItemId>>();
        let lines = lines.into_iter().map(|line| &self.plan().items[line.index()].line);
        let link = href(resource, self.id().as_str());
        Some(match resource {
            "productOrder" => {
                let item = |line| json!({ "productOrderItemId": line, "productOrderId": self.id(), "ProductOrderHref": link });
                ("productOrderItem", lines.map(item).collect())
            }
            _ => {
                let item = |line| json!({ "id": line, "itemId": line, "serviceOrderId": self.id(), "serviceOrderHref": link });
                ("serviceOrderItem", lines.map(item).collect())
            }
        })
    }

    /// An item, or the nearest above it, of these levels.
    fn nearest(&self, item: ItemId, levels: &[Level]) -> Vec<ItemId> {
        let (mut found, mut open) = (Vec::new(), vec![item]);
        while let Some(next) = open.pop() {
            let item = &self.plan().items[next.index()];
            if levels.contains(&item.level) {
                found.push(next);
            } else {
                open.extend(&item.parents);
            }
        }
        found
    }
}

fn shown(resource: &str, number: usize, risk: &SlaRisk) -> Value {
    let (kind, name, message) = match risk.level {
        RiskLevel::AtRisk => {
            ("Hazard", "completion at risk", "what is left takes longer than there is time")
        }
        RiskLevel::Missed => ("Critical", "completion missed", "the time that was wanted is over"),
    };
    json!({
        "id": number.to_string(),
        "name": name,
        "jeopardyType": kind,
        "alertDate": risk.at.to_string(),
        "exception": format!("requestedCompletionDate {}", risk.wanted),
        "message": message,
        "@type": typed(resource, "JeopardyAlert"),
    })
}

/// What the standards call a part of an order.
fn typed(resource: &str, part: &str) -> String {
    match resource {
        "resourceOrder" => part.to_string(),
        _ => format!("{}{part}", capitalised(resource)),
    }
}
