//! The locks of a plan on existing instances and prior work, while its fulfilment is open.

use super::{Action, Item, Plan, Provenance};
use crate::id::InstanceId;

/// The document that names the instance that serves a customer, by its scope's name.
pub const SERVING: &str = "serving";

/// A lock on an instance that exists or that the client named, or on prior work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock {
    /// The instance as [`InstanceId`] has it, or the key of the prior work.
    pub name: String,
    /// Whether others may use it too.
    pub mode: LockMode,
}

/// Whether a lock excludes all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockMode {
    /// Others may have a shared lock too.
    Shared,
    /// There is no other lock.
    Exclusive,
}

impl Lock {
    fn exclusive(name: &str) -> Self {
        Self { name: name.into(), mode: LockMode::Exclusive }
    }

    /// Whether it is about who serves a customer.
    pub fn is_serving(&self) -> bool {
        self.name.split_once('/').is_some_and(|(resource, _)| resource == SERVING)
    }
}

impl Plan {
    /// The locks on its existing instances and on the prior work for them. Two open fulfilments share
    /// one only if neither changes it.
    pub fn locks(&self) -> impl Iterator<Item = Lock> + '_ {
        let serving = self.items.iter().filter(|item| item.action != Action::NoChange);
        let serving = serving.filter_map(|item| item.serves.as_ref());
        let serving = serving.map(|name| Lock::exclusive(InstanceId::of(SERVING, name).as_str()));
        let named = self.items.iter().filter_map(|item| Some((item, item.instance.as_ref()?)));
        let named = named.map(|(item, id)| Lock {
            name: InstanceId::of(item.level.inventory(), id).as_str().into(),
            mode: item.lock_mode(),
        });
        let kept = self.items.iter().filter_map(|item| Some((item, item.origin.as_ref()?)));
        let kept = kept.flat_map(|(item, origin)| {
            origin
                .made
                .iter()
                .map(move |made| Lock { name: made.key.clone(), mode: item.lock_mode() })
        });
        let changed = self.tasks.iter().filter_map(|task| task.work.before());
        let changed = changed.map(|made| Lock::exclusive(&made.key));
        serving.chain(named).chain(kept).chain(changed)
    }
}

impl Item {
    fn lock_mode(&self) -> LockMode {
        let is_touched =
            |origin: &Provenance| !origin.dropped.is_empty() || origin.wanted.is_some();
        let drops = self.origin.as_deref().is_some_and(is_touched);
        match self.action {
            Action::NoChange if !drops => LockMode::Shared,
            Action::Add | Action::Modify | Action::Delete | Action::NoChange => LockMode::Exclusive,
        }
    }
}
