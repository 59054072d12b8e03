//! Logins that have begun and not ended: in memory, for ten minutes, each good for one callback of the browser
//! that began it.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use tmf::time::Timestamp;

use crate::access::secret::{Hash, Secret};

/// How long a login may take, in milliseconds.
pub const LOGIN_MS: u64 = 600_000;

/// Max logins under way; the oldest makes room.
const PENDING_MAX: usize = 4_096;

/// All logins under way, by their states.
#[derive(Default)]
pub(super) struct Pending(Mutex<BTreeMap<String, Begun>>);

/// A login that has begun.
pub(super) struct Begun {
    /// The hash of the secret in the browser's cookie.
    pub(super) browser: Hash,
    pub(super) begun: Timestamp,
    pub(super) nonce: Secret,
    pub(super) verifier: Secret,
    /// Where the provider sends the browser to.
    pub(super) redirect: String,
    /// Where the browser goes afterwards.
    pub(super) return_to: String,
}

impl Pending {
    /// Keeps a login under its state.
    pub(super) fn keep(&self, state: &str, login: Begun) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = login.begun;
        all.retain(|_, login| now.ms_since(login.begun) < LOGIN_MS);
        while all.len() >= PENDING_MAX {
            let oldest = all.iter().min_by_key(|(_, login)| login.begun);
            let Some(oldest) = oldest.map(|(state, _)| state.to_owned()) else { break };
            all.remove(&oldest);
        }
        all.insert(state.to_owned(), login);
    }

    /// Takes the login of a state out, if it was begun by the browser with this cookie.
    pub(super) fn take(&self, state: &str, cookie: &str, now: Timestamp) -> Option<Begun> {
        let browser = Hash::of(cookie)?;
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let login = all.get(state).filter(|login| login.browser == browser)?;
        let is_late = now.ms_since(login.begun) >= LOGIN_MS;
        all.remove(state).filter(|_| !is_late)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begin(pending: &Pending, state: &str, at: i64) -> String {
        let cookie = Secret::draw().unwrap();
        let login = Begun {
            browser: Hash::of(cookie.text()).unwrap(),
            begun: Timestamp(at),
            nonce: Secret::draw().unwrap(),
            verifier: Secret::draw().unwrap(),
            redirect: String::new(),
            return_to: "/".into(),
        };
        pending.keep(state, login);
        cookie.text().to_owned()
    }

    #[test]
    fn a_login_is_good_for_one_callback_of_its_browser() {
        let pending = Pending::default();
        let (one, other) = (begin(&pending, "one", 0), begin(&pending, "other", 0));
        let now = Timestamp(599_999);
        for (state, cookie) in [("one", &other), ("other", &one), ("none", &one), ("", &one)] {
            assert!(pending.take(state, cookie, now).is_none(), "{state}");
        }
        assert!(pending.take("one", "", now).is_none());
        assert!(pending.take("one", &one, now).is_some());
        assert!(pending.take("one", &one, now).is_none());
        assert!(pending.take("other", &other, Timestamp(600_000)).is_none());
    }

    #[test]
    fn the_oldest_logins_make_room() {
        let pending = Pending::default();
        let cookies: Vec<_> = (0..PENDING_MAX + 2)
            .map(|at| begin(&pending, &at.to_string(), i64::try_from(at).unwrap()))
            .collect();
        let found = |at: usize| pending.take(&at.to_string(), &cookies[at], Timestamp(5_000));
        assert!(found(0).is_none() && found(1).is_none());
        assert!(found(2).is_some() && found(PENDING_MAX + 1).is_some());
    }
}
