//! Who changes what: no two open fulfilments change the same earlier work, and a quote is ordered
//! once. What a fulfilment claims follows from its plan and its order, so it is known again after a
//! crash; that a quote is ordered is a fact of its own in the commit that takes the order.

use std::collections::{BTreeMap, VecDeque};

use model::cpq::quotes_of;
use model::{Event, Failure, FailureClass, Fulfilment, FulfilmentId, Kind, Plan};

use serde_json::Value;

use super::{Answer, Core};

/// Max claims remembered after they were released.
const RELEASED_MAX: usize = 65_536;

/// A moment in the order of the engine's decisions. A submission that names the one before its
/// client looked is refused if what it claims was released since: the look is out of date then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seen(u64);

/// What open fulfilments claim, by name.
#[derive(Debug, Default)]
pub(super) struct Claims {
    held: BTreeMap<String, FulfilmentId>,
    /// When what is not claimed any more was released, as far back as is remembered.
    released: BTreeMap<String, u64>,
    order: VecDeque<(u64, String)>,
    /// How often something was released.
    releases: u64,
    /// The last release that is not remembered.
    forgotten: u64,
}

impl Claims {
    /// The moment now.
    pub(super) fn seen(&self) -> Seen {
        Seen(self.releases)
    }

    /// The fulfilment that claims any of these.
    pub(super) fn holder(&self, names: &[String]) -> Option<&FulfilmentId> {
        names.iter().find_map(|name| self.held.get(name))
    }

    /// Whether any of these may have been released since. What is not remembered may have been.
    fn is_stale(&self, names: &[String], seen: Seen) -> bool {
        let since = |name: &String| self.released.get(name).is_some_and(|at| *at > seen.0);
        !names.is_empty() && (seen.0 < self.forgotten || names.iter().any(since))
    }

    fn take(&mut self, id: &FulfilmentId, names: Vec<String>) {
        self.held.extend(names.into_iter().map(|name| (name, id.clone())));
    }

    /// Releases all that a fulfilment claims, where its plan cannot be asked.
    pub(super) fn forget(&mut self, id: &FulfilmentId) {
        let own = self.held.iter().filter(|(_, holder)| *holder == id);
        let names = own.map(|(name, _)| name.clone()).collect();
        self.release(id, names);
    }

    fn release(&mut self, id: &FulfilmentId, names: Vec<String>) {
        for name in names {
            if self.held.get(&name) != Some(id) {
                continue;
            }
            self.held.remove(&name);
            self.note(name);
        }
        self.trim();
    }

    /// What any of these stand for has changed: who looked at it before must look again.
    pub(super) fn outdate(&mut self, names: &[String]) {
        for name in names {
            self.note(name.clone());
        }
        self.trim();
    }

    fn note(&mut self, name: String) {
        self.releases += 1;
        self.released.insert(name.clone(), self.releases);
        self.order.push_back((self.releases, name));
    }

    fn trim(&mut self) {
        while self.order.len() > RELEASED_MAX {
            let Some((at, name)) = self.order.pop_front() else { return };
            self.forgotten = at;
            if self.released.get(&name) == Some(&at) {
                self.released.remove(&name);
            }
        }
    }
}

impl<R> Core<R> {
    /// The events of a submission, with what it claims claimed. Rejected if it would change what
    /// another fulfilment is changing.
    pub(super) fn claimed(
        &mut self,
        fulfilment: &Fulfilment,
        events: Vec<Event>,
        seen: Option<Seen>,
    ) -> Result<Vec<Event>, Answer> {
        if matches!(events.last(), Some(Event::Rejected { .. })) {
            return Ok(events);
        }
        let quotes = quotes(fulfilment);
        if let Some(first) = self.claims.holder(&quotes) {
            return Err(Answer::Ordered(first.clone()));
        }
        let works = if let Some(Event::Planned { plan }) = events.last() {
            works(plan)
        } else {
            Vec::new()
        };
        let names = [quotes, works].concat();
        if let Some(other) = self.claims.holder(&names) {
            let message =
                format!("order `{other}` is changing the same: order this when that has ended");
            let failure = Failure::new(FailureClass::Reject, "INSTANCE_BUSY", message);
            return Ok(vec![Event::Rejected { failure }]);
        }
        if seen.is_some_and(|seen| self.claims.is_stale(&names, seen)) {
            return Err(Answer::Stale);
        }
        self.claims.take(&fulfilment.id, names);
        Ok(events)
    }

    /// Claims what an open fulfilment claimed before a restart.
    pub(super) fn claim_again(&mut self, fulfilment: &Fulfilment) {
        let names = [quotes(fulfilment), works(&fulfilment.plan)].concat();
        self.claims.take(&fulfilment.id, names);
    }

    /// Claims what an event says, of a fulfilment whose journal cannot be followed to its end.
    pub(super) fn claim_of(&mut self, id: &FulfilmentId, event: &Event) {
        if let Event::Planned { plan } = event {
            self.claims.take(id, works(plan));
        }
        if let Event::Submitted { kind: Kind::ProductOrder, document, .. } = event {
            self.claims.take(id, quotes_in(document));
        }
    }

    /// What an ended fulfilment claimed can be claimed by others.
    pub(super) fn unclaim(&mut self, fulfilment: &Fulfilment) {
        let names = [quotes(fulfilment), works(&fulfilment.plan)].concat();
        self.claims.release(&fulfilment.id, names);
    }
}

fn works(plan: &Plan) -> Vec<String> {
    plan.claims().map(str::to_string).collect()
}

fn quotes(fulfilment: &Fulfilment) -> Vec<String> {
    match fulfilment.kind {
        Kind::ProductOrder => quotes_in(&fulfilment.document),
        Kind::ServiceOrder | Kind::ResourceOrder | Kind::Run { .. } => Vec::new(),
    }
}

fn quotes_in(order: &Value) -> Vec<String> {
    quotes_of(order).iter().map(|quote| format!("quote/{quote}")).collect()
}

#[cfg(test)]
mod tests;
