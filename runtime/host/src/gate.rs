//! Gates: how many requests a target takes at one time, and how many a second. A gate outlives the grants
//! of a plugin, so that other grants do not begin it anew.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use model::PluginId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::grants::Target;
use crate::rate::{Bucket, Rate, Throttle};

/// A gate.
#[derive(Debug)]
pub(crate) struct Gate {
    throttle: Throttle,
    slots: Option<Arc<Semaphore>>,
    bucket: Mutex<Bucket>,
    began: Instant,
}

/// A request that passed; the next one may when it is dropped.
#[derive(Debug, Default)]
pub(crate) struct Pass {
    _slot: Option<OwnedSemaphorePermit>,
}

/// There was no place in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shut {
    /// The setting that shut it.
    pub(crate) setting: &'static str,
    /// When it is worth trying again.
    pub(crate) retry_after: Duration,
}

/// When to try again if all places are taken: for how long is not known.
const TAKEN_RETRY: Duration = Duration::from_secs(1);

/// A plugin, and the target if the gate is not that of its calls.
type Owner = (PluginId, Option<Target>);

/// All gates.
#[derive(Debug, Default)]
pub(crate) struct Gates {
    /// Those of one plugin: of a target, or of its calls.
    owned: Mutex<BTreeMap<Owner, Arc<Gate>>>,
    /// Those that all plugins share.
    common: RwLock<BTreeMap<Target, Arc<Gate>>>,
}

impl Gate {
    fn new(throttle: Throttle) -> Self {
        let slots = throttle.concurrency.map(|most| Arc::new(Semaphore::new(most.get() as usize)));
        Self { throttle, slots, bucket: Mutex::default(), began: Instant::now() }
    }

    /// Passes when there is a place, or not at all if there is none until then.
    pub(crate) async fn pass(&self, until: Instant) -> Result<Pass, Shut> {
        let slot = match &self.slots {
            None => None,
            Some(slots) => {
                let free = Arc::clone(slots).acquire_owned();
                match tokio::time::timeout_at(until, free).await {
                    Ok(slot) => slot.ok(),
                    Err(_elapsed) => {
                        return Err(Shut { setting: "concurrency", retry_after: TAKEN_RETRY });
                    }
                }
            }
        };
        if let Some(rate) = self.throttle.per_second {
            let now = Instant::now();
            let wait = self.turn(rate, now, until).map_err(|wait| Shut {
                setting: "per-second",
                retry_after: Duration::from_nanos(wait),
            })?;
            if wait > 0 {
                tokio::time::sleep_until(now + Duration::from_nanos(wait)).await;
            }
        }
        Ok(Pass { _slot: slot })
    }

    fn turn(&self, rate: Rate, now: Instant, until: Instant) -> Result<u64, u64> {
        let ns = |duration: Duration| u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        let at_once = self.throttle.burst.map_or(1, NonZeroU32::get);
        let patience = ns(until.saturating_duration_since(now));
        let since = ns(now.saturating_duration_since(self.began)).saturating_add(HEAD_START_NS);
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        bucket.take(rate, at_once, since, patience)
    }
}

/// A gate begins as if it had been unused for this long: its first burst is whole.
const HEAD_START_NS: u64 = 1 << 60;

impl Gates {
    /// The gate of a plugin's requests to a target, or of its calls, if it has one. It is the one that was
    /// there unless it lets something else pass.
    pub(crate) fn of(
        &self,
        plugin: &PluginId,
        target: Option<&Target>,
        throttle: Throttle,
    ) -> Option<Arc<Gate>> {
        let mut owned = self.owned.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (plugin.clone(), target.cloned());
        if throttle.is_open() {
            owned.remove(&key);
            return None;
        }
        let gate = owned.get(&key).filter(|gate| gate.throttle == throttle).cloned();
        let gate = gate.unwrap_or_else(|| Arc::new(Gate::new(throttle)));
        owned.insert(key, Arc::clone(&gate));
        Some(gate)
    }

    /// The gate of a target that all plugins share.
    pub(crate) fn common(&self, target: &Target) -> Option<Arc<Gate>> {
        self.common.read().unwrap_or_else(PoisonError::into_inner).get(target).cloned()
    }

    /// Sets what all plugins share; a gate that lets the same pass stays.
    pub(crate) fn share(&self, targets: BTreeMap<Target, Throttle>) {
        let mut common = self.common.write().unwrap_or_else(PoisonError::into_inner);
        common.retain(|target, gate| targets.get(target) == Some(&gate.throttle));
        for (target, throttle) in targets {
            common.entry(target).or_insert_with(|| Arc::new(Gate::new(throttle)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn throttle(text: &str) -> Throttle {
        toml::from_str(text).unwrap()
    }

    fn within(ms: u64) -> Instant {
        Instant::now() + Duration::from_millis(ms)
    }

    #[tokio::test]
    async fn a_place_is_free_when_the_request_before_has_ended() {
        let gate = Gate::new(throttle("concurrency = 2"));
        let (one, _two) = (gate.pass(within(10)).await.unwrap(), gate.pass(within(10)).await);
        let shut = gate.pass(within(10)).await.unwrap_err();
        assert_eq!((shut.setting, shut.retry_after), ("concurrency", TAKEN_RETRY));
        drop(one);
        assert!(gate.pass(within(10)).await.is_ok());
    }

    #[tokio::test]
    async fn a_place_by_rate_is_waited_for_no_longer_than_there_is_time() {
        let gate = Gate::new(throttle("per-second = 20"));
        let began = Instant::now();
        for _ in 0..2 {
            assert!(gate.pass(within(60_000)).await.is_ok());
        }
        assert!(began.elapsed() >= Duration::from_millis(50), "{:?}", began.elapsed());
        let gate = Gate::new(throttle("per-second = 0.01\nburst = 2"));
        for _ in 0..2 {
            assert!(gate.pass(within(0)).await.is_ok());
        }
        let shut = gate.pass(within(50)).await.unwrap_err();
        assert_eq!((shut.setting, shut.retry_after.as_secs()), ("per-second", 99));
    }

    #[test]
    fn a_gate_stays_until_it_is_set_otherwise() {
        let (gates, target): (_, Target) = (Gates::default(), "x:1".parse().unwrap());
        let plugin = PluginId::new("p");
        let of = |text: &str| gates.of(&plugin, Some(&target), throttle(text));
        let first = of("concurrency = 1").unwrap();
        assert!(Arc::ptr_eq(&first, &of("concurrency = 1").unwrap()));
        assert!(!Arc::ptr_eq(&first, &of("concurrency = 2").unwrap()));
        assert!(of("").is_none());
        let common = |text: &str| {
            gates.share([("x:1".parse().unwrap(), throttle(text))].into());
            gates.common(&target).unwrap()
        };
        let first = common("per-second = 1");
        assert!(Arc::ptr_eq(&first, &common("per-second = 1")));
        assert!(!Arc::ptr_eq(&first, &common("per-second = 2")));
    }
}
