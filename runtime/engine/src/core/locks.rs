//! Locks on prior work and quotes: no two open fulfilments change the same prior work, and a quote is
//! ordered once. The locks of a fulfilment follow from its plan and its order, so they are known again
//! after a crash. The order of a quote is a fact of its own in the commit that takes the order.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use model::order::quotes_of;
use model::plan::{Action, Item, Lock, LockMode};
use model::{Event, Failure, FailureClass, FailureCode, Fulfilment, FulfilmentId, Kind, Plan};

use serde_json::Value;

use super::{Answer, Core};

/// Max released locks that are remembered.
const RELEASED_MAX: usize = 65_536;

/// A moment in the order of the engine's decisions. A submission names the moment before its client
/// read the instances, and is refused if one of its locks was released since: the read is stale then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seen(u64);

/// The locks of open fulfilments, by name.
#[derive(Debug, Default)]
pub(super) struct Locks {
    held: BTreeMap<String, Holders>,
    /// The moment of the last release of each name, as far back as is remembered.
    released: BTreeMap<String, u64>,
    order: VecDeque<(u64, String)>,
    /// The number of releases so far.
    releases: u64,
    /// The last forgotten release.
    forgotten: u64,
}

/// The holders of a lock: one that changes the work, or any number that use it.
#[derive(Debug)]
enum Holders {
    One(FulfilmentId),
    Several(BTreeSet<FulfilmentId>),
}

impl Holders {
    /// A holder that prevents a lock by another fulfilment.
    fn against(&self, mode: LockMode) -> Option<&FulfilmentId> {
        match (self, mode) {
            (Self::One(holder), _) => Some(holder),
            (Self::Several(holders), LockMode::Exclusive) => holders.first(),
            (Self::Several(_), LockMode::Shared) => None,
        }
    }

    fn has(&self, id: &FulfilmentId) -> bool {
        match self {
            Self::One(holder) => holder == id,
            Self::Several(holders) => holders.contains(id),
        }
    }
}

impl Locks {
    pub(super) fn seen(&self) -> Seen {
        Seen(self.releases)
    }

    /// A fulfilment that has any of these locks, in either mode.
    pub(super) fn holder(&self, names: &[String]) -> Option<&FulfilmentId> {
        let mut held = names.iter().filter_map(|name| self.held.get(name));
        held.find_map(|holders| holders.against(LockMode::Exclusive))
    }

    /// A fulfilment that prevents any of these locks.
    fn against(&self, locks: &[Lock]) -> Option<&FulfilmentId> {
        locks.iter().find_map(|lock| self.held.get(&lock.name)?.against(lock.mode))
    }

    /// The fulfilments that prevent these locks, each with the lock.
    fn conflicts<'a>(
        &'a self,
        locks: &'a [Lock],
    ) -> impl Iterator<Item = (&'a Lock, &'a FulfilmentId)> {
        locks.iter().filter_map(|lock| Some((lock, self.held.get(&lock.name)?.against(lock.mode)?)))
    }

    /// The fulfilment that a plan has to wait for because it uses the work that the fulfilment changes;
    /// `None` if the plan changes prior work itself, or can have all its locks.
    fn queue(&self, plan: &Plan, locks: &[Lock]) -> Option<FulfilmentId> {
        let is_new = |item: &Item| matches!(item.action, Action::Add | Action::NoChange);
        let uses = |lock: &Lock| lock.mode == LockMode::Shared || lock.is_serving();
        let mut conflicts = self.conflicts(locks);
        let (first, holder) = conflicts.next()?;
        let only_uses = uses(first) && conflicts.all(|(lock, _)| uses(lock));
        (only_uses && plan.items.iter().all(is_new)).then(|| holder.clone())
    }

    /// Whether any of these may have been released since; a forgotten release counts.
    fn is_stale(&self, locks: &[Lock], seen: Seen) -> bool {
        let since = |lock: &Lock| self.released.get(&lock.name).is_some_and(|at| *at > seen.0);
        !locks.is_empty() && (seen.0 < self.forgotten || locks.iter().any(since))
    }

    fn take(&mut self, id: &FulfilmentId, locks: Vec<Lock>) {
        for Lock { name, mode } in locks {
            let holders = self.held.entry(name).or_insert_with(|| Holders::Several([].into()));
            match (mode, &mut *holders) {
                (LockMode::Exclusive, _) => *holders = Holders::One(id.clone()),
                (LockMode::Shared, Holders::Several(several)) => {
                    several.insert(id.clone());
                }
                // It has the exclusive lock itself.
                (LockMode::Shared, Holders::One(_)) => {}
            }
        }
    }

    /// Releases all locks of a fulfilment whose plan cannot be read.
    pub(super) fn forget(&mut self, id: &FulfilmentId) {
        let own = self.held.iter().filter(|(_, holders)| holders.has(id));
        let names = own.map(|(name, _)| name.clone()).collect();
        self.release(id, names);
    }

    fn release(&mut self, id: &FulfilmentId, names: Vec<String>) {
        for name in names {
            let Some(holders) = self.held.get_mut(&name) else { continue };
            if !holders.has(id) {
                continue;
            }
            let is_free = match holders {
                Holders::One(_) => true,
                Holders::Several(several) => {
                    several.remove(id);
                    several.is_empty()
                }
            };
            if is_free {
                self.held.remove(&name);
            }
            self.note(name);
        }
        self.trim();
    }

    /// The work under these names has changed: an earlier read of it is stale.
    pub(super) fn outdate(&mut self, names: Vec<String>) {
        for name in names {
            self.note(name);
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
    /// Takes the locks of a submission. Returns its events: `rejected` if another fulfilment is
    /// changing the same work.
    pub(super) fn locked(
        &mut self,
        fulfilment: &Fulfilment,
        events: Vec<Event>,
        seen: Option<Seen>,
    ) -> Result<Vec<Event>, Answer> {
        if matches!(events.last(), Some(Event::Rejected { .. })) {
            return Ok(events);
        }
        let mut locks = exclusive(quotes(fulfilment));
        if let Some(first) = self.locks.against(&locks) {
            return Err(Answer::Ordered(first.clone()));
        }
        if let Some(Event::Planned { plan }) = events.last() {
            let quotes = locks.len();
            locks.extend(plan.locks());
            if let Some(other) = self.locks.queue(plan, &locks) {
                locks.truncate(quotes);
                self.locks.take(fulfilment.id(), locks);
                return Ok(vec![Event::Awaiting { orders: vec![other], queued: true }]);
            }
        }
        if let Some(other) = self.locks.against(&locks) {
            let message =
                format!("order `{other}` is changing the same: order this when that has ended");
            let failure = Failure::new(FailureClass::Reject, FailureCode::InstanceBusy, message);
            return Ok(vec![Event::Rejected { failure }]);
        }
        if seen.is_some_and(|seen| self.locks.is_stale(&locks, seen)) {
            return Err(Answer::Stale);
        }
        self.locks.take(fulfilment.id(), locks);
        Ok(events)
    }

    /// The event of a fulfilment that was planned again, with the locks of its plan, which are taken
    /// when the event is accepted. The order is held while another changes the same work.
    pub(super) fn locks_again(
        &self,
        event: Event,
        seen: Seen,
    ) -> Result<(Event, Vec<Lock>), Answer> {
        let Event::Planned { plan } = &event else {
            return Ok((event, Vec::new()));
        };
        let locks: Vec<Lock> = plan.locks().collect();
        if let Some(other) = self.locks.queue(plan, &locks) {
            let event = Event::Awaiting { orders: vec![other], queued: true };
            return Ok((event, Vec::new()));
        }
        if let Some(other) = self.locks.against(&locks) {
            let message =
                format!("order `{other}` is changing the same: it is planned when that has ended");
            let failure = Failure::new(FailureClass::Operator, FailureCode::InstanceBusy, message);
            return Ok((Event::Held { failure }, Vec::new()));
        }
        if self.locks.is_stale(&locks, seen) {
            return Err(Answer::Stale);
        }
        Ok((event, locks))
    }

    /// Takes the locks of a plan that was accepted, unless its fulfilment has ended with it.
    pub(super) fn take_locks(&mut self, id: &FulfilmentId, locks: Vec<Lock>) {
        if self.is_open(id) {
            self.locks.take(id, locks);
        }
    }

    /// Takes the locks that an open fulfilment had before a restart.
    pub(super) fn lock_again(&mut self, fulfilment: &Fulfilment) {
        let mut locks = exclusive(quotes(fulfilment));
        locks.extend(fulfilment.plan().locks());
        self.locks.take(fulfilment.id(), locks);
    }

    /// Takes the locks of an event of a fulfilment whose journal cannot be read to its end.
    pub(super) fn lock_of(&mut self, id: &FulfilmentId, event: &Event) {
        if let Event::Planned { plan } = event {
            self.locks.take(id, plan.locks().collect());
        }
        if let Event::Submitted { kind: Kind::ProductOrder, document, .. } = event {
            self.locks.take(id, exclusive(quotes_in(document)));
        }
    }

    /// Releases the locks of an ended fulfilment.
    pub(super) fn unclaim(&mut self, fulfilment: &Fulfilment) {
        let mut names = quotes(fulfilment);
        names.extend(fulfilment.plan().locks().map(|lock| lock.name));
        self.locks.release(fulfilment.id(), names);
    }
}

fn exclusive(names: Vec<String>) -> Vec<Lock> {
    names.into_iter().map(|name| Lock { name, mode: LockMode::Exclusive }).collect()
}

/// The names of the quotes of an order, which it locks besides its plan.
pub(super) fn quotes(fulfilment: &Fulfilment) -> Vec<String> {
    match fulfilment.kind() {
        Kind::ProductOrder => quotes_in(fulfilment.document()),
        Kind::ServiceOrder | Kind::ResourceOrder | Kind::Run { .. } => Vec::new(),
    }
}

fn quotes_in(order: &Value) -> Vec<String> {
    quotes_of(order).iter().map(|quote| format!("quote/{quote}")).collect()
}

#[cfg(test)]
mod tests;
