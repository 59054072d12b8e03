//! The state that each instance is to have when the order is done: what several use is suspended
//! when all of them are.

use std::collections::BTreeMap;

use super::super::existing::is_suspended;
use super::super::items::Builder;
use crate::id::ItemId;
use crate::installed::ORDERED;
use crate::plan::{Action, Level};

impl Builder<'_> {
    /// Works out the states of what the lines are made of.
    pub(in crate::decompose) fn want_states(&mut self) {
        let mut suspended: BTreeMap<ItemId, bool> = BTreeMap::new();
        // A part may stand before what it became a part of, so it is asked for upwards.
        for index in 0..self.built.items.len() {
            let id = ItemId::at(index);
            let is_suspended = self.is_suspended(id, &mut suspended);
            let item = &self.built.items[index];
            let is_part = item.level != Level::Product && !item.parents.is_empty();
            if !is_part || matches!(item.action, Action::Add | Action::Delete) {
                continue;
            }
            let asks = |root: &ItemId| {
                let origin = self.built.items[root.index()].origin.as_ref();
                origin.is_some_and(|origin| origin.wanted.is_some())
            };
            let is_asked = self.built.roots[index].iter().any(asks);
            // Whether its steps are the same is compared later.
            let is_changed = item.action == Action::Modify || self.redone.contains(&id);
            if let Some(origin) = &mut self.built.items[index].origin
                && (is_asked || (is_changed && is_suspended))
            {
                let state = if is_suspended { "suspended" } else { "active" };
                origin.wanted = Some(state.into());
            }
        }
    }

    /// Whether all that use an item are suspended when the order is done.
    fn is_suspended(&self, id: ItemId, known: &mut BTreeMap<ItemId, bool>) -> bool {
        if let Some(known) = known.get(&id) {
            return *known;
        }
        let item = &self.built.items[id.index()];
        let origin = item.origin.as_ref();
        let own = |instance| is_suspended(instance, self.answers);
        let is_line = item.level == Level::Product || item.parents.is_empty();
        let suspended = if is_line {
            match origin.and_then(|origin| origin.wanted.as_deref()) {
                Some(wanted) => matches!(wanted, "suspended" | "inactive"),
                None => item.action != Action::Add && self.instance_of(id).is_some_and(own),
            }
        } else {
            let parents = item.parents.clone();
            let in_order = parents.iter().all(|parent| self.is_suspended(*parent, known));
            in_order && self.others_are_suspended(id)
        };
        known.insert(id, suspended);
        suspended
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
