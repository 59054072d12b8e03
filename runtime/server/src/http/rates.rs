//! Limits of the rate of requests, by the identity that makes them and by the address that they come from, and of
//! attempts to prove an identity that fail. Each is a rate with a burst, by the generic cell rate algorithm: of a client
//! only the time is kept at which its burst is whole again.

mod accounts;

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use accounts::Accounts;

use super::network::Network;
use crate::access::Identity;
use crate::config::{Rate, RateLimits};

/// Max clients of one limit that are told apart. Beyond it the new ones share one place.
const CLIENTS_MAX: usize = 65_536;

/// Attempts to prove an identity that may fail at once, and the time for one more.
const FAILURES_BURST: u32 = 20;
const FAILURE_INTERVAL: Duration = Duration::from_secs(6);

/// The limits of all clients.
#[derive(Debug)]
pub(super) struct Rates {
    identities: Option<Table<Name>>,
    addresses: Option<Table<Network>>,
    failures: Table<Network>,
    accounts: Accounts,
}

/// The time until a client may try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wait(Duration);

/// An identity, with how it was proven: two issuers may have one subject.
type Name = String;

impl Wait {
    /// Whole seconds, at least one.
    pub(super) fn seconds(self) -> u64 {
        self.0.as_secs() + u64::from(self.0.subsec_nanos() > 0 || self.0.is_zero())
    }
}

impl Default for Rates {
    fn default() -> Self {
        Self::new(RateLimits::default())
    }
}

impl Rates {
    pub(super) fn new(limits: RateLimits) -> Self {
        let failures = Table::new(FAILURE_INTERVAL, FAILURES_BURST);
        let (identities, addresses) =
            (limits.identity.map(Table::of), limits.address.map(Table::of));
        Self { identities, addresses, failures, accounts: Accounts::default() }
    }

    /// Counts a request of an address. Those of this machine have no limit of their own: they come from a proxy
    /// or a load generator.
    pub(super) fn address(&self, address: IpAddr) -> Result<(), Wait> {
        match &self.addresses {
            Some(table) if !is_own(address) => table.count(Network::of(address), Instant::now()),
            Some(_) | None => Ok(()),
        }
    }

    /// Counts a request of an identity.
    pub(super) fn identity(&self, identity: &Identity) -> Result<(), Wait> {
        let Some(table) = &self.identities else { return Ok(()) };
        table.count(format!("{:?} {}", identity.proof, identity.subject), Instant::now())
    }

    /// Whether an address may try to prove an identity: not while too many of its attempts have failed.
    pub(super) fn may_prove(&self, address: IpAddr) -> Result<(), Wait> {
        match is_own(address) {
            true => Ok(()),
            false => self.failures.look(Network::of(address), Instant::now()),
        }
    }

    /// Counts an attempt that failed.
    pub(super) fn failed(&self, address: IpAddr) {
        if !is_own(address) {
            // That there are too many is told with the next attempt.
            self.failures.count(Network::of(address), Instant::now()).ok();
        }
    }

    /// Whether the password of a user may be tried from an address.
    pub(super) fn may_log_in(&self, name: &str, address: IpAddr) -> Result<(), Wait> {
        self.may_prove(address)?;
        self.accounts.may(name, Network::of(address), Instant::now())
    }

    /// Notes that a user was proven from an address.
    pub(super) fn logged_in(&self, name: &str, address: IpAddr) {
        self.accounts.proved(name, Network::of(address), Instant::now());
    }

    /// Counts a name with a password that prove nothing.
    pub(super) fn not_logged_in(&self, name: &str, address: IpAddr) {
        self.failed(address);
        self.accounts.failed(name, Network::of(address), Instant::now());
    }
}

fn is_own(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

/// The clients of one limit.
#[derive(Debug)]
struct Table<K> {
    /// The time that one request takes.
    interval: Duration,
    /// The time of all requests that may come at once.
    tolerance: Duration,
    clients: Mutex<Clients<K>>,
}

#[derive(Debug)]
struct Clients<K> {
    /// When the burst of a client is whole again. The key `None` is that of all for whom there was no room.
    whole_at: HashMap<Option<K>, Instant>,
    /// When room was last made.
    swept: Option<Instant>,
}

impl<K: Eq + Hash> Table<K> {
    fn of(rate: Rate) -> Self {
        Self::new(Duration::from_secs(1) / rate.per_second.get(), rate.burst.get())
    }

    fn new(interval: Duration, burst: u32) -> Self {
        let clients = Mutex::new(Clients { whole_at: HashMap::new(), swept: None });
        Self { interval, tolerance: interval * burst, clients }
    }

    /// Counts a request; it is not counted if it comes too early.
    fn count(&self, client: K, now: Instant) -> Result<(), Wait> {
        let mut clients = self.clients();
        let client = clients.place(client, now);
        let whole_at = clients.whole_at.get(&client).map_or(now, |whole_at| now.max(*whole_at));
        let next = whole_at + self.interval;
        self.check(next, now)?;
        clients.whole_at.insert(client, next);
        Ok(())
    }

    /// Whether a request would come too early.
    fn look(&self, client: K, now: Instant) -> Result<(), Wait> {
        let clients = self.clients();
        let own = clients.whole_at.get(&Some(client)).copied();
        let whole_at = own.or_else(|| clients.whole_at.get(&None).copied());
        self.check(whole_at.map_or(now, |whole_at| now.max(whole_at)) + self.interval, now)
    }

    fn check(&self, next: Instant, now: Instant) -> Result<(), Wait> {
        match next.duration_since(now).checked_sub(self.tolerance) {
            Some(wait) if !wait.is_zero() => Err(Wait(wait)),
            Some(_) | None => Ok(()),
        }
    }

    fn clients(&self) -> MutexGuard<'_, Clients<K>> {
        // No code panics while it holds the lock.
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash> Clients<K> {
    /// The place of a client. Those whose burst is whole again need none.
    fn place(&mut self, client: K, now: Instant) -> Option<K> {
        let client = Some(client);
        if self.whole_at.len() < CLIENTS_MAX || self.whole_at.contains_key(&client) {
            return client;
        }
        let is_due = self.swept.is_none_or(|swept| now - swept >= Duration::from_secs(1));
        if is_due {
            self.swept = Some(now);
            self.whole_at.retain(|_, whole_at| *whole_at > now);
        }
        if self.whole_at.len() < CLIENTS_MAX { client } else { None }
    }
}

#[cfg(test)]
mod tests;
