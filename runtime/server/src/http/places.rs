//! Places that the requests of all tenants share: as many as there are for a tenant that is alone.
//! Beside others it may have at most its share, and no more than is left; what is given back goes to the
//! tenant that has least. So one that has none finds some, whatever the others do.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// Places for the requests of a tenant; cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Places {
    office: Arc<Mutex<Office>>,
    tenant: usize,
}

#[derive(Debug)]
struct Office {
    total: usize,
    left: usize,
    tenants: Vec<Tenant>,
}

#[derive(Debug)]
struct Tenant {
    share_percent: usize,
    held: usize,
    waiting: VecDeque<oneshot::Sender<Place>>,
}

/// Some places; given back when dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Places,
    count: usize,
}

impl Places {
    /// Places for a first tenant, whose share counts once there is another.
    pub(super) fn new(total: usize, share_percent: u32) -> Self {
        let tenants = vec![Tenant::new(share_percent)];
        let office = Office { total, left: total, tenants };
        Self { office: Arc::new(Mutex::new(office)), tenant: 0 }
    }

    /// The same places for another tenant.
    pub(super) fn for_tenant(&self, share_percent: u32) -> Self {
        let mut office = self.lock();
        office.tenants.push(Tenant::new(share_percent));
        let tenant = office.tenants.len() - 1;
        Self { office: Arc::clone(&self.office), tenant }
    }

    /// Places, if there are as many now.
    pub(super) fn try_take(&self, count: usize) -> Option<Place> {
        let mut office = self.lock();
        office.may_have(self.tenant, count).then(|| self.issue(&mut office, count))
    }

    /// Waits for a place.
    pub(super) async fn take(&self) -> Place {
        // Dropped last, when the receiver is gone.
        let _leave;
        let receiver = {
            let mut office = self.lock();
            if office.tenants[self.tenant].waiting.is_empty() && office.may_have(self.tenant, 1) {
                return self.issue(&mut office, 1);
            }
            let (sender, receiver) = oneshot::channel();
            office.tenants[self.tenant].waiting.push_back(sender);
            _leave = Leave(self);
            receiver
        };
        match receiver.await {
            Ok(place) => place,
            // The office lives as long as this handle, and keeps all that wait.
            Err(_gone) => std::future::pending().await,
        }
    }

    fn issue(&self, office: &mut Office, count: usize) -> Place {
        office.left -= count;
        office.tenants[self.tenant].held += count;
        Place { places: self.clone(), count }
    }

    /// Gives what is left to the requests that wait.
    fn serve(&self, office: &mut Office) {
        while let Some(tenant) = office.next() {
            let Some(waiting) = office.tenants[tenant].waiting.pop_front() else { return };
            let places = Self { office: Arc::clone(&self.office), tenant };
            if let Err(mut place) = waiting.send(places.issue(office, 1)) {
                // The request is gone. The lock is held, so the place must not give back by itself.
                office.give_back(tenant, std::mem::take(&mut place.count));
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Office> {
        // Every change leaves the books consistent, so a poisoned lock is still good.
        self.office.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tenant {
    fn new(share_percent: u32) -> Self {
        Self { share_percent: share_percent as usize, held: 0, waiting: VecDeque::new() }
    }
}

impl Office {
    /// Whether a tenant may have this many more.
    fn may_have(&self, tenant: usize, count: usize) -> bool {
        if self.tenants.len() == 1 {
            return count <= self.left;
        }
        let Tenant { share_percent, held, .. } = self.tenants[tenant];
        let share = (self.total * share_percent / 100).max(1);
        held + count <= share.min(self.left)
    }

    /// Of the tenants that wait and may have a place, the one that has least.
    fn next(&self) -> Option<usize> {
        let all = self.tenants.iter().enumerate();
        let may =
            |(tenant, of): &(usize, &Tenant)| !of.waiting.is_empty() && self.may_have(*tenant, 1);
        all.filter(may).min_by_key(|(_, of)| of.held).map(|(tenant, _)| tenant)
    }

    fn give_back(&mut self, tenant: usize, count: usize) {
        self.left += count;
        self.tenants[tenant].held -= count;
    }
}

impl Place {
    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Adds others of the same tenant.
    pub(super) fn merge(&mut self, mut more: Self) {
        self.count += std::mem::take(&mut more.count);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.count == 0 {
            return;
        }
        let mut office = self.places.lock();
        office.give_back(self.places.tenant, self.count);
        self.places.serve(&mut office);
    }
}

/// A request that waits no more.
struct Leave<'a>(&'a Places);

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        let mut office = self.0.lock();
        office.tenants[self.0.tenant].waiting.retain(|waiting| !waiting.is_closed());
        self.0.serve(&mut office);
    }
}

#[cfg(test)]
mod tests;
