//! Refusals that are alike: the first of a minute has an entry at once, the others are counted, and one entry
//! tells their number when the minute is over. So a flood makes few entries.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use engine::audit::{Act, Actor, Audited, Outcome};
use tmf::time::Timestamp;

/// Max kinds of refusals of one address in a minute; beyond them, they are counted as one.
const KINDS_MAX: usize = 16;

/// Max kinds of all addresses in a minute; beyond them, all are counted as one.
const ALL_KINDS_MAX: usize = 256;

const MINUTE_MS: i64 = 60_000;

/// Counts refusals.
#[derive(Debug, Default)]
pub(super) struct Alike(Mutex<Minute>);

#[derive(Debug, Default)]
struct Minute {
    number: i64,
    kinds: BTreeMap<Kind, Counted>,
    /// The number of kinds of each address.
    by_address: BTreeMap<Option<String>, usize>,
}

/// What makes refusals alike.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Kind {
    address: Option<String>,
    subject: String,
    action: String,
    code: String,
}

#[derive(Debug)]
struct Counted {
    act: Arc<Act>,
    outcome: Outcome,
    /// Those without an entry.
    count: u64,
}

impl Alike {
    /// Takes a refusal; answers with the entries to make now.
    pub(super) fn take(
        &self,
        act: &Arc<Act>,
        outcome: Outcome,
        code: &str,
        now: Timestamp,
    ) -> Vec<Audited> {
        let mut minute = self.minute();
        let mut entries = minute.begin(now);
        entries.extend(minute.take(act, outcome, code, now));
        entries
    }

    /// The entries of a minute that is over.
    pub(super) fn expired(&self, now: Timestamp) -> Vec<Audited> {
        self.minute().begin(now)
    }

    /// The entries of all that was counted.
    pub(super) fn all(&self, now: Timestamp) -> Vec<Audited> {
        self.minute().drain(now)
    }

    fn minute(&self) -> MutexGuard<'_, Minute> {
        // No code panics while it holds the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Minute {
    /// Begins the minute of a time; answers with the entries of the one before.
    fn begin(&mut self, now: Timestamp) -> Vec<Audited> {
        let number = now.0.div_euclid(MINUTE_MS);
        if number == self.number {
            return Vec::new();
        }
        let counted = self.drain(now);
        self.number = number;
        counted
    }

    fn drain(&mut self, now: Timestamp) -> Vec<Audited> {
        self.by_address.clear();
        let kinds = std::mem::take(&mut self.kinds).into_iter();
        let counted = kinds.filter(|(_, counted)| counted.count > 0);
        counted
            .map(|(kind, Counted { act, outcome, count })| Audited {
                outcome,
                code: Some(kind.code),
                count: Some(count),
                ..Audited::done(act, now)
            })
            .collect()
    }

    fn take(
        &mut self,
        act: &Arc<Act>,
        outcome: Outcome,
        code: &str,
        now: Timestamp,
    ) -> Option<Audited> {
        let address = act.address.clone();
        let (subject, action) = (act.actor.subject.clone(), act.action.clone());
        let kind = Kind { address, subject, action, code: code.into() };
        if let Some(known) = self.kinds.get_mut(&kind) {
            known.count += 1;
            return None;
        }
        let of_address = self.by_address.get(&kind.address).copied().unwrap_or_default();
        if self.kinds.len() >= ALL_KINDS_MAX {
            self.count(others(None, outcome, code), outcome);
        } else if of_address >= KINDS_MAX {
            self.count(others(kind.address, outcome, code), outcome);
        } else {
            *self.by_address.entry(kind.address.clone()).or_default() += 1;
            let counted = Counted { act: Arc::clone(act), outcome, count: 0 };
            self.kinds.insert(kind, counted);
            let code = Some(code.into());
            return Some(Audited { outcome, code, ..Audited::done(Arc::clone(act), now) });
        }
        None
    }

    /// Counts one of those that are told together.
    fn count(&mut self, (kind, act): (Kind, Act), outcome: Outcome) {
        let counted = || Counted { act: Arc::new(act), outcome, count: 0 };
        self.kinds.entry(kind).or_insert_with(counted).count += 1;
    }
}

/// The refusals of an address, or of all, that are told together.
fn others(address: Option<String>, outcome: Outcome, code: &str) -> (Kind, Act) {
    const ACTION: &str = "others";
    let actor =
        Actor { subject: "several".into(), authentication: "none".into(), ..Actor::default() };
    let act = Act { actor, address, action: ACTION.into(), ..Act::default() };
    let kind = Kind {
        address: act.address.clone(),
        subject: format!("{outcome:?}"),
        action: ACTION.into(),
        code: code.into(),
    };
    (kind, act)
}

#[cfg(test)]
mod tests;
