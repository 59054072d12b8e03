//! What a plan claims while its fulfilment is open.

use super::{Action, Item, Plan, Provenance};
use crate::id::InstanceId;

/// The document that names the instance that serves a customer, by its scope's name.
pub const SERVING: &str = "serving";

/// That a plan is about an instance that exists or that its client named, or about work that stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The instance as [`InstanceId`] has it, or the key of work.
    pub name: String,
    /// What others may do meanwhile.
    pub mode: ClaimMode,
}

/// What others may do with an instance that a plan is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClaimMode {
    /// They may use it too.
    Shared,
    /// Nothing.
    Exclusive,
}

impl Claim {
    fn exclusive(name: &str) -> Self {
        Self { name: name.into(), mode: ClaimMode::Exclusive }
    }

    /// Whether it is about who serves a customer.
    pub fn is_serving(&self) -> bool {
        self.name.split_once('/').is_some_and(|(resource, _)| resource == SERVING)
    }
}

impl Plan {
    /// The existing instances that it is about, and the keys of the work that stands for them. No two
    /// open fulfilments may be about the same, unless neither changes it.
    pub fn claims(&self) -> impl Iterator<Item = Claim> + '_ {
        let serving = self.items.iter().filter(|item| item.action != Action::NoChange);
        let serving = serving.filter_map(|item| item.serves.as_ref());
        let serving = serving.map(|name| Claim::exclusive(InstanceId::of(SERVING, name).as_str()));
        let named = self.items.iter().filter_map(|item| Some((item, item.instance.as_ref()?)));
        let named = named.map(|(item, id)| Claim {
            name: InstanceId::of(item.level.inventory(), id).as_str().into(),
            mode: item.claim_mode(),
        });
        let kept = self.items.iter().filter_map(|item| Some((item, item.origin.as_ref()?)));
        let kept = kept.flat_map(|(item, origin)| {
            origin
                .made
                .iter()
                .map(move |made| Claim { name: made.key.clone(), mode: item.claim_mode() })
        });
        let changed = self.tasks.iter().filter_map(|task| task.work.before());
        let changed = changed.map(|made| Claim::exclusive(&made.key));
        serving.chain(named).chain(kept).chain(changed)
    }
}

impl Item {
    fn claim_mode(&self) -> ClaimMode {
        let is_touched =
            |origin: &Provenance| !origin.dropped.is_empty() || origin.wanted.is_some();
        let drops = self.origin.as_deref().is_some_and(is_touched);
        match self.action {
            Action::NoChange if !drops => ClaimMode::Shared,
            Action::Add | Action::Modify | Action::Delete | Action::NoChange => {
                ClaimMode::Exclusive
            }
        }
    }
}
