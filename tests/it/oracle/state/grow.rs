//! Which instances the products of an order have when it is done: their own, shared ones and new ones.

use std::collections::{BTreeMap, BTreeSet};

use super::super::order::{Key, Order};
use super::super::pack::{Chars, Edge, Pack, Quantity, SITES, Scope, Source, When};
use super::{Instance, Product, Slot, State, Verdict, Wanted};

impl State {
    /// Gives each changed product the instances that it wants now; unused ones end.
    pub(super) fn grow(
        &mut self,
        before: &Self,
        pack: &Pack,
        changed: &BTreeSet<Key>,
        order: &Order,
    ) -> Result<(), Verdict> {
        let mut made: BTreeMap<(Slot, String), u32> = BTreeMap::new();
        let mut taken_over: Vec<(Key, Slot, u32)> = Vec::new();
        for key in in_order(changed, order) {
            let wanted = self.wanted(pack, &key).map_err(|()| conflict(order))?;
            let mut tree = BTreeMap::new();
            for (slot, wanted) in wanted {
                // "What a product has already is its own; scopes decide about what is new."
                let own = self.products[&key].tree.get(&slot).copied();
                let group = self.group(pack, &key, slot.0);
                let joined = match own {
                    Some(own) => Some(own),
                    None => match made.get(&(slot, group.clone())) {
                        Some(new) => Some(*new),
                        None => before.shared(pack, self, &key, slot, changed)?,
                    },
                };
                if own.is_none()
                    && let Some(joined) = joined.filter(|id| before.instances.contains_key(id))
                {
                    taken_over.push((key.clone(), slot, joined));
                }
                let instance = joined.unwrap_or_else(|| {
                    self.next += 1;
                    let (service, number) = slot;
                    let (chars, needs) = (wanted.chars.clone(), BTreeSet::new());
                    let new = Instance { service, number, chars, needs };
                    self.instances.insert(self.next, new);
                    self.next
                });
                if own.is_none() {
                    made.insert((slot, group), instance);
                }
                tree.insert(slot, instance);
            }
            self.products.get_mut(&key).expect("it is there").tree = tree;
        }
        let used: BTreeSet<u32> =
            self.products.values().flat_map(|product| product.tree.values().copied()).collect();
        self.instances.retain(|id, _| used.contains(id));
        for (key, slot, instance) in taken_over {
            let stays = |user: &Key| {
                self.products.get(user).is_some_and(|one| one.tree.get(&slot) == Some(&instance))
            };
            if !before.users(instance).iter().any(|user| **user != key && stays(user)) {
                return Err(Verdict::Unclear("those who share it give it up"));
            }
        }
        self.agree(pack).map_err(|()| conflict(order))
    }

    /// "Those who share an instance must agree on its characteristics."
    fn agree(&mut self, pack: &Pack) -> Result<(), ()> {
        let mut said: BTreeMap<u32, Chars> = BTreeMap::new();
        for key in self.products.keys() {
            let wanted = self.wanted(pack, key)?;
            for (slot, instance) in &self.products[key].tree {
                let chars = wanted[slot].chars.clone();
                if said.insert(*instance, chars.clone()).is_some_and(|other| other != chars) {
                    return Err(());
                }
            }
        }
        for (id, chars) in said {
            self.instances.get_mut(&id).expect("it is used").chars = chars;
        }
        Ok(())
    }

    /// The instance outside of the order that a product newly shares: that of its bundle. No page
    /// defines whether it shares that of another line of its first order, or of this one.
    fn shared(
        &self,
        pack: &Pack,
        now: &Self,
        key: &Key,
        slot: Slot,
        changed: &BTreeSet<Key>,
    ) -> Result<Option<u32>, Verdict> {
        let scope = pack.services[slot.0].scope;
        let others = self.products.iter().filter(|(other, _)| *other != key);
        let have = |other: &Product| other.tree.get(&slot).copied();
        let is_new = !self.products.contains_key(key);
        match scope {
            Scope::Item => Ok(None),
            Scope::Bundle => {
                let bundle = self.bundle_of(key);
                let same = |(other, _): &(&Key, &Product)| self.bundle_of(other) == bundle;
                Ok(others.filter(same).find_map(|(_, other)| have(other)))
            }
            // "Whichever order made it."
            Scope::Customer => {
                let customer = &now.products[key].customer;
                let mut same = self.products.values().filter(|other| other.customer == *customer);
                Ok(same.find_map(have))
            }
            Scope::Order | Scope::Place => {
                let is_near = |(other, _): &(&Key, &Product)| {
                    (!is_new && other.0 == key.0) || changed.contains(*other)
                };
                match others.filter(is_near).find_map(|(_, other)| have(other)) {
                    Some(_) => Err(Verdict::Unclear("a sibling has it already")),
                    None => Ok(None),
                }
            }
        }
    }

    /// "Within its scope there is one instance, shared by all that ask for it."
    fn group(&self, pack: &Pack, key: &Key, service: usize) -> String {
        let own = format!("line {key:?}");
        match pack.services[service].scope {
            Scope::Item => own,
            // "A line outside of a bundle is its own."
            Scope::Bundle => format!("line {:?}", self.bundle_of(key)),
            // "Within an order the same as `order`."
            Scope::Order | Scope::Customer => "order".into(),
            // "A line without a place is its own."
            Scope::Place => match &self.products[key].place {
                Some(place) => format!("place {place}"),
                None => own,
            },
        }
    }

    /// What a product becomes by the rules: "an edge that no rule is about is always taken"; "a rule
    /// about an edge decides". An error where one line wants two things of one instance.
    pub(in crate::oracle) fn wanted(
        &self,
        pack: &Pack,
        key: &Key,
    ) -> Result<BTreeMap<Slot, Wanted>, ()> {
        let product = &self.products[key];
        let mut found = BTreeMap::new();
        let edges = &pack.products[product.spec].edges;
        become_parts(pack, product, None, &product.chars, edges, &mut found)?;
        Ok(found)
    }
}

/// The products that change, as their lines stand in the order; parts after their bundles.
fn in_order(changed: &BTreeSet<Key>, order: &Order) -> Vec<Key> {
    let lines = order.products().into_iter().filter(|key| changed.contains(*key)).cloned();
    let mut found: Vec<Key> = lines.collect();
    let new: Vec<Key> = changed.iter().filter(|key| !found.contains(key)).cloned().collect();
    found.extend(new);
    found
}

fn conflict(order: &Order) -> Verdict {
    match order.only_adds() {
        true => Verdict::Refused("DECOMP_CONFLICT"),
        false => Verdict::Unclear("those who share would disagree"),
    }
}

fn become_parts(
    pack: &Pack,
    product: &Product,
    above: Option<Slot>,
    chars: &Chars,
    edges: &[Edge],
    found: &mut BTreeMap<Slot, Wanted>,
) -> Result<(), ()> {
    let number = |source: &Source| match source {
        Source::Fixed(value) => *value,
        Source::Item(name) => chars[name],
        Source::Product(name) => product.chars[name],
    };
    for edge in edges {
        let is_taken = match &edge.when {
            When::Always => true,
            When::Equals(source, value) => number(source) == *value,
        };
        if !is_taken {
            continue;
        }
        // "The number of instances; 0 is none. Each gets the characteristic `number`, counted from 1."
        let numbers: Vec<Option<i64>> = match &edge.quantity {
            None => vec![None],
            Some(Quantity::Times(source)) => (1..=number(source)).map(Some).collect(),
            // "An instance for each element, which `characteristics` read as `each`." "When the list
            // changes, an instance belongs to the element of the same key."
            Some(Quantity::SitesBut(source)) => {
                SITES.into_iter().filter(|site| *site != number(source)).map(Some).collect()
            }
        };
        for each in numbers {
            // "Characteristics of the target specification that share a name with one of the
            // parent's are copied. `characteristics:` adds to that and overrides it."
            let service = &pack.services[edge.to];
            let mut own: Chars = BTreeMap::new();
            for name in &service.chars {
                if let Some(value) = chars.get(name) {
                    own.insert(name.clone(), *value);
                }
            }
            for (name, source) in &edge.maps {
                own.insert(name.clone(), number(source));
            }
            if let (Some(each), Some(quantity)) = (each, &edge.quantity) {
                own.insert(quantity.name().into(), each);
            }
            let slot = (edge.to, each);
            if let Some(known) = found.get_mut(&slot) {
                if known.chars != own {
                    return Err(());
                }
                known.above.insert(above);
                continue;
            }
            found.insert(slot, Wanted { chars: own.clone(), above: BTreeSet::from([above]) });
            become_parts(pack, product, Some(slot), &own, &service.edges, found)?;
        }
    }
    Ok(())
}
