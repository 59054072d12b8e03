//! Who may have an instance, and memory: permits that are fair between plugins.
//!
//! A plugin may have at most a share of both. It may also have no more than is left: the more
//! a few plugins take, the less each of them gets, so that one that has nothing finds something,
//! even if the calls of the others only sleep. What is given back goes to the plugin that has
//! least.
//!
//! Where there is more than one tenant, the same holds for them: what is given back goes to the tenant that
//! has least, and there to the plugin that has least.

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
    /// The plugins of this tenant have their share.
    #[error("the plugins of the tenant have their share of the guests' memory")]
    Tenant,
}

/// Hands out permits to the plugins of a tenant; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Admission {
    office: Arc<Mutex<Office>>,
    tenant: Tenant,
}

/// The place of a tenant in [`Office::tenants`].
type Tenant = usize;

/// A plugin of a tenant.
type Whose = (Tenant, PluginId);

#[derive(Debug)]
struct Office {
    capacity: Capacity,
    left: Held,
    /// The plugins that hold something or wait.
    plugins: BTreeMap<Whose, Customer>,
    tenants: Vec<Share>,
    /// How many calls wait, of all plugins.
    waiting: usize,
}

/// What is held or left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Held {
    instances: usize,
    bytes: usize,
}

/// What the plugins of a tenant hold, and may hold.
#[derive(Debug)]
struct Share {
    percent: usize,
    held: Held,
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
    whose: Whose,
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
    /// For a first tenant, with a share that counts once there is another.
    pub(crate) fn new(capacity: Capacity, share_percent: usize) -> Self {
        let left = Held { instances: capacity.instances, bytes: capacity.bytes };
        let tenants = vec![Share::new(share_percent)];
        let office = Office { capacity, left, plugins: BTreeMap::new(), tenants, waiting: 0 };
        Self { office: Arc::new(Mutex::new(office)), tenant: 0 }
    }

    /// For another tenant.
    pub(crate) fn for_tenant(&self, share_percent: usize) -> Self {
        let mut office = self.lock();
        office.tenants.push(Share::new(share_percent));
        let tenant = office.tenants.len() - 1;
        Self { office: Arc::clone(&self.office), tenant }
    }

    /// The number of this tenant.
    pub(crate) fn tenant(&self) -> Tenant {
        self.tenant
    }

    /// Waits for an instance and this much memory.
    pub(crate) async fn admit(&self, plugin: &PluginId, bytes: usize) -> Permit {
        // Dropped last, when the receiver is gone.
        let _leave;
        let receiver = {
            let mut office = self.lock();
            let whose = (self.tenant, plugin.clone());
            let has_waiting =
                office.plugins.get(&whose).is_some_and(|customer| !customer.waiting.is_empty());
            if !has_waiting && !office.is_full(&whose, bytes) {
                return self.issue(&mut office, whose, bytes);
            }
            let (sender, receiver) = oneshot::channel();
            let customer = office.plugins.entry(whose).or_default();
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
        self.lock().lacks(&(self.tenant, plugin.clone()), bytes)
    }

    /// The capacity, with the share that one plugin of this tenant may have.
    pub(crate) fn capacity(&self) -> Capacity {
        let office = self.lock();
        let share_percent = office.capacity.share_percent.min(office.percent(self.tenant));
        Capacity { share_percent, ..office.capacity }
    }

    /// The instances that calls have now.
    pub(crate) fn instances(&self) -> usize {
        let office = self.lock();
        office.capacity.instances.saturating_sub(office.left.instances)
    }

    fn issue(&self, office: &mut Office, whose: Whose, bytes: usize) -> Permit {
        let held = Held { instances: 1, bytes };
        office.take(&whose, held);
        let admission = Self { office: Arc::clone(&self.office), tenant: whose.0 };
        Permit { admission, whose, held, prepaid: 0, grown: 0, usual: Usual::new(0) }
    }

    /// Gives what is left to the calls that wait: the tenant with least first, and of it the plugin
    /// with least.
    fn serve(&self, office: &mut Office) {
        while office.waiting > 0 {
            let Some(whose) = office.next() else { return };
            let Some(waiting) = office.call(&whose) else { return };
            let permit = self.issue(office, whose, waiting.bytes);
            if let Err(mut permit) = waiting.permit.send(permit) {
                // The call gave up. The lock is held, so the permit must not give back by itself.
                let held = std::mem::take(&mut permit.held);
                office.give_back(&permit.whose, held);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Office> {
        // Every change leaves the books consistent, so a poisoned lock is still good.
        self.office.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Capacity {
    /// How many instances one plugin may have.
    pub(crate) fn instances_share(self) -> usize {
        share(self.instances, self.share_percent)
    }

    /// How much memory one plugin may have.
    pub(crate) fn bytes_share(self) -> usize {
        share(self.bytes, self.share_percent)
    }
}

/// A part of something, and at least one.
fn share(of: usize, percent: usize) -> usize {
    // Divided first: bytes times a hundred may be more than a number holds.
    (of / 100 * percent + of % 100 * percent / 100).max(1)
}

impl Share {
    fn new(percent: usize) -> Self {
        Self { percent, held: Held::default() }
    }
}

impl Office {
    fn held(&self, whose: &Whose) -> Held {
        self.plugins.get(whose).map(|customer| customer.held).unwrap_or_default()
    }

    /// What the plugins of a tenant hold; nothing that counts where it is alone.
    fn held_by_tenant(&self, tenant: Tenant) -> Held {
        let is_alone = self.tenants.len() == 1;
        self.tenants.get(tenant).filter(|_| !is_alone).map(|share| share.held).unwrap_or_default()
    }

    /// The percentage that the plugins of a tenant may have together.
    fn percent(&self, tenant: Tenant) -> usize {
        let is_alone = self.tenants.len() == 1;
        self.tenants.get(tenant).filter(|_| !is_alone).map_or(100, |share| share.percent)
    }

    /// Whether another call of a plugin must wait.
    fn is_full(&self, whose: &Whose, bytes: usize) -> bool {
        let left = self.left.instances;
        let tenant = self.held_by_tenant(whose.0).instances;
        self.held(whose).instances >= self.capacity.instances_share().min(left)
            || tenant >= share(self.capacity.instances, self.percent(whose.0)).min(left)
            || self.lacks(whose, bytes).is_some()
    }

    /// Why a plugin cannot have this much more memory.
    fn lacks(&self, whose: &Whose, bytes: usize) -> Option<Short> {
        let after = self.held(whose).bytes.saturating_add(bytes);
        if after > self.capacity.bytes_share() {
            return Some(Short::Share);
        }
        let tenant = self.held_by_tenant(whose.0).bytes.saturating_add(bytes);
        if tenant > share(self.capacity.bytes, self.percent(whose.0)) {
            return Some(Short::Tenant);
        }
        let most = after.max(tenant);
        let is_short = self.left.bytes.checked_sub(bytes).is_none_or(|left| most > left);
        is_short.then_some(Short::Budget)
    }

    /// Forgets the calls that gave up.
    fn sweep(&mut self) {
        for customer in self.plugins.values_mut() {
            customer.waiting.retain(|waiting| !waiting.permit.is_closed());
        }
        let is_there = |_: &Whose, customer: &mut Customer| {
            customer.held != Held::default() || !customer.waiting.is_empty()
        };
        self.plugins.retain(is_there);
        self.waiting = self.plugins.values().map(|customer| customer.waiting.len()).sum();
    }

    /// Of the plugins that wait and may have something, the one that has least, of the tenant that has least.
    fn next(&self) -> Option<Whose> {
        let may = |(whose, customer): &(&Whose, &Customer)| {
            customer.waiting.front().is_some_and(|first| !self.is_full(whose, first.bytes))
        };
        let waiting = self.plugins.iter().filter(may);
        let least = waiting
            .map(|(whose, customer)| (self.held_by_tenant(whose.0), customer.held, whose))
            .min();
        least.map(|(_, _, whose)| whose.clone())
    }

    fn call(&mut self, whose: &Whose) -> Option<Waiting> {
        let waiting = self.plugins.get_mut(whose)?.waiting.pop_front()?;
        self.waiting -= 1;
        Some(waiting)
    }

    fn take(&mut self, whose: &Whose, more: Held) {
        let customer = self.plugins.entry(whose.clone()).or_default();
        customer.held.take(more);
        if let Some(tenant) = self.tenants.get_mut(whose.0) {
            tenant.held.take(more);
        }
        self.left.give(more);
    }

    fn give_back(&mut self, whose: &Whose, held: Held) {
        self.left.take(held);
        if let Some(tenant) = self.tenants.get_mut(whose.0) {
            tenant.held.give(held);
        }
        let Some(customer) = self.plugins.get_mut(whose) else { return };
        customer.held.give(held);
        if customer.held == Held::default() && customer.waiting.is_empty() {
            self.plugins.remove(whose);
        }
    }
}

impl Held {
    fn take(&mut self, more: Self) {
        self.instances += more.instances;
        self.bytes += more.bytes;
    }

    fn give(&mut self, less: Self) {
        self.instances -= less.instances;
        self.bytes -= less.bytes;
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
            if let Some(short) = office.lacks(&self.whose, more) {
                return Err(short);
            }
            office.take(&self.whose, Held { instances: 0, bytes: more });
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
        office.give_back(&self.whose, self.held);
        self.admission.serve(&mut office);
    }
}

#[cfg(test)]
mod tests;
