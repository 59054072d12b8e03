//! Limits of connections: one peer has a share of them, and when few are left the one that has been
//! idle for longest is closed.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::http::network::Network;
use crate::http::proxies::Proxies;

/// The connections that are open.
#[derive(Clone)]
pub(super) struct Peers(Arc<Shared>);

struct Shared {
    /// Max connections of one peer.
    share: usize,
    /// Those who connect for many clients.
    proxies: Proxies,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    by_peer: BTreeMap<Network, usize>,
    /// Idle connections, the one that has been idle for longest first.
    idle: BTreeMap<u64, Arc<Notify>>,
    next: u64,
}

/// A connection that is open until this is dropped.
pub(super) struct Held {
    peers: Peers,
    network: Network,
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
    pub(super) fn new(share: usize, proxies: Proxies) -> Self {
        Self(Arc::new(Shared { share, proxies, state: Mutex::default() }))
    }

    /// Adds a connection, unless its peer has its share already. Trusted proxies have no limit of their own, and
    /// neither has this machine: those connections may come from a proxy or a load generator.
    pub(super) fn hold(&self, address: IpAddr) -> Option<Arc<Held>> {
        let address = address.to_canonical();
        let is_limited = !address.is_loopback() && !self.0.proxies.trusts(address);
        let network = Network::of(address);
        let mut state = self.state();
        let held = state.by_peer.get(&network).copied().unwrap_or_default();
        if is_limited && held >= self.0.share {
            return None;
        }
        state.by_peer.insert(network, held + 1);
        drop(state);
        let held =
            Held { peers: self.clone(), network, leave: Arc::default(), idle: Mutex::default() };
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
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
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
        if let Some(held) = state.by_peer.get_mut(&self.network) {
            *held -= 1;
            if *held == 0 {
                state.by_peer.remove(&self.network);
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

    fn of_share(share: usize, trusted: &str) -> Peers {
        let settings = toml::from_str(&format!("trusted-proxies = [{trusted}]")).unwrap();
        Peers::new(share, Proxies::new(&settings))
    }

    #[test]
    fn a_peer_has_a_share_of_the_connections_unless_it_speaks_for_many() {
        // The one that has two connections, another, and how many that one may have of three.
        for (first, other, expected) in [
            ("192.0.2.1", "192.0.2.1", 0),
            ("192.0.2.1", "::ffff:192.0.2.1", 0),
            ("192.0.2.1", "192.0.2.2", 2),
            ("2001:db8::1", "2001:db8::2", 0),
            ("2001:db8::1", "2001:db8:0:0:1::1", 0),
            ("2001:db8::1", "2001:db8:0:1::1", 2),
            ("127.0.0.1", "127.0.0.1", 3),
            ("::1", "::1", 3),
            ("10.0.0.7", "10.0.0.7", 3),
            ("::ffff:10.0.0.7", "10.0.0.7", 3),
            ("10.0.0.8", "10.0.0.8", 0),
        ] {
            let peers = of_share(2, "\"10.0.0.7\"");
            let [first, other] = [first, other].map(|text| text.parse::<IpAddr>().unwrap());
            let held: Vec<_> = (0..2).map(|_| peers.hold(first).unwrap()).collect();
            let more: Vec<_> = (0..3).filter_map(|_| peers.hold(other)).collect();
            assert_eq!(more.len(), expected, "{other} after {first}");
            drop((held, more));
            assert!(peers.hold(other).is_some() && peers.state().by_peer.is_empty());
        }
    }

    #[test]
    fn the_connection_that_is_idle_for_longest_makes_room() {
        let (peers, here) = (of_share(9, ""), "127.0.0.1".parse().unwrap());
        let held = [0; 3].map(|_| peers.hold(here).unwrap());
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
