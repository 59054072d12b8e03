//! What a plugin has used of the prompt threads lately.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use model::PluginId;

/// How much a plugin that was quiet may use before it has to wait for its credit.
const CREDIT_MAX: Duration = Duration::from_millis(10);
/// How much it may owe.
const DEBT_MAX: Duration = Duration::from_secs(10);
/// Credit grows by one of these parts of the time that goes by.
const GROWTH: u32 = 2;
/// A turn up to this long costs what it took.
const SHORT: Duration = Duration::from_micros(250);
/// What a turn takes beyond that counts this much more: a neighbour waits for a long one.
const LONG_WEIGHT: u32 = 20;

/// Tells plugins and their tenants apart in queues.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Number {
    pub(crate) tenant: usize,
    pub(crate) plugin: u64,
}

/// That of all versions in shadow of a tenant.
const SHADOWS: u64 = u64::MAX;

/// One plugin, all of its versions together.
#[derive(Debug)]
pub(crate) struct Lane {
    pub(crate) number: Number,
    credit: Mutex<Credit>,
}

/// The lanes of all plugins of a tenant that were called.
#[derive(Debug)]
pub(crate) struct Lanes {
    tenant: usize,
    plugins: Mutex<BTreeMap<PluginId, Arc<Lane>>>,
    shadows: Arc<Lane>,
}

#[derive(Debug)]
struct Credit {
    /// Until when the plugin has to wait if it uses nothing; past times are credit.
    free: Instant,
}

impl Lanes {
    /// Those of a tenant.
    pub(crate) fn new(tenant: usize) -> Self {
        let shadows = Arc::new(Lane::new(Number { tenant, plugin: SHADOWS }));
        Self { tenant, plugins: Mutex::default(), shadows }
    }

    /// The lane of all versions in shadow, whose calls go to the background at once.
    pub(crate) fn shadows(&self) -> Arc<Lane> {
        Arc::clone(&self.shadows)
    }

    /// The lane of a plugin.
    pub(crate) fn of(&self, plugin: &PluginId) -> Arc<Lane> {
        let mut lanes = self.plugins.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lane) = lanes.get(plugin) {
            return Arc::clone(lane);
        }
        let lane = Arc::new(Lane::new(Number { tenant: self.tenant, plugin: lanes.len() as u64 }));
        lanes.insert(plugin.clone(), Arc::clone(&lane));
        lane
    }
}

impl Lane {
    fn new(number: Number) -> Self {
        let now = Instant::now();
        let credit = Credit { free: now.checked_sub(CREDIT_MAX * GROWTH).unwrap_or(now) };
        Self { number, credit: Mutex::new(credit) }
    }

    /// Whether the plugin has used more than its credit. That of versions in shadow has none.
    pub(crate) fn is_overdrawn(&self, now: Instant) -> bool {
        self.number.plugin == SHADOWS
            || self.credit.lock().unwrap_or_else(PoisonError::into_inner).free > now
    }

    /// Takes a turn on a prompt thread from the credit.
    pub(crate) fn charge(&self, now: Instant, ran: Duration) {
        let cost = ran + ran.saturating_sub(SHORT) * LONG_WEIGHT;
        let mut credit = self.credit.lock().unwrap_or_else(PoisonError::into_inner);
        let oldest = now.checked_sub(CREDIT_MAX * GROWTH).unwrap_or(now);
        let free = credit.free.max(oldest) + cost * GROWTH;
        credit.free = free.min(now + DEBT_MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_turns_use_up_the_credit_when_they_follow_each_other() {
        let lane = Lane::new(Number { tenant: 0, plugin: 1 });
        let (began, turn) = (Instant::now(), Duration::from_micros(100));
        // Half of the time: it goes on like this for ever.
        for n in 0..1_000 {
            let now = began + turn * 2 * n;
            assert!(!lane.is_overdrawn(now), "{n}");
            lane.charge(now, turn);
        }
        // All of the time: the credit ends.
        let now = began + turn * 2_000;
        (0..1_000).for_each(|n| lane.charge(now + turn * n, turn));
        assert!(lane.is_overdrawn(now + turn * 1_000));
        assert!(!lane.is_overdrawn(now + turn * 3_000));
    }

    #[test]
    fn a_long_turn_is_paid_for_long() {
        let lane = Lane::new(Number { tenant: 0, plugin: 1 });
        let now = Instant::now();
        lane.charge(now, Duration::from_millis(2));
        assert!(lane.is_overdrawn(now + Duration::from_millis(40)));
        assert!(!lane.is_overdrawn(now + Duration::from_millis(80)));
        lane.charge(now, Duration::from_secs(3_600));
        assert!(!lane.is_overdrawn(now + DEBT_MAX));
    }

    #[test]
    fn versions_in_shadow_have_no_credit() {
        let now = Instant::now() + DEBT_MAX * 2;
        assert!(Lanes::new(0).shadows().is_overdrawn(now));
    }

    #[test]
    fn a_plugin_has_one_lane() {
        let lanes = Lanes::new(0);
        let (a, b) = (PluginId::new("a"), PluginId::new("b"));
        assert!(Arc::ptr_eq(&lanes.of(&a), &lanes.of(&a)));
        assert_ne!(lanes.of(&a).number, lanes.of(&b).number);
    }
}
