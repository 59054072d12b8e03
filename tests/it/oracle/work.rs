//! Compares how an order was carried out with how it had to be: the tasks in its plan, and their
//! order.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::check::Names;
use super::observed::{Plan, Task};
use super::order::Key;
use super::pack::Pack;
use super::state::{Change, State};

/// A completed order: what there was before and after it, and how it was carried out.
pub(super) struct Carried<'a> {
    pub(super) pack: &'a Pack,
    pub(super) before: &'a State,
    pub(super) after: &'a State,
    pub(super) names: &'a Names,
    pub(super) plan: &'a Plan,
    /// The date on which the order was to begin.
    pub(super) begins: Option<String>,
}

impl Carried<'_> {
    /// All that was otherwise than it had to be.
    pub(super) fn differences(&self) -> Vec<String> {
        let states = self.plan.states.iter().filter(|(_, state)| state != "completed");
        let mut found: Vec<String> =
            states.map(|(what, state)| format!("{what} is `{state}`, not completed")).collect();
        found.extend(self.plan_differences());
        found.extend(self.disorder());
        found.extend(self.haste());
        found
    }

    /// "Nothing with an effect is done before it."
    pub(super) fn haste(&self) -> Vec<String> {
        let Some(begins) = &self.begins else { return Vec::new() };
        let of_services = self.plan.tasks.iter().filter(|task| !task.service.is_empty());
        let early = of_services.filter(|task| !task.at.is_empty() && task.at < *begins);
        early.map(|task| format!("{} began at {}, before {begins}", task.name, task.at)).collect()
    }

    fn name(&self, instance: u32) -> String {
        let before = || self.before.instances.get(&instance);
        let known = self.after.instances.get(&instance).or_else(before);
        let name =
            known.map(|one| self.pack.services[one.service].name.as_str()).unwrap_or_default();
        format!("{name} {}", self.names.services.get(&instance).map_or("?", String::as_str))
    }

    /// "A plan names an instance once": as what becomes of it.
    fn plan_differences(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut items: BTreeMap<&str, Vec<_>> = BTreeMap::new();
        for item in self.plan.items.iter().filter(|item| !item.service.is_empty()) {
            items.entry(&item.service).or_default().push(item);
        }
        for (service, several) in items.iter().filter(|(_, items)| items.len() > 1) {
            found.push(format!("the plan names {service} {} times", several.len()));
        }
        for (instance, change) in self.before.changes(self.after, self.pack) {
            let name = self.name(instance);
            let Some(service) = self.names.services.get(&instance) else { continue };
            let item = items.remove(service.as_str()).map(|items| items[0]);
            let action = item.map(|item| item.action.as_str());
            let is_right = match change {
                Change::Add => action == Some("add"),
                Change::Modify => action == Some("modify"),
                Change::Delete => action == Some("delete"),
                Change::Same => matches!(action, None | Some("noChange")),
                Change::Follows => matches!(action, None | Some("noChange" | "modify")),
            };
            if !is_right {
                found.push(format!("{name} stands in the plan as {action:?}, and is {change:?}"));
                continue;
            }
            if let (Some(item), Some(now)) = (item, self.after.instances.get(&instance)) {
                let chars: BTreeMap<String, Value> =
                    now.chars.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
                if item.chars != chars {
                    found.push(format!("{name} is planned with {:?}, not {chars:?}", item.chars));
                }
            }
        }
        for (service, items) in items {
            found
                .push(format!("the plan has {} {service}, which was not requested", items[0].name));
        }
        found
    }

    /// The tasks for an instance with all that it is made of: those that are done, or those that are
    /// rolled back.
    fn tasks(&self, state: &State, instance: u32, wanted: Doing) -> Vec<&Task> {
        let parts = state.whole(self.pack, instance).into_iter();
        parts.flat_map(|part| self.own_tasks(part, wanted)).collect()
    }

    fn own_tasks(&self, instance: u32, wanted: Doing) -> Vec<&Task> {
        let Some(service) = self.names.services.get(&instance) else { return Vec::new() };
        // A task that failed or was rolled back with its line follows that order.
        let of_it = self.plan.tasks.iter().filter(|task| task.stands && task.service == *service);
        of_it.filter(|task| self.doing(instance, task) == wanted).collect()
    }

    /// What a task does for an instance: a step that is not wanted any more is rolled back.
    fn doing(&self, instance: u32, task: &Task) -> Doing {
        let Some(now) = self.after.instances.get(&instance) else {
            return Doing::RollsBack;
        };
        let all = &self.pack.services[now.service].steps;
        let wanted = self.after.steps(self.pack, instance);
        match wanted.iter().any(|step| all[*step].name == task.step) {
            true => Doing::Does,
            false => Doing::RollsBack,
        }
    }

    /// Tasks that were begun before what they need was done.
    pub(super) fn disorder(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut in_order = |first: &Task, then: &Task, why: String| {
            if then.began < first.done {
                found.push(format!("{} began before {} was done: {why}", then.name, first.name));
            }
        };
        // "What must be delivered before it."
        for instance in self.after.instances.keys() {
            for need in self.after.instances[instance].needs.clone() {
                for first in self.tasks(self.after, need, Doing::Does) {
                    for then in self.tasks(self.after, *instance, Doing::Does) {
                        in_order(first, then, format!("{} needs it", self.name(*instance)));
                    }
                }
            }
        }
        // "Dependencies of prior plans hold in reverse when things cease."
        for instance in self.before.instances.keys() {
            for need in self.before.instances[instance].needs.clone() {
                let both = [*instance, need];
                if both.iter().any(|one| self.after.instances.contains_key(one)) {
                    continue;
                }
                for first in self.tasks(self.before, *instance, Doing::RollsBack) {
                    for then in self.tasks(self.before, need, Doing::RollsBack) {
                        in_order(first, then, format!("{} needed it", self.name(*instance)));
                    }
                }
            }
        }
        // "Waits for it with all that both are made of." "Of two lines that cease, the one that
        // relies on the other goes first."
        for (state, doing) in [(self.after, Doing::Does), (self.before, Doing::RollsBack)] {
            for (key, product) in &state.products {
                let Some(on) = &product.relies_on else { continue };
                let ceases = |key: &Key| !self.after.products.contains_key(key);
                if doing == Doing::RollsBack && !(ceases(key) && ceases(on)) {
                    continue;
                }
                let (own, other) = (state.all_of(key), state.all_of(on));
                let (first, then) = match doing {
                    Doing::Does => (&other - &own, &own - &other),
                    Doing::RollsBack => (&own - &other, &other - &own),
                };
                let tasks = |ids: &BTreeSet<u32>| -> Vec<&Task> {
                    ids.iter().flat_map(|id| self.own_tasks(*id, doing)).collect()
                };
                for first in tasks(&first) {
                    for then in tasks(&then) {
                        in_order(first, then, format!("{key:?} relies on {on:?}"));
                    }
                }
            }
        }
        // "What ceases does so after all else of the order."
        let ids: BTreeMap<&String, u32> =
            self.names.services.iter().map(|(id, name)| (name, *id)).collect();
        let doing = |task: &Task| {
            let id = ids.get(&task.service).filter(|_| task.stands);
            id.map(|id| self.doing(*id, task))
        };
        for first in self.plan.tasks.iter().filter(|task| doing(task) == Some(Doing::Does)) {
            for then in self.plan.tasks.iter().filter(|task| doing(task) == Some(Doing::RollsBack))
            {
                in_order(first, then, "what ceases does so last".into());
            }
        }
        found
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Doing {
    Does,
    RollsBack,
}
