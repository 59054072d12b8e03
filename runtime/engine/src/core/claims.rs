//! Who changes what: no two open fulfilments change the same earlier work, and a quote is ordered
//! once. What a fulfilment claims follows from its plan and its order, so it is known again after a
//! crash; that a quote is ordered is a fact of its own in the commit that takes the order.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use model::order::quotes_of;
use model::plan::{Action, Claim, ClaimMode, Item};
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
    held: BTreeMap<String, Holders>,
    /// When what is not claimed any more was released, as far back as is remembered.
    released: BTreeMap<String, u64>,
    order: VecDeque<(u64, String)>,
    /// How often something was released.
    releases: u64,
    /// The last release that is not remembered.
    forgotten: u64,
}

/// Who claims a name: one that changes it, or any number that use it.
#[derive(Debug)]
enum Holders {
    One(FulfilmentId),
    Several(BTreeSet<FulfilmentId>),
}

impl Holders {
    /// One of those that stand in the way of a claim by another fulfilment.
    fn against(&self, mode: ClaimMode) -> Option<&FulfilmentId> {
        match (self, mode) {
            (Self::One(holder), _) => Some(holder),
            (Self::Several(holders), ClaimMode::Exclusive) => holders.first(),
            (Self::Several(_), ClaimMode::Shared) => None,
        }
    }

    fn has(&self, id: &FulfilmentId) -> bool {
        match self {
            Self::One(holder) => holder == id,
            Self::Several(holders) => holders.contains(id),
        }
    }
}

impl Claims {
    /// The moment now.
    pub(super) fn seen(&self) -> Seen {
        Seen(self.releases)
    }

    /// A fulfilment that claims any of these, in whichever way.
    pub(super) fn holder(&self, names: &[String]) -> Option<&FulfilmentId> {
        let mut held = names.iter().filter_map(|name| self.held.get(name));
        held.find_map(|holders| holders.against(ClaimMode::Exclusive))
    }

    /// A fulfilment that stands in the way of any of these claims.
    fn against(&self, claims: &[Claim]) -> Option<&FulfilmentId> {
        claims.iter().find_map(|claim| self.held.get(&claim.name)?.against(claim.mode))
    }

    /// The fulfilments that stand in the way of these claims, each with the claim.
    fn conflicts<'a>(
        &'a self,
        claims: &'a [Claim],
    ) -> impl Iterator<Item = (&'a Claim, &'a FulfilmentId)> {
        claims
            .iter()
            .filter_map(|claim| Some((claim, self.held.get(&claim.name)?.against(claim.mode)?)))
    }

    /// The fulfilment whose end another waits for that only uses what it changes; `None` if the other
    /// changes something itself, or nothing stands in its way.
    fn queue(&self, plan: &Plan, claims: &[Claim]) -> Option<FulfilmentId> {
        let is_new = |item: &Item| matches!(item.action, Action::Add | Action::NoChange);
        let uses = |claim: &Claim| claim.mode == ClaimMode::Shared || claim.is_serving();
        let mut conflicts = self.conflicts(claims);
        let (first, holder) = conflicts.next()?;
        let only_uses = uses(first) && conflicts.all(|(claim, _)| uses(claim));
        (only_uses && plan.items.iter().all(is_new)).then(|| holder.clone())
    }

    /// Whether any of these may have been released since. What is not remembered may have been.
    fn is_stale(&self, claims: &[Claim], seen: Seen) -> bool {
        let since = |claim: &Claim| self.released.get(&claim.name).is_some_and(|at| *at > seen.0);
        !claims.is_empty() && (seen.0 < self.forgotten || claims.iter().any(since))
    }

    fn take(&mut self, id: &FulfilmentId, claims: Vec<Claim>) {
        for Claim { name, mode } in claims {
            let holders = self.held.entry(name).or_insert_with(|| Holders::Several([].into()));
            match (mode, &mut *holders) {
                (ClaimMode::Exclusive, _) => *holders = Holders::One(id.clone()),
                (ClaimMode::Shared, Holders::Several(several)) => {
                    several.insert(id.clone());
                }
                // It changes the same itself.
                (ClaimMode::Shared, Holders::One(_)) => {}
            }
        }
    }

    /// Releases all that a fulfilment claims, where its plan cannot be asked.
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
        let claimed = if let Some(Event::Planned { plan }) = events.last() {
            plan.claims().collect()
        } else {
            Vec::new()
        };
        let claims = [exclusive(quotes.clone()), claimed].concat();
        if let Some(Event::Planned { plan }) = events.last()
            && let Some(other) = self.claims.queue(plan, &claims)
        {
            self.claims.take(fulfilment.id(), exclusive(quotes));
            return Ok(vec![Event::Awaiting { orders: vec![other], queued: true }]);
        }
        if let Some(other) = self.claims.against(&claims) {
            let message =
                format!("order `{other}` is changing the same: order this when that has ended");
            let failure = Failure::new(FailureClass::Reject, "INSTANCE_BUSY", message);
            return Ok(vec![Event::Rejected { failure }]);
        }
        if seen.is_some_and(|seen| self.claims.is_stale(&claims, seen)) {
            return Err(Answer::Stale);
        }
        self.claims.take(fulfilment.id(), claims);
        Ok(events)
    }

    /// The event of a fulfilment that was planned again, with the claims of its plan, which are taken
    /// when the event is accepted. The order is held while another changes the same.
    pub(super) fn claims_again(
        &self,
        event: Event,
        seen: Seen,
    ) -> Result<(Event, Vec<Claim>), Answer> {
        let Event::Planned { plan } = &event else {
            return Ok((event, Vec::new()));
        };
        let claims: Vec<Claim> = plan.claims().collect();
        if let Some(other) = self.claims.queue(plan, &claims) {
            let event = Event::Awaiting { orders: vec![other], queued: true };
            return Ok((event, Vec::new()));
        }
        if let Some(other) = self.claims.against(&claims) {
            let message =
                format!("order `{other}` is changing the same: it is planned when that has ended");
            let failure = Failure::new(FailureClass::Operator, "INSTANCE_BUSY", message);
            return Ok((Event::Held { failure }, Vec::new()));
        }
        if self.claims.is_stale(&claims, seen) {
            return Err(Answer::Stale);
        }
        Ok((event, claims))
    }

    /// Takes the claims of a plan that was accepted, unless its fulfilment has ended with it.
    pub(super) fn take_claims(&mut self, id: &FulfilmentId, claims: Vec<Claim>) {
        if self.open.contains_key(id) {
            self.claims.take(id, claims);
        }
    }

    /// Claims what an open fulfilment claimed before a restart.
    pub(super) fn claim_again(&mut self, fulfilment: &Fulfilment) {
        let claimed = fulfilment.plan().claims().collect();
        let claims = [exclusive(quotes(fulfilment)), claimed].concat();
        self.claims.take(fulfilment.id(), claims);
    }

    /// Claims what an event says, of a fulfilment whose journal cannot be followed to its end.
    pub(super) fn claim_of(&mut self, id: &FulfilmentId, event: &Event) {
        if let Event::Planned { plan } = event {
            self.claims.take(id, plan.claims().collect());
        }
        if let Event::Submitted { kind: Kind::ProductOrder, document, .. } = event {
            self.claims.take(id, exclusive(quotes_in(document)));
        }
    }

    /// What an ended fulfilment claimed can be claimed by others.
    pub(super) fn unclaim(&mut self, fulfilment: &Fulfilment) {
        let claimed = fulfilment.plan().claims().map(|claim| claim.name).collect();
        let names = [quotes(fulfilment), claimed].concat();
        self.claims.release(fulfilment.id(), names);
    }
}

fn exclusive(names: Vec<String>) -> Vec<Claim> {
    names.into_iter().map(|name| Claim { name, mode: ClaimMode::Exclusive }).collect()
}

/// What an order of quotes claims besides its plan.
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
