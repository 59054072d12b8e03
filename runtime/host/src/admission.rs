//! Who may have an instance, and memory: permits that are fair between plugins.
//!
//! A plugin may have at most a share of both. It may also have no more than is left: the more
//! a few plugins take, the less each of them gets, so that one that has nothing finds something,
//! even if the calls of the others only sleep. What is given back goes to the plugin that has
//! least.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use model::PluginId;
use tokio::sync::oneshot;

/// How much there is for all guests, and for each plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Capacity {
    /// Instances at one time.
    pub(crate) instances: usize,
    /// Bytes of memory.
    pub(crate) bytes: usize,
    /// The share of both that one plugin may have, in percent.
    pub(crate) share_percent: usize,
}

/// What the budget of memory lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Short {
    /// All guests together have too much.
    #[error("the guests have too little memory together")]
    Budget,
    /// This plugin has its share.
    #[error("the plugin has its share of the guests' memory")]
    Share,
}

/// Hands out permits; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Admission(Arc<Mutex<Office>>);

#[derive(Debug)]
struct Office {
    capacity: Capacity,
    left: Held,
    /// The plugins that hold something or wait.
    plugins: BTreeMap<PluginId, Customer>,
    /// How many calls wait, of all plugins.
    waiting: usize,
}

/// What is held or left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Held {
    instances: usize,
    bytes: usize,
}

#[derive(Debug, Default)]
struct Customer {
    held: Held,
    waiting: VecDeque<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    bytes: usize,
    permit: oneshot::Sender<Permit>,
}

/// One instance and some memory; given back when dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    admission: Admission,
    plugin: PluginId,
    held: Held,
    /// What was admitted for growth and not used yet.
    prepaid: usize,
    grown: usize,
    usual: Usual,
}

/// How much memory a call of a plugin takes. It is admitted with the call, so that a call waits before
/// it begins rather than failing halfway. The most that any call took counts.
#[derive(Clone, Debug)]
pub(crate) struct Usual(Arc<AtomicUsize>);

impl Usual {
    /// Nothing is known yet.
    pub(crate) fn new(bytes: usize) -> Self {
        Self(Arc::new(AtomicUsize::new(bytes)))
    }

    pub(crate) fn bytes(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    fn learn(&self, bytes: usize) {
        self.0.fetch_max(bytes, Ordering::Relaxed);
    }
}

impl Admission {
    pub(crate) fn new(capacity: Capacity) -> Self {
        let left = Held { instances: capacity.instances, bytes: capacity.bytes };
        let office = Office { capacity, left, plugins: BTreeMap::new(), waiting: 0 };
        Self(Arc::new(Mutex::new(office)))
    }

    /// Waits for an instance and this much memory.
    pub(crate) async fn admit(&self, plugin: &PluginId, bytes: usize) -> Permit {
        // Dropped last, when the receiver is gone.
        let _leave;
        let receiver = {
            let mut office = self.lock();
            let has_waiting =
                office.plugins.get(plugin).is_some_and(|customer| !customer.waiting.is_empty());
            if !has_waiting && !office.is_full(plugin, bytes) {
                return self.issue(&mut office, plugin, bytes);
            }
            let (sender, receiver) = oneshot::channel();
            let customer = office.plugins.entry(plugin.clone()).or_default();
            customer.waiting.push_back(Waiting { bytes, permit: sender });
            office.waiting += 1;
            _leave = Leave(self);
            receiver
        };
        match receiver.await {
            Ok(permit) => permit,
            // The office lives as long as this handle, and keeps all that wait.
            Err(_gone) => std::future::pending().await,
        }
    }

    /// Why a call of this plugin would have to wait for memory now, if it would.
    pub(crate) fn short(&self, plugin: &PluginId, bytes: usize) -> Option<Short> {
        self.lock().lacks(plugin, bytes)
    }

    pub(crate) fn capacity(&self) -> Capacity {
        self.lock().capacity
    }

    /// The instances that calls have now.
    pub(crate) fn instances(&self) -> usize {
        let office = self.lock();
        office.capacity.instances.saturating_sub(office.left.instances)
    }

    fn issue(&self, office: &mut Office, plugin: &PluginId, bytes: usize) -> Permit {
        let held = Held { instances: 1, bytes };
        office.take(plugin, held);
        let (admission, plugin, usual) = (self.clone(), plugin.clone(), Usual::new(0));
        Permit { admission, plugin, held, prepaid: 0, grown: 0, usual }
    }

    /// Gives what is left to the calls that wait, the plugin with least first.
    fn serve(&self, office: &mut Office) {
        while office.waiting > 0 {
            let Some(plugin) = office.next() else { return };
            let Some(waiting) = office.call(&plugin) else { return };
            let permit = self.issue(office, &plugin, waiting.bytes);
            if let Err(mut permit) = waiting.permit.send(permit) {
                // The call gave up. The lock is held, so the permit must not give back by itself.
                office.give_back(&plugin, std::mem::take(&mut permit.held));
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Office> {
        // Every change leaves the books consistent, so a poisoned lock is still good.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Capacity {
    fn share(self, of: usize) -> usize {
        // Divided first: bytes times a hundred may be more than a number holds.
        (of / 100 * self.share_percent + of % 100 * self.share_percent / 100).max(1)
    }

    /// How many instances one plugin may have.
    pub(crate) fn instances_share(self) -> usize {
        self.share(self.instances)
    }

    /// How much memory one plugin may have.
    pub(crate) fn bytes_share(self) -> usize {
        self.share(self.bytes)
    }
}

impl Office {
    fn held(&self, plugin: &PluginId) -> Held {
        self.plugins.get(plugin).map(|customer| customer.held).unwrap_or_default()
    }

    /// Whether another call of a plugin must wait.
    fn is_full(&self, plugin: &PluginId, bytes: usize) -> bool {
        let held = self.held(plugin).instances;
        held >= self.capacity.instances_share().min(self.left.instances)
            || self.lacks(plugin, bytes).is_some()
    }

    /// Why a plugin cannot have this much more memory.
    fn lacks(&self, plugin: &PluginId, bytes: usize) -> Option<Short> {
        let after = self.held(plugin).bytes.saturating_add(bytes);
        if after > self.capacity.bytes_share() {
            return Some(Short::Share);
        }
        let is_short = self.left.bytes.checked_sub(bytes).is_none_or(|left| after > left);
        is_short.then_some(Short::Budget)
    }

    /// Forgets the calls that gave up.
    fn sweep(&mut self) {
        for customer in self.plugins.values_mut() {
            customer.waiting.retain(|waiting| !waiting.permit.is_closed());
        }
        let is_there = |_: &PluginId, customer: &mut Customer| {
            customer.held != Held::default() || !customer.waiting.is_empty()
        };
        self.plugins.retain(is_there);
        self.waiting = self.plugins.values().map(|customer| customer.waiting.len()).sum();
    }

    /// Of the plugins that wait and may have something, the one that has least.
    fn next(&self) -> Option<PluginId> {
        let may = |(plugin, customer): &(&PluginId, &Customer)| {
            customer.waiting.front().is_some_and(|first| !self.is_full(plugin, first.bytes))
        };
        let waiting = self.plugins.iter().filter(may);
        let least = waiting.map(|(plugin, customer)| (customer.held, plugin)).min();
        least.map(|(_, plugin)| plugin.clone())
    }

    fn call(&mut self, plugin: &PluginId) -> Option<Waiting> {
        let waiting = self.plugins.get_mut(plugin)?.waiting.pop_front()?;
        self.waiting -= 1;
        Some(waiting)
    }

    fn take(&mut self, plugin: &PluginId, more: Held) {
        let customer = self.plugins.entry(plugin.clone()).or_default();
        customer.held.instances += more.instances;
        customer.held.bytes += more.bytes;
        self.left.instances -= more.instances;
        self.left.bytes -= more.bytes;
    }

    fn give_back(&mut self, plugin: &PluginId, held: Held) {
        self.left.instances += held.instances;
        self.left.bytes += held.bytes;
        let Some(customer) = self.plugins.get_mut(plugin) else { return };
        customer.held.instances -= held.instances;
        customer.held.bytes -= held.bytes;
        if customer.held == Held::default() && customer.waiting.is_empty() {
            self.plugins.remove(plugin);
        }
    }
}

impl Permit {
    /// Notes how much of what was admitted is for growth, and who learns how much was used.
    pub(crate) fn prepay(&mut self, bytes: usize, usual: Usual) {
        self.prepaid = bytes;
        self.usual = usual;
    }

    /// Takes more memory, if the budget has it. It does not wait: what waits for memory while it
    /// has some can wait for itself.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), Short> {
        let (covered, more) = (bytes.min(self.prepaid), bytes.saturating_sub(self.prepaid));
        if more > 0 {
            let mut office = self.admission.lock();
            if let Some(short) = office.lacks(&self.plugin, more) {
                return Err(short);
            }
            office.take(&self.plugin, Held { instances: 0, bytes: more });
        }
        self.held.bytes += more;
        self.prepaid -= covered;
        self.grown += bytes;
        Ok(())
    }
}

/// A call that waits no more.
struct Leave<'a>(&'a Admission);

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        let mut office = self.0.lock();
        if office.waiting > 0 {
            office.sweep();
            self.0.serve(&mut office);
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if self.held == Held::default() {
            return;
        }
        self.usual.learn(self.grown);
        let mut office = self.admission.lock();
        office.give_back(&self.plugin, self.held);
        self.admission.serve(&mut office);
    }
}

#[cfg(test)]
mod tests;
