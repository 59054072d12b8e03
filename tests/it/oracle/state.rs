//! The oracle: what there has to be after each order, from the described pack and the orders alone.
//! It is meant to be read, not to be fast. The rules that it follows are quoted.

mod grow;
mod needs;
mod told;

use std::collections::{BTreeMap, BTreeSet};

use super::order::{Added, Key, Line, Order};
use super::pack::{Chars, Pack};

/// An instance that a product uses: at most one of a service, or one for each number.
pub(super) type Slot = (usize, Option<i64>);

/// All that there is.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    /// The products that have not ended.
    pub(super) products: BTreeMap<Key, Product>,
    /// The products that have.
    pub(super) ended: BTreeSet<Key>,
    /// The instances of services that are in use.
    pub(super) instances: BTreeMap<u32, Instance>,
    next: u32,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Product {
    pub(super) spec: usize,
    pub(super) chars: Chars,
    pub(super) place: Option<String>,
    pub(super) customer: String,
    pub(super) bundle: Option<Key>,
    pub(super) is_suspended: bool,
    /// The product that it relies on as a whole, with all that both are made of.
    pub(super) relies_on: Option<Key>,
    pub(super) tree: BTreeMap<Slot, u32>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Instance {
    pub(super) service: usize,
    pub(super) number: Option<i64>,
    pub(super) chars: Chars,
    /// The instances that it was to be delivered after when an order last was about it.
    pub(super) needs: BTreeSet<u32>,
}

/// What a product wants of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) chars: Chars,
    /// What it is a part of: other services, or the product itself.
    pub(super) above: BTreeSet<Option<Slot>>,
}

/// What has to come of an order.
#[derive(Clone, Debug)]
pub(super) enum Verdict {
    Completes(Box<State>),
    /// Nothing changes; the code is the reason.
    Refused(&'static str),
    /// The rules do not say. Such an order is not sent.
    Unclear(&'static str),
}

/// What a field of a body has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Number(i64),
    Text(String),
    Nothing,
    /// The value that a step of an instance took out of its pool.
    Taken(u32, usize),
}

/// A value in a body, or why it cannot be said.
type Unclear = &'static str;

/// What becomes of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Add,
    Modify,
    Delete,
    /// Nothing is done for it.
    Same,
    /// A value that it reads of others changes; whether that is known when the order is planned
    /// depends on the value.
    Follows,
}

impl Product {
    fn new(pack: &Pack, added: &Added, customer: &str, bundle: Option<Key>) -> Self {
        // "Defaults are filled in."
        let spec = &pack.products[added.product];
        let defaults = spec.chars.iter().map(|one| (one.name.clone(), one.values[0]));
        let mut chars: Chars = defaults.collect();
        chars.extend(added.chars.clone());
        Self {
            spec: added.product,
            chars,
            place: added.place.clone(),
            customer: customer.into(),
            bundle,
            is_suspended: false,
            relies_on: None,
            tree: BTreeMap::new(),
        }
    }
}

impl State {
    /// What has to come of an order, which is the one of this number in the history.
    pub(super) fn after(&self, pack: &Pack, order: &Order, number: usize) -> Verdict {
        self.after_some(pack, order, number, &BTreeSet::new())
    }

    /// What has to come of an order some lines of which fail, by their ids: "the others go on".
    pub(super) fn after_some(
        &self,
        pack: &Pack,
        order: &Order,
        number: usize,
        failed: &BTreeSet<String>,
    ) -> Verdict {
        match self.followed(pack, order, number, failed) {
            Ok(state) => Verdict::Completes(Box::new(state)),
            Err(verdict) => verdict,
        }
    }

    fn followed(
        &self,
        pack: &Pack,
        order: &Order,
        number: usize,
        failed: &BTreeSet<String>,
    ) -> Result<Self, Verdict> {
        let mut next = self.clone();
        let mut changed = BTreeSet::new();
        for (id, line) in order.flat() {
            if !failed.contains(&id) {
                next.take(pack, line, &(number, id), order, failed, &mut changed)?;
            }
        }
        next.grow(self, pack, &changed, order)?;
        next.relate(self, pack, &changed)?;
        next.relate_lines(order, number)?;
        next.check_needed(self, &changed)?;
        next.check_untouched(self, pack, &changed)?;
        Ok(next)
    }

    /// Changes the products that a line is about; notes those whose parts follow.
    fn take(
        &mut self,
        pack: &Pack,
        line: &Line,
        key: &Key,
        order: &Order,
        failed: &BTreeSet<String>,
        changed: &mut BTreeSet<Key>,
    ) -> Result<(), Verdict> {
        match line {
            Line::Add(added) => {
                for (id, bundle, part) in added.flat(&key.1) {
                    // Parts that their bundle can do without "fail on their own, and with the bundle".
                    if failed.contains(&id) {
                        continue;
                    }
                    let bundle = bundle.map(|bundle| (key.0, bundle));
                    changed.insert((key.0, id.clone()));
                    let product = Product::new(pack, part, &order.customer, bundle);
                    self.products.insert((key.0, id), product);
                }
            }
            Line::Modify { product, chars, place } => {
                let found = self.products.get_mut(product).ok_or(Verdict::Unclear("no product"))?;
                let before = (found.chars.clone(), found.place.clone());
                found.chars.extend(chars.clone());
                found.place = place.clone().or_else(|| found.place.take());
                if (&found.chars, &found.place) != (&before.0, &before.1) {
                    changed.insert(product.clone());
                }
            }
            Line::Status { product, is_suspended } => {
                // The parts of a bundle follow it.
                let all = self.products.keys().filter(|one| self.is_within(one, product));
                let all: Vec<Key> = all.cloned().collect();
                for one in all {
                    self.products.get_mut(&one).expect("it is there").is_suspended = *is_suspended;
                }
            }
            Line::Delete { product } => {
                // What a product bundles ends with it.
                let all: Vec<Key> = self.products.keys().cloned().collect();
                for one in all {
                    if self.is_within(&one, product) {
                        self.products.remove(&one);
                        self.ended.insert(one);
                    }
                }
            }
            Line::Within { .. } => {}
        }
        Ok(())
    }

    /// Whether a product is another, or is bundled in it.
    pub(super) fn is_within(&self, product: &Key, outer: &Key) -> bool {
        let above = self.products.get(product).and_then(|found| found.bundle.as_ref());
        product == outer || above.is_some_and(|bundle| self.is_within(bundle, outer))
    }

    /// The outermost bundle that a product is in; itself where it is in none. A bundle that has ended
    /// took its parts with it.
    pub(super) fn bundle_of(&self, product: &Key) -> Key {
        match self.products.get(product).and_then(|found| found.bundle.clone()) {
            Some(bundle) => self.bundle_of(&bundle),
            None => product.clone(),
        }
    }

    /// The products that use an instance.
    pub(super) fn users(&self, instance: u32) -> BTreeSet<&Key> {
        let products = self.products.iter();
        let uses = products.filter(|(_, one)| one.tree.values().any(|other| *other == instance));
        uses.map(|(key, _)| key).collect()
    }
}
