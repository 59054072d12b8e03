//! What a version of a plugin used of its grants, and what it was denied: for an operator who wants to narrow
//! its grants. It is counted in memory since the version was loaded, without a lock, and bounded by the grants.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use engine::clock::{Clock as _, System};
use serde::{Deserialize, Serialize};
use tmf::time::Timestamp;

use crate::grants::{GrantKey, Grants};
use crate::provenance::Moment;

/// The use of its grants by a version since it was loaded. The counts do not outlive the process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UsedCapabilities {
    /// When counting began.
    pub since: Moment,
    /// The rules by which requests went out; a request that several rules allow counts for one.
    pub http: Vec<Use>,
    /// The kinds of documents that were read.
    pub inventory: Vec<Use>,
    /// The pools, or patterns of them, that were reserved from.
    pub pools: Vec<Use>,
    /// The settings that were read.
    pub config: Vec<Use>,
    /// The secrets that were asked for.
    pub secrets: Vec<Use>,
    /// The lines that it logged.
    pub log: Count,
    /// What was denied, by the key that would grant it.
    pub denied: BTreeMap<GrantKey, Count>,
    /// Grants that it does not seem to need.
    pub hints: Vec<String>,
}

/// How often a grant was used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Use {
    /// The grant, as `ferrule.toml` has it.
    pub name: String,
    /// Since when it is granted, or counted.
    pub since: Moment,
    /// How often it was used since.
    #[serde(flatten)]
    pub count: Count,
}

/// A count with the time of the last one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Count {
    /// How often.
    pub count: u64,
    /// When last; `None` if never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Moment>,
}

/// Counts what one version uses; shared by its calls.
#[derive(Debug)]
pub(crate) struct Ledger {
    clock: Arc<System>,
    since: Timestamp,
    granted: [BTreeMap<String, Arc<Tally>>; GrantKey::ALL.len()],
    log: Arc<Tally>,
    denied: Arc<[Tally; GrantKey::ALL.len()]>,
}

#[derive(Debug)]
struct Tally {
    since: Timestamp,
    count: AtomicU64,
    /// Milliseconds since 1970; 0 if it was never used.
    last_ms: AtomicI64,
}

impl Ledger {
    /// Counts for these grants. Those that were there before go on.
    pub(crate) fn new(grants: &Grants, before: Option<&Self>, clock: &Arc<System>) -> Self {
        let now = clock.now();
        let granted = GrantKey::ALL.map(|key| {
            let known = before.map(|before| &before.granted[key as usize]);
            let tally = |name: String| {
                let known = known.and_then(|known| known.get(&name)).map(Arc::clone);
                (name, known.unwrap_or_else(|| Arc::new(Tally::new(now))))
            };
            grants.names(key).into_iter().map(tally).collect()
        });
        Self {
            clock: Arc::clone(clock),
            since: before.map_or(now, |before| before.since),
            granted,
            log: before.map_or_else(|| Arc::new(Tally::new(now)), |before| Arc::clone(&before.log)),
            denied: before.map_or_else(
                || Arc::new(GrantKey::ALL.map(|_| Tally::new(now))),
                |before| Arc::clone(&before.denied),
            ),
        }
    }

    /// Counts a use of a grant, by its name in `ferrule.toml`.
    pub(crate) fn used(&self, key: GrantKey, name: &str) {
        if let Some(tally) = self.granted[key as usize].get(name) {
            tally.add(1, self.clock.now());
        }
    }

    /// Counts something that was denied.
    pub(crate) fn denied(&self, key: GrantKey) {
        self.denied[key as usize].add(1, self.clock.now());
    }

    /// Counts lines of the log.
    pub(crate) fn logged(&self, lines: u32) {
        if lines > 0 {
            self.log.add(lines.into(), self.clock.now());
        }
    }

    /// The counts so far.
    pub(crate) fn shown(&self) -> UsedCapabilities {
        let of = |key: GrantKey| -> Vec<Use> {
            self.granted[key as usize].iter().map(|(name, tally)| tally.shown(name)).collect()
        };
        let denied = GrantKey::ALL.into_iter().map(|key| (key, self.denied[key as usize].count()));
        let mut used = UsedCapabilities {
            since: Moment(self.since),
            http: of(GrantKey::Http),
            inventory: of(GrantKey::Inventory),
            pools: of(GrantKey::Pools),
            config: of(GrantKey::Config),
            secrets: of(GrantKey::Secrets),
            log: self.log.count(),
            denied: denied.filter(|(_, count)| count.count > 0).collect(),
            hints: Vec::new(),
        };
        used.hints = used.unused();
        used
    }
}

impl UsedCapabilities {
    /// What was used of a key of the grants.
    pub fn of(&self, key: GrantKey) -> &[Use] {
        match key {
            GrantKey::Http => &self.http,
            GrantKey::Inventory => &self.inventory,
            GrantKey::Pools => &self.pools,
            GrantKey::Config => &self.config,
            GrantKey::Secrets => &self.secrets,
        }
    }

    /// A line for each grant that was never used.
    fn unused(&self) -> Vec<String> {
        let mut hints = Vec::new();
        for key in GrantKey::ALL {
            for Use { name, since, .. } in self.of(key).iter().filter(|one| one.count.count == 0) {
                let (key, since) = (key.name(), since.0);
                hints.push(format!("{key} `{name}` is granted but was never used since {since}"));
            }
        }
        hints
    }
}

impl Tally {
    fn new(since: Timestamp) -> Self {
        Self { since, count: AtomicU64::new(0), last_ms: AtomicI64::new(0) }
    }

    fn add(&self, count: u64, now: Timestamp) {
        self.count.fetch_add(count, Ordering::Relaxed);
        self.last_ms.store(now.0, Ordering::Relaxed);
    }

    fn count(&self) -> Count {
        let last = Some(self.last_ms.load(Ordering::Relaxed)).filter(|ms| *ms != 0);
        let last = last.map(|ms| Moment(Timestamp(ms)));
        Count { count: self.count.load(Ordering::Relaxed), last }
    }

    fn shown(&self, name: &str) -> Use {
        Use { name: name.into(), since: Moment(self.since), count: self.count() }
    }
}

#[cfg(test)]
mod tests;
