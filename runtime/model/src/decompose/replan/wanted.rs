//! The state that each instance is to have when the order is done: what several use is suspended
//! when all of them are.

use std::collections::{BTreeMap, BTreeSet};

use super::super::draft::Builder;
use super::super::existing::{PriorItem, installed, is_suspended};
use super::super::{Blocked, InstanceLookup};
use crate::id::{InstanceId, ItemId};
use crate::installed::ORDERED;
use crate::plan::{Action, Level};

impl<'a> Builder<'a> {
    /// Works out the states of what the lines are made of, use from now on, and do not use any more.
    pub(in crate::decompose) fn want_states(&mut self) -> Result<(), Blocked> {
        let mut turned: BTreeSet<ItemId> = BTreeSet::new();
        loop {
            let mut suspended = BTreeMap::new();
            let turning = |id: &ItemId| {
                self.follows(*id)
                    && self.was_suspended(*id) != self.is_suspended(*id, &mut suspended)
            };
            let mut turning: Vec<ItemId> =
                (0..self.built.items.len()).map(ItemId::at).filter(turning).collect();
            // Their parts are not in the plan yet if the order only gives them up.
            turning.retain(|id| !self.whole.contains(id) && !self.redone.contains(id));
            turning.retain(|id| turned.insert(*id));
            if turning.is_empty() {
                self.set_states(&mut suspended);
                return Ok(());
            }
            for id in turning {
                let known = self.origins[&id];
                self.turn_parts(id, known)?;
            }
        }
    }

    fn set_states(&mut self, suspended: &mut BTreeMap<ItemId, bool>) {
        for index in 0..self.built.items.len() {
            let id = ItemId::at(index);
            if !self.follows(id) {
                continue;
            }
            let is_suspended = self.is_suspended(id, suspended);
            let asks = |root: &ItemId| {
                let origin = self.built.items[root.index()].origin.as_ref();
                origin.is_some_and(|origin| origin.wanted.is_some())
            };
            let is_asked = self.built.roots[index].iter().any(asks);
            // Whether its steps are the same is compared later.
            let is_changed = self.built.items[index].action == Action::Modify;
            let is_changed = is_changed || self.redone.contains(&id);
            let is_another = self.was_suspended(id) != is_suspended;
            if let Some(origin) = &mut self.built.items[index].origin
                && (is_asked || is_another || (is_changed && is_suspended))
            {
                let state = if is_suspended { "suspended" } else { "active" };
                origin.wanted = Some(state.into());
            }
        }
    }

    /// All that an item is made of is in the plan; its owner keeps it.
    fn turn_parts(&mut self, id: ItemId, known: PriorItem<'a>) -> Result<(), Blocked> {
        for part in known.parts().filter_map(|part| installed(&part, self.answers)) {
            if self.ends(part.id) {
                continue;
            }
            let own = self.stays(part)?;
            if self.links.insert((own, id)) {
                self.built.items[own.index()].parents.push(id);
                self.turn_parts(own, part)?;
            }
        }
        Ok(())
    }

    /// Whether an item was there before and has the state of those that use it.
    fn follows(&self, id: ItemId) -> bool {
        let item = &self.built.items[id.index()];
        let stays = matches!(item.action, Action::Modify | Action::NoChange);
        stays && item.origin.is_some() && !self.is_line(id)
    }

    /// Whether an item has the state that its order asks for, and not that of those that use it.
    fn is_line(&self, id: ItemId) -> bool {
        let is_ordered = || self.origins.get(&id).is_some_and(PriorItem::is_ordered);
        let is_product = self.built.items[id.index()].level == Level::Product;
        is_product || id.index() < self.order.lines.len() || is_ordered()
    }

    fn was_suspended(&self, id: ItemId) -> bool {
        self.instance_of(id).is_some_and(|instance| is_suspended(instance, self.answers))
    }

    /// Whether all that use an item are suspended when the order is done.
    fn is_suspended(&self, id: ItemId, known: &mut BTreeMap<ItemId, bool>) -> bool {
        if let Some(known) = known.get(&id) {
            return *known;
        }
        let item = &self.built.items[id.index()];
        let wanted = item.origin.as_ref().and_then(|origin| origin.wanted.as_deref());
        let suspended = match wanted.filter(|_| self.is_line(id)) {
            Some(wanted) => matches!(wanted, "suspended" | "inactive"),
            None if self.is_line(id) => item.action != Action::Add && self.was_suspended(id),
            // An instance that a line only needs stays as it was: its users were not asked for.
            None if !self.are_users_known(id) => self.was_suspended(id),
            None => {
                let mut parents = item.parents.iter();
                let in_order = parents.all(|parent| self.is_suspended(*parent, known));
                in_order && self.others_are_suspended(id)
            }
        };
        known.insert(id, suspended);
        suspended
    }

    fn are_users_known(&self, id: ItemId) -> bool {
        let Some(known) = self.origins.get(&id) else { return true };
        let is_known = |user: &InstanceId| {
            let recall = InstanceLookup::of(user);
            self.answers.instances.contains_key(&recall)
        };
        known.users().filter(|user| user.as_str() != ORDERED).all(is_known)
    }

    /// Whether the users of an item that the order does not name are suspended.
    fn others_are_suspended(&self, id: ItemId) -> bool {
        let Some(known) = self.origins.get(&id) else { return true };
        let origin = self.built.items[id.index()].origin.as_ref();
        let dropped = origin.map(|origin| origin.dropped.as_slice()).unwrap_or_default();
        let mut others = known.users().filter(|user| {
            let in_order = self.by_instance.get(*user);
            let is_parent = in_order.is_some_and(|own| self.links.contains(&(id, *own)));
            !is_parent && !dropped.contains(user)
        });
        others.all(|user| user.as_str() != ORDERED && is_suspended(user, self.answers))
    }
}
