//! Limits of connections: one peer has a share of them, and when few are left the one that has been
//! idle for longest is closed.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// The connections that are open.
#[derive(Clone, Default)]
pub(super) struct Peers(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    by_peer: BTreeMap<IpAddr, usize>,
    /// Idle connections, the one that has been idle for longest first.
    idle: BTreeMap<u64, Arc<Notify>>,
    next: u64,
}

/// A connection that is open until this is dropped.
pub(super) struct Held {
    peers: Peers,
    address: IpAddr,
    /// Told to make room.
    pub(super) leave: Arc<Notify>,
    idle: Mutex<Idle>,
}

#[derive(Default)]
struct Idle {
    requests: usize,
    since: Option<u64>,
}

impl Peers {
    /// Adds a connection, unless its peer has `max` already. Connections from this
    /// machine may come from a proxy or a load generator, so they have no limit of their own.
    pub(super) fn hold(&self, address: IpAddr, max: usize) -> Option<Arc<Held>> {
        let address = address.to_canonical();
        let mut state = self.state();
        let held = state.by_peer.entry(address).or_default();
        if *held >= max && !address.is_loopback() {
            return None;
        }
        *held += 1;
        drop(state);
        let held =
            Held { peers: self.clone(), address, leave: Arc::default(), idle: Mutex::default() };
        held.idles(&mut held.idle());
        Some(Arc::new(held))
    }

    /// Closes the connection that has been idle for longest.
    pub(super) fn make_room(&self) {
        if let Some((_, oldest)) = self.state().idle.pop_first() {
            oldest.notify_one();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code panics while it holds the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    /// A request began.
    pub(super) fn begin(&self) {
        let mut idle = self.idle();
        idle.requests += 1;
        if let Some(since) = idle.since.take() {
            self.peers.state().idle.remove(&since);
        }
    }

    /// A request was answered.
    pub(super) fn end(&self) {
        let mut idle = self.idle();
        idle.requests = idle.requests.saturating_sub(1);
        if idle.requests == 0 {
            self.idles(&mut idle);
        }
    }

    fn idles(&self, idle: &mut Idle) {
        let mut state = self.peers.state();
        let since = state.next;
        state.next += 1;
        state.idle.insert(since, Arc::clone(&self.leave));
        idle.since = Some(since);
    }

    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let since = self.idle().since.take();
        let mut state = self.peers.state();
        if let Some(since) = since {
            state.idle.remove(&since);
        }
        if let Some(held) = state.by_peer.get_mut(&self.address) {
            *held -= 1;
            if *held == 0 {
                state.by_peer.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    fn asked_to_leave(held: &Held) -> bool {
        held.leave.notified().now_or_never().is_some()
    }

    #[test]
    fn a_peer_has_a_share_and_this_machine_has_none() {
        let (peers, there) = (Peers::default(), "192.0.2.1".parse().unwrap());
        let held: Vec<_> = (0..2).map(|_| peers.hold(there, 2).unwrap()).collect();
        assert!(peers.hold(there, 2).is_none());
        assert!(peers.hold("::ffff:192.0.2.1".parse().unwrap(), 2).is_none());
        assert!(peers.hold("192.0.2.2".parse().unwrap(), 2).is_some());
        drop(held);
        assert!(peers.hold(there, 2).is_some());
        let here = "127.0.0.1".parse().unwrap();
        let many: Vec<_> = (0..9).map(|_| peers.hold(here, 2).unwrap()).collect();
        assert_eq!(many.len(), 9);
    }

    #[test]
    fn the_connection_that_is_idle_for_longest_makes_room() {
        let (peers, here) = (Peers::default(), "127.0.0.1".parse().unwrap());
        let held = [0; 3].map(|_| peers.hold(here, 9).unwrap());
        held[0].begin();
        peers.make_room();
        assert_eq!([0, 1, 2].map(|one| asked_to_leave(&held[one])), [false, true, false]);
        held[0].end();
        peers.make_room();
        assert_eq!([0, 2].map(|one| asked_to_leave(&held[one])), [false, true]);
        peers.make_room();
        assert!(asked_to_leave(&held[0]));
        peers.make_room();
        drop(held);
        assert!(peers.state().idle.is_empty() && peers.state().by_peer.is_empty());
    }
}
