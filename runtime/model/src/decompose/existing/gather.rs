//! Which instances must be known before an order can be decomposed: those that its lines are about
//! with all that they are made of, what these need, and who else uses them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{PriorItem, installed};
use crate::decompose::{Answers, InstanceLookup};
use crate::id::InstanceId;
use crate::order::Order;
use crate::plan::Action;

/// How much of an instance must be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reach {
    /// Itself.
    Itself,
    /// Itself, what it is made of, and what it needs.
    Parts,
    /// Itself, what it is made of, what it needs, and who uses it.
    Whole,
}

/// The instances that are not known yet; decomposition goes on when there are none. Their parts
/// are known only with them, so decomposition asks again with the answers.
pub(in crate::decompose) fn gather(order: &Order, answers: &Answers) -> Vec<InstanceLookup> {
    let mut open = Vec::new();
    for line in order.lines.iter().filter(|line| line.action != Action::Add) {
        let id = line.instance.as_ref().map(|id| InstanceId::of(order.level.inventory(), id));
        open.extend(id.map(|id| (Cow::Owned(id), Reach::Whole)));
    }
    missing(open, answers)
}

/// What must be known besides to have an instance with all that it is made of.
pub(in crate::decompose) fn gather_from(id: &InstanceId, answers: &Answers) -> Vec<InstanceLookup> {
    missing(vec![(Cow::Borrowed(id), Reach::Whole)], answers)
}

/// An instance to look at, and how much of it must be known.
type Open<'a> = (Cow<'a, InstanceId>, Reach);

fn missing<'a>(mut open: Vec<Open<'a>>, answers: &'a Answers) -> Vec<InstanceLookup> {
    let mut gathering = Gathering { answers, seen: BTreeMap::new() };
    while let Some((id, reach)) = open.pop() {
        gathering.look(&id, reach, &mut open);
    }
    let mut missing: Vec<InstanceLookup> = gathering.seen.into_keys().collect();
    missing.retain(|lookup| !answers.instances.contains_key(lookup));
    missing
}

struct Gathering<'a> {
    answers: &'a Answers,
    seen: BTreeMap<InstanceLookup, Reach>,
}

impl<'a> Gathering<'a> {
    fn look(&mut self, id: &InstanceId, reach: Reach, open: &mut Vec<Open<'a>>) {
        let lookup = InstanceLookup::of(id);
        if self.seen.get(&lookup).is_some_and(|seen| *seen >= reach) {
            return;
        }
        self.seen.insert(lookup, reach);
        let Some(known) = installed(id, self.answers) else { return };
        if reach >= Reach::Parts {
            open.extend(known.needs().map(|id| (Cow::Owned(id), Reach::Parts)));
            open.extend(known.parts().map(|id| (Cow::Owned(id), reach)));
        }
        if reach == Reach::Whole {
            self.users(&known, open);
        }
    }

    /// Who else uses it, and what else a bundle has that it is a part of.
    fn users(&self, known: &PriorItem<'a>, open: &mut Vec<Open<'a>>) {
        for user in known.users().filter(|user| !user.resource().is_empty()) {
            open.push((Cow::Borrowed(user), Reach::Itself));
            let is_part = known.id.resource() == "product" && user.resource() == "product";
            if is_part && let Some(bundle) = installed(user, self.answers) {
                open.extend(bundle.parts().map(|id| (Cow::Owned(id), Reach::Itself)));
            }
        }
    }
}
