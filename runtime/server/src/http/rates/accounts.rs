//! Attempts with the name of a user that fail, whatever addresses they come from (ASVS 2.2.1). A network from which a
//! user logged in not long ago is counted apart, so that others who guess do not lock the user out there.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::{Table, Wait};
use crate::http::network::Network;

/// Attempts that may fail at once, and the time for one more: 80 in an hour.
const BURST: u32 = 20;
const INTERVAL: Duration = Duration::from_secs(60);

/// How long a network from which a user logged in is known.
const KNOWN: Duration = Duration::from_secs(7 * 24 * 3_600);

/// Max networks of users that are known. Beyond it those of the others are forgotten when their time is up.
const KNOWN_MAX: usize = 4_096;

/// The place that failed attempts count for: a name, with the network if it is known.
type Place = (String, Option<Network>);

/// The failed attempts by names.
#[derive(Debug)]
pub(super) struct Accounts {
    failures: Table<Place>,
    known: Mutex<HashMap<(String, Network), Instant>>,
}

impl Default for Accounts {
    fn default() -> Self {
        Self { failures: Table::new(INTERVAL, BURST), known: Mutex::default() }
    }
}

impl Accounts {
    /// Whether a name may be tried from a network.
    pub(super) fn may(&self, name: &str, network: Network, now: Instant) -> Result<(), Wait> {
        self.failures.look(self.place(name, network, now), now)
    }

    /// Counts an attempt that failed.
    pub(super) fn failed(&self, name: &str, network: Network, now: Instant) {
        // That there are too many is told with the next attempt.
        self.failures.count(self.place(name, network, now), now).ok();
    }

    /// Notes that a user logged in from a network.
    pub(super) fn proved(&self, name: &str, network: Network, now: Instant) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KNOWN_MAX {
            known.retain(|_, proved| now < *proved + KNOWN);
        }
        let place = (name.to_owned(), network);
        if known.len() < KNOWN_MAX || known.contains_key(&place) {
            known.insert(place, now);
        }
    }

    fn place(&self, name: &str, network: Network, now: Instant) -> Place {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let proved = known.get(&(name.to_owned(), network));
        let is_known = proved.is_some_and(|proved| now < *proved + KNOWN);
        (name.to_owned(), is_known.then_some(network))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(last: u8) -> Network {
        Network::of(std::net::IpAddr::from([192, 0, 2, last]))
    }

    #[test]
    fn guesses_from_many_networks_count_for_the_name() {
        let (accounts, now) = (Accounts::default(), Instant::now());
        accounts.proved("mia", network(1), now);
        for guess in 0..BURST {
            assert_eq!(accounts.may("mia", network(2), now), Ok(()), "{guess}");
            accounts.failed("mia", network(u8::try_from(guess).unwrap() + 2), now);
        }
        assert!(accounts.may("mia", network(200), now).is_err());
        // She is not locked out where she logged in before, nor are others.
        assert_eq!(accounts.may("mia", network(1), now), Ok(()));
        assert_eq!(accounts.may("ben", network(200), now), Ok(()));
        // Nor may that network guess without end.
        for _ in 0..BURST {
            accounts.failed("mia", network(1), now);
        }
        assert!(accounts.may("mia", network(1), now).is_err());
        assert_eq!(accounts.may("mia", network(200), now + INTERVAL), Ok(()));
        assert!(accounts.may("mia", network(200), now + KNOWN).is_ok());
    }

    #[test]
    fn fewer_than_a_hundred_guesses_of_a_name_are_looked_at_in_an_hour() {
        let (accounts, begun) = (Accounts::default(), Instant::now());
        let mut looked_at = 0;
        for second in 0..3_600 {
            let now = begun + Duration::from_secs(second);
            if accounts.may("mia", network(7), now).is_ok() {
                accounts.failed("mia", network(7), now);
                looked_at += 1;
            }
        }
        assert!((20..100).contains(&looked_at), "{looked_at}");
    }

    #[test]
    fn known_networks_have_a_limit() {
        let (accounts, now) = (Accounts::default(), Instant::now());
        for user in 0..KNOWN_MAX + 10 {
            accounts.proved(&user.to_string(), network(1), now);
        }
        let known = || accounts.known.lock().unwrap().len();
        assert_eq!(known(), KNOWN_MAX);
        accounts.proved("late", network(1), now + KNOWN);
        assert_eq!(known(), 1);
    }
}
