//! Local users of a small site: names with passwords, in a file that is read again when it changes. A
//! password is checked by argon2id, which is slow and takes memory on purpose; so few are checked at one
//! time, few wait, and what was right is remembered for a minute.

mod file;
mod hash;
mod remembered;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use engine::tenant::TenantName;
use model::Digest;
use tmf::time::Timestamp;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

pub use file::{FileError, User};
pub use hash::{HashError, hashed};

use self::hash::Hashed;
use self::remembered::Remembered;
use super::identity::SUBJECT_BYTES_MAX;
use super::{Identity, Roles};
use crate::stamp::{Stamp, stamp};

/// Max bytes of a password.
pub const PASSWORD_BYTES_MAX: usize = 1_024;

/// Max passwords that are checked at one time. Each takes the memory that its hash names.
const CHECKS_MAX: usize = 2;

/// Max passwords that wait for their check.
const WAITING_MAX: usize = 32;

/// The users. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Users(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    names: Names,
    current: RwLock<Arc<Table>>,
    remembered: Remembered,
    checks: Arc<Semaphore>,
    waiting: AtomicUsize,
}

/// What users may name.
#[derive(Clone, Debug, Default)]
pub struct Names {
    pub roles: Roles,
    pub tenants: BTreeSet<TenantName>,
}

/// The users as the file has them.
#[derive(Debug)]
struct Table {
    users: BTreeMap<String, Arc<User>>,
    /// Checked for names that are not there, so that these take as long.
    decoy: Option<Hashed>,
    stamp: Option<Stamp>,
}

/// Why a name and a password prove nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UserError {
    #[error("they cannot be read")]
    Malformed,
    /// Unknown, or a wrong password: they are not told apart.
    #[error("the name or the password is wrong")]
    Wrong,
    #[error("too many passwords are checked at this time")]
    Busy,
}

impl Users {
    /// The users in a file.
    pub fn read(path: PathBuf, names: Names) -> Result<Self, FileError> {
        let table = Table::read(&path, &names)?;
        Ok(Self(Arc::new(Inner {
            path,
            names,
            current: RwLock::new(Arc::new(table)),
            remembered: Remembered::default(),
            checks: Arc::new(Semaphore::new(CHECKS_MAX)),
            waiting: AtomicUsize::new(0),
        })))
    }

    /// The identity of a user, by the credentials of a header (RFC 7617).
    pub async fn identify(
        &self,
        encoded: &str,
        now: Timestamp,
    ) -> Result<Arc<Identity>, UserError> {
        let (name, password) = parts(encoded).ok_or(UserError::Malformed)?;
        let user = self.check(&name, &password, now).await?;
        Ok(Arc::clone(user.identity()))
    }

    /// The user of a name and a password.
    pub async fn check(
        &self,
        name: &str,
        password: &str,
        now: Timestamp,
    ) -> Result<Arc<User>, UserError> {
        if name.len() > SUBJECT_BYTES_MAX || password.len() > PASSWORD_BYTES_MAX {
            return Err(UserError::Malformed);
        }
        let table = self.table();
        let user = table.users.get(name).map(Arc::clone);
        let mark = self.0.remembered.mark(name, password);
        if let Some(user) = &user
            && self.0.remembered.has(&mark, user, now)
        {
            return Ok(Arc::clone(user));
        }
        let Some(hashed) = user.as_ref().map(|user| user.hashed()).or(table.decoy.as_ref()) else {
            return Err(UserError::Wrong);
        };
        let is_right = self.verify(hashed.to_owned(), password).await?;
        match user {
            Some(user) if is_right => {
                self.0.remembered.put(mark, &user, now);
                Ok(user)
            }
            Some(_) | None => Err(UserError::Wrong),
        }
    }

    /// Checks a password on a thread that may take its time.
    async fn verify(&self, hashed: Hashed, password: &str) -> Result<bool, UserError> {
        let _waits = Waits::begin(&self.0.waiting)?;
        // The semaphore is never closed.
        let turn = Arc::clone(&self.0.checks).acquire_owned().await.ok();
        let password = Zeroizing::new(password.to_owned());
        let checked = tokio::task::spawn_blocking(move || {
            let is_right = hashed.verifies(&password);
            drop(turn);
            is_right
        });
        // It fails if the server ends.
        checked.await.map_err(|_| UserError::Busy)
    }

    /// The identity of the user of this name, if there is one.
    pub(super) fn identity_of(&self, name: &str) -> Option<Arc<Identity>> {
        self.table().users.get(name).map(|user| Arc::clone(user.identity()))
    }

    /// The digest of the entry of a user in the file, if there is one.
    pub fn entry_of(&self, name: &str) -> Option<Digest> {
        self.identity_of(name)?.entry.clone()
    }

    /// Whether the entry that proved an identity is still there.
    pub fn knows(&self, identity: &Identity) -> bool {
        let now = self.identity_of(&identity.subject);
        now.is_some_and(|now| now.entry == identity.entry)
    }

    /// Reads the file again if it changed; returns whether the users changed. A file that is wrong changes
    /// nothing.
    pub async fn follow(&self) -> bool {
        let users = Self(Arc::clone(&self.0));
        let read = tokio::task::spawn_blocking(move || users.read_again()).await;
        read.unwrap_or(false)
    }

    fn read_again(&self) -> bool {
        let stamp = stamp(&self.0.path);
        if stamp == self.table().stamp {
            return false;
        }
        match Table::read(&self.0.path, &self.0.names) {
            Ok(table) => {
                tracing::info!(users = table.users.len(), "the file of the users is read again");
                self.put(table);
                return true;
            }
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                let path = self.0.path.display();
                tracing::error!(error, %path, "the file of the users is wrong, so the users stay as they are");
            }
        }
        // That is told once.
        let table = self.table();
        let (users, decoy) = (table.users.to_owned(), table.decoy.to_owned());
        self.put(Table { users, decoy, stamp });
        false
    }

    fn put(&self, table: Table) {
        *self.0.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(table);
    }

    fn table(&self) -> Arc<Table> {
        Arc::clone(&self.0.current.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The name in the credentials of a header (RFC 7617).
pub fn name_in(encoded: &str) -> Option<String> {
    parts(encoded).map(|(name, _)| name).filter(|name| name.len() <= SUBJECT_BYTES_MAX)
}

fn parts(encoded: &str) -> Option<(String, Zeroizing<String>)> {
    let decoded = Zeroizing::new(BASE64_STANDARD.decode(encoded).ok()?);
    let (name, password) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    Some((name.to_owned(), Zeroizing::new(password.to_owned())))
}

impl Table {
    fn read(path: &std::path::Path, names: &Names) -> Result<Self, FileError> {
        let stamp = stamp(path);
        let users = file::read(path, names)?;
        // The most expensive hash of all: an unknown name takes no less time than a known one.
        let decoy = users.values().map(|user| user.hashed()).max_by_key(|hashed| hashed.cost());
        let decoy = decoy.cloned();
        Ok(Self { users, decoy, stamp })
    }
}

/// Counts a check until it has ended.
struct Waits<'a>(&'a AtomicUsize);

impl<'a> Waits<'a> {
    fn begin(count: &'a AtomicUsize) -> Result<Self, UserError> {
        let before = count.fetch_add(1, Ordering::AcqRel);
        let waits = Self(count);
        if before < CHECKS_MAX + WAITING_MAX { Ok(waits) } else { Err(UserError::Busy) }
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests;
