//! Passwords that were right a short while ago, as hashes with a key that lives as long as the process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use sha2::{Digest as _, Sha256};
use tmf::time::Timestamp;

use super::file::User;

/// How long a password is remembered.
const KEEP_MS: u64 = 60_000;

/// Max passwords that are remembered.
const MAX: usize = 1_000;

/// What stands for a name with a password.
pub(super) type Mark = [u8; 32];

#[derive(Debug)]
pub(super) struct Remembered {
    /// `None` if no random bytes could be drawn: then nothing is remembered.
    key: Option<[u8; 32]>,
    marks: Mutex<HashMap<Mark, Entry>>,
}

#[derive(Debug)]
struct Entry {
    /// The user as it was then: one that is read again from the file is another.
    user: Weak<User>,
    until: Timestamp,
}

impl Default for Remembered {
    fn default() -> Self {
        let mut key = [0; 32];
        let key = getrandom::fill(&mut key).is_ok().then_some(key);
        Self { key, marks: Mutex::default() }
    }
}

impl Remembered {
    pub(super) fn mark(&self, name: &str, password: &str) -> Mark {
        let length = u64::try_from(name.len()).unwrap_or(u64::MAX).to_le_bytes();
        let hasher = Sha256::new().chain_update(self.key.unwrap_or_default()).chain_update(length);
        hasher.chain_update(name).chain_update(password).finalize().into()
    }

    /// Whether it was right for this user a short while ago.
    pub(super) fn has(&self, mark: &Mark, user: &Arc<User>, now: Timestamp) -> bool {
        let marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        let found = marks.get(mark).filter(|entry| now < entry.until);
        found.is_some_and(|entry| std::ptr::eq(entry.user.as_ptr(), Arc::as_ptr(user)))
    }

    pub(super) fn put(&self, mark: Mark, user: &Arc<User>, now: Timestamp) {
        if self.key.is_none() {
            return;
        }
        let mut marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        if marks.len() >= MAX {
            marks.retain(|_, entry| now < entry.until);
        }
        if marks.len() < MAX {
            let entry = Entry { user: Arc::downgrade(user), until: now.plus_ms(KEEP_MS) };
            marks.insert(mark, entry);
        }
    }
}
