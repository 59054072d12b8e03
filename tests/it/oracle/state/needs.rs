//! What must be delivered before what, what is made of what, and what must not end or follow.

use std::collections::BTreeSet;

use super::super::order::{DEPENDENCY, Key, Line, Order};
use super::super::pack::Pack;
use super::{Product, State, Verdict};

impl State {
    /// "A line that relies on another by the order's own words waits for it with all that both are
    /// made of. Where the catalog tells which service of the one line needs which of the other, only
    /// these wait; `dependency` always means the whole."
    pub(super) fn relate_lines(&mut self, order: &Order, number: usize) -> Result<(), Verdict> {
        for (id, line) in order.flat() {
            let Line::Add(added) = line else { continue };
            let Some((other, word)) = &added.relies_on else { continue };
            let (own, on) = ((number, id), (number, other.clone()));
            // One that failed took the other with it.
            if !self.products.contains_key(&own) || !self.products.contains_key(&on) {
                continue;
            }
            let (then, first) = (self.all_of(&own), self.all_of(&on));
            let needs = then.iter().flat_map(|id| &self.instances[id].needs);
            if then.intersection(&first).any(|shared| !self.instances[shared].needs.is_empty()) {
                return Err(Verdict::Unclear("what they share needs something itself"));
            }
            let back = first.iter().flat_map(|id| &self.instances[id].needs);
            if back.into_iter().any(|need| then.contains(need) && !first.contains(need)) {
                return Err(Verdict::Unclear("each needs the other"));
            }
            let is_told = needs.into_iter().any(|need| first.contains(need));
            if *word == DEPENDENCY || !is_told {
                self.products.get_mut(&own).expect("it is there").relies_on = Some(on);
            }
        }
        Ok(())
    }

    /// The instances of a product with those of all that it bundles.
    pub(in crate::oracle) fn all_of(&self, product: &Key) -> BTreeSet<u32> {
        let within = self.products.iter().filter(|(key, _)| self.is_within(key, product));
        within.flat_map(|(_, product)| product.tree.values().copied()).collect()
    }

    /// An instance that something outside of the order still needs cannot end, and neither can a
    /// product that another relies on.
    pub(super) fn check_needed(
        &self,
        before: &Self,
        changed: &BTreeSet<Key>,
    ) -> Result<(), Verdict> {
        for (key, product) in &self.products {
            let on = product.relies_on.as_ref();
            if on.is_none_or(|on| self.products.contains_key(on)) {
                continue;
            }
            if changed.contains(key) {
                return Err(Verdict::Unclear("it is changed, and what it relies on ends"));
            }
            return Err(Verdict::Refused("INSTANCE_NEEDED"));
        }
        for id in before.instances.keys() {
            let stays = self.instances.contains_key(id);
            let needs = &before.instances[id].needs;
            if !stays || needs.iter().all(|need| self.instances.contains_key(need)) {
                continue;
            }
            let users = self.users(*id);
            let outside = users.iter().filter(|user| !changed.contains(*user)).count();
            if outside == users.len() {
                return Err(Verdict::Refused("INSTANCE_NEEDED"));
            }
            if outside > 0 {
                return Err(Verdict::Unclear("some of those that need it are changed"));
            }
        }
        Ok(())
    }

    /// What no line of the order changes must not follow from it.
    pub(super) fn check_untouched(
        &self,
        before: &Self,
        pack: &Pack,
        changed: &BTreeSet<Key>,
    ) -> Result<(), Verdict> {
        for id in self.instances.keys() {
            let now = self.work(pack, *id).map_err(Verdict::Unclear)?;
            if !before.instances.contains_key(id) {
                if self.is_inactive(*id) {
                    return Err(Verdict::Unclear("new, and all that use it are suspended"));
                }
                continue;
            }
            let is_changed = self.users(*id).iter().any(|user| changed.contains(user));
            if !is_changed && before.work(pack, *id) != Ok(now) {
                return Err(Verdict::Unclear("another product follows"));
            }
        }
        Ok(())
    }

    /// Notes what the instances need that an order is about. What others need stays as it was: "the
    /// needs that the plans had".
    pub(super) fn relate(
        &mut self,
        before: &Self,
        pack: &Pack,
        changed: &BTreeSet<Key>,
    ) -> Result<(), Verdict> {
        let in_order: BTreeSet<u32> =
            changed.iter().flat_map(|key| self.products[key].tree.values().copied()).collect();
        for id in &in_order {
            let now = self.near(pack, *id);
            let old = before.instances.get(id).map(|one| one.needs.clone()).unwrap_or_default();
            let is_known = |need: &u32| old.contains(need) || in_order.contains(need);
            if !now.iter().all(is_known) {
                return Err(Verdict::Unclear("something needs what the order is not about"));
            }
            let spec = |need: &u32| self.instances[need].service;
            let left = old
                .iter()
                .filter(|need| self.instances.contains_key(*need) && !now.contains(*need));
            let is_replaced = |need: &u32| now.iter().any(|other| spec(other) == spec(need));
            if !left.into_iter().all(is_replaced) {
                return Err(Verdict::Unclear("what was needed is there, and is not near any more"));
            }
            let is_whole = self.users(*id).iter().all(|user| changed.contains(*user));
            if before.instances.contains_key(id) && !is_whole && now != old {
                return Err(Verdict::Unclear("what others use too needs something else"));
            }
            self.instances.get_mut(id).expect("it is used").needs = now;
        }
        Ok(())
    }

    /// "The items meant are those that belong to the same line of the order, or else
    /// those of the same bundle. Items outside of the plan are ignored."
    fn near(&self, pack: &Pack, instance: u32) -> BTreeSet<u32> {
        let users = self.users(instance);
        let of = |product: &Product, spec: usize| -> Vec<u32> {
            let found = product.tree.iter().filter(|((service, _), _)| *service == spec);
            found.map(|(_, id)| *id).filter(|id| *id != instance).collect()
        };
        let mut needs = BTreeSet::new();
        for spec in pack.needed(self.instances[&instance].service) {
            let own: BTreeSet<u32> =
                users.iter().flat_map(|user| of(&self.products[*user], spec)).collect();
            if !own.is_empty() {
                needs.extend(own);
                continue;
            }
            let bundles: BTreeSet<Key> = users.iter().map(|user| self.bundle_of(user)).collect();
            let near =
                self.products.iter().filter(|(key, _)| bundles.contains(&self.bundle_of(key)));
            needs.extend(near.flat_map(|(_, product)| of(product, spec)));
        }
        needs
    }

    /// New products that are there without what they need, where others of their order failed: "what
    /// fails is the line of the order that the step serves, with every line that relies on it". The
    /// state is that of the order without a failure.
    pub(in crate::oracle) fn without_needs(
        &self,
        number: usize,
        failed: &BTreeSet<String>,
    ) -> Vec<String> {
        let has_failed = |key: &Key| key.0 == number && failed.contains(&key.1);
        let is_gone = |id: &u32| self.users(*id).into_iter().all(has_failed);
        let mut found = Vec::new();
        let stay = self.products.iter().filter(|(key, _)| key.0 == number && !has_failed(key));
        for (key, product) in stay {
            if product.relies_on.as_ref().is_some_and(has_failed) {
                found.push(format!("{key:?} is delivered, and what it relies on is not"));
            }
            for id in product.tree.values() {
                for need in self.instances[id].needs.iter().filter(|need| is_gone(need)) {
                    let lines = self.users(*need);
                    found.push(format!(
                        "{key:?} is delivered, and needs what {lines:?} failed to get"
                    ));
                }
            }
        }
        found
    }

    /// The instances that each is made of.
    pub(in crate::oracle) fn below(&self, pack: &Pack, instance: u32) -> BTreeSet<u32> {
        let slot = |id: u32| (self.instances[&id].service, self.instances[&id].number);
        let mut found = BTreeSet::new();
        for user in self.users(instance) {
            let wanted = self.wanted(pack, user).expect("it was grown");
            for (part, wanted) in wanted {
                if wanted.above.contains(&Some(slot(instance))) {
                    found.insert(self.products[user].tree[&part]);
                }
            }
        }
        found
    }

    /// An instance with all that it is made of.
    pub(in crate::oracle) fn whole(&self, pack: &Pack, instance: u32) -> BTreeSet<u32> {
        let (mut found, mut open) = (BTreeSet::from([instance]), vec![instance]);
        while let Some(next) = open.pop() {
            for part in self.below(pack, next) {
                if found.insert(part) {
                    open.push(part);
                }
            }
        }
        found
    }
}
