//! The milestones that the pack of an order names, and the alerts that it is late (TMF641 `milestone`
//! and `jeopardyAlert`; TMF622 calls them after itself).

use std::collections::BTreeSet;

use tmf::document::order::OrderHead;
use tmf::document::ordered::{
    JeopardyAlert, Milestone, MilestoneProductItem, MilestoneServiceItem,
};
use tmf::document::{DateTime, Rest};

use super::{capitalised, href};
use crate::fulfilment::{Fulfilment, Phase};
use crate::id::{ItemId, TaskId};
use crate::journal::{RiskLevel, SlaRisk};
use crate::plan::Level;

impl Fulfilment {
    /// Adds the milestones and alerts to an order.
    pub(super) fn add_progress(&self, resource: &str, order: &mut OrderHead) {
        let milestones = self.milestones(resource);
        let alerts = self.sla_risks().iter().enumerate();
        let alerts = alerts.map(|(index, alert)| shown(resource, index + 1, alert)).collect();
        match resource {
            "productOrder" => {
                order.product_order_milestone = milestones;
                order.product_order_jeopardy_alert = alerts;
            }
            _ => {
                order.milestone = milestones;
                order.jeopardy_alert = alerts;
            }
        }
    }

    /// Whether the milestone of a task is reached, and was not before it was done.
    pub(super) fn reaches(&self, task: TaskId) -> bool {
        let Some(name) = self.plan().milestone(task) else { return false };
        // The last tasks are done last, so most questions end at once.
        let tasks = (0..self.plan().tasks.len()).rev().map(TaskId::at);
        let mut same = tasks.filter(|other| self.plan().milestone(*other) == Some(name));
        same.all(|other| self.reached().contains_key(&other))
    }

    /// The milestones in the order of the plan: each is reached when all tasks that lead to it are
    /// done.
    fn milestones(&self, resource: &str) -> Vec<Milestone> {
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

    fn milestone(&self, resource: &str, number: usize, name: &str, tasks: &[TaskId]) -> Milestone {
        let times: Option<Vec<_>> = tasks.iter().map(|task| self.reached().get(task)).collect();
        let reached = times.and_then(|times| times.into_iter().max());
        let status = match (reached, self.phase()) {
            (Some(_), _) => "reached",
            (None, Phase::RollingBack(_) | Phase::Ended(..)) => "notReached",
            (None, Phase::Submitted | Phase::Held(_) | Phase::Running) => "planned",
        };
        let mut milestone = Milestone {
            id: Some(number.to_string()),
            name: Some(name.into()),
            status: Some(status.into()),
            milestone_date: reached.map(|time| DateTime::from(*time)),
            kind: Some(typed(resource, "Milestone")),
            ..Milestone::default()
        };
        match resource {
            "productOrder" => milestone.product_order_item = Some(self.product_items(tasks)),
            "serviceOrder" => milestone.service_order_item = Some(self.service_items(tasks)),
            // The standard names none.
            _ => {}
        }
        milestone
    }

    /// The items of a product order that tasks are for.
    fn product_items(&self, tasks: &[TaskId]) -> Vec<MilestoneProductItem> {
        let lines = self.lines_of(tasks, &[Level::Product]);
        let item = |line: &str| MilestoneProductItem {
            product_order_item_id: line.into(),
            product_order_id: self.id().to_string(),
            product_order_href: href("productOrder", self.id().as_str()),
            rest: Rest::new(),
        };
        lines.map(item).collect()
    }

    /// The items of a service order that tasks are for.
    fn service_items(&self, tasks: &[TaskId]) -> Vec<MilestoneServiceItem> {
        let lines = self.lines_of(tasks, &[Level::CustomerService, Level::ResourceService]);
        let item = |line: &str| MilestoneServiceItem {
            id: line.into(),
            item_id: line.into(),
            service_order_id: self.id().to_string(),
            service_order_href: href("serviceOrder", self.id().as_str()),
            rest: Rest::new(),
        };
        lines.map(item).collect()
    }

    /// The lines that tasks are for, of the items of these levels.
    fn lines_of(&self, tasks: &[TaskId], levels: &[Level]) -> impl Iterator<Item = &str> {
        let items = tasks.iter().filter_map(|task| self.plan().task(*task).item);
        let lines = items.flat_map(|item| self.nearest(item, levels)).collect::<BTreeSet<ItemId>>();
        lines.into_iter().map(|line| self.plan().items[line.index()].line.as_str())
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

fn shown(resource: &str, number: usize, risk: &SlaRisk) -> JeopardyAlert {
    let (kind, name, message) = match risk.level {
        RiskLevel::AtRisk => {
            ("Hazard", "completion at risk", "the remaining work takes longer than there is time")
        }
        RiskLevel::Missed => ("Critical", "completion missed", "the requested time has passed"),
    };
    JeopardyAlert {
        id: Some(number.to_string()),
        name: Some(name.into()),
        jeopardy_type: Some(kind.into()),
        alert_date: Some(DateTime::from(risk.at)),
        exception: Some(format!("requestedCompletionDate {}", risk.wanted)),
        message: Some(message.into()),
        kind: Some(typed(resource, "JeopardyAlert")),
        rest: Rest::new(),
    }
}

/// The `@type` of a part of an order.
fn typed(resource: &str, part: &str) -> String {
    match resource {
        "resourceOrder" => part.to_string(),
        _ => format!("{}{part}", capitalised(resource)),
    }
}
