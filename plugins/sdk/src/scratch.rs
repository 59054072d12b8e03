//! Small facts that the plugin keeps between its calls, as far as the operator granted it a scratch space.
//!
//! Writes are committed with the answer of the call, if that is done or waits, and not at all if it fails.
//! If two tasks may write one key, read it first and pass its revision: the attempt of the later one fails with
//! `SCRATCH_CONFLICT` and is tried again.
//!
//! ```no_run
//! # use ferrule_plugin::{Failure, scratch};
//! # fn next() -> Result<u64, Failure> {
//! let kept = scratch::get("serial")?;
//! let next = match &kept {
//!     Some(entry) => entry.json::<u64>()? + 1,
//!     None => 1,
//! };
//! scratch::put("serial", next.to_string().as_bytes(), &kept.expected())?;
//! # Ok(next)
//! # }
//! # use ferrule_plugin::scratch::Read as _;
//! ```

use serde::de::DeserializeOwned;

pub use crate::bindings::step::ferrule::plugin::scratch::{Entry, Expected, Listed};
use crate::{Failure, host};

/// A key as it was read.
pub trait Read {
    /// That the key was not written since.
    fn expected(&self) -> Expected;
}

impl Read for Option<Entry> {
    fn expected(&self) -> Expected {
        match self {
            Some(entry) => Expected::Revision(entry.revision.clone()),
            None => Expected::Absent,
        }
    }
}

impl Entry {
    /// The value as JSON. Fails with `SCRATCH_VALUE` (class operator) if it is of another shape.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_slice(&self.value).map_err(|cause| {
            let message = format!("a value of the scratch space cannot be read: {cause}");
            Failure::operator("SCRATCH_VALUE", message)
        })
    }
}

/// The value of a key as last committed, or as this call wrote it; `None` if it has none.
pub fn get(key: &str) -> Result<Option<Entry>, Failure> {
    host::scratch::get(key)
}

/// Writes the value of a key. Fails with `SCRATCH_CONFLICT` (class retry) if the key is not as expected, and
/// with `SCRATCH_FULL` (class operator) beyond the quota.
pub fn put(key: &str, value: &[u8], expected: &Expected) -> Result<(), Failure> {
    host::scratch::put(key, value, expected)
}

/// Deletes the value of a key, if it has one.
pub fn delete(key: &str, expected: &Expected) -> Result<(), Failure> {
    host::scratch::delete(key, expected)
}

/// Which keys to list.
#[derive(Clone, Copy, Debug, Default)]
pub struct Keys<'a> {
    /// Only keys that begin with this.
    pub prefix: &'a str,
    /// Only keys after this one.
    pub after: Option<&'a str>,
    /// Max keys, at most a thousand.
    pub limit: u32,
}

/// Lists keys in the order of their bytes. Fewer than the limit are the last ones.
pub fn keys(keys: Keys<'_>) -> Result<Vec<Listed>, Failure> {
    host::scratch::keys(keys.prefix, keys.after, keys.limit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::Host;

    #[test]
    fn values_are_kept_with_revisions_and_listed_by_prefix() {
        let host = Host::new().kept("serial", "7").start();
        let kept = get("serial").unwrap();
        assert_eq!(kept.as_ref().unwrap().json::<u64>().unwrap(), 7);
        put("serial", b"8", &kept.expected()).unwrap();
        let stale = put("serial", b"9", &kept.expected()).unwrap_err();
        assert_eq!(
            (stale.code.as_str(), stale.class),
            ("SCRATCH_CONFLICT", crate::FailureClass::Retry)
        );
        assert_eq!(put("serial", b"9", &Expected::Absent).unwrap_err().code, "SCRATCH_CONFLICT");
        put("job/2", b"", &Expected::Any).unwrap();
        put("job/1", b"x", &get("job/1").unwrap().expected()).unwrap();
        let list = |after| {
            let listed = keys(Keys { prefix: "job/", after, limit: 9 }).unwrap();
            listed.into_iter().map(|one| (one.key, one.bytes)).collect::<Vec<_>>()
        };
        assert_eq!(list(None), [("job/1".to_owned(), 1), ("job/2".to_owned(), 0)]);
        assert_eq!(list(Some("job/1")), [("job/2".to_owned(), 0)]);
        delete("job/2", &Expected::Any).unwrap();
        assert_eq!(host.scratch("job/2"), None);
        assert_eq!(host.scratch("serial").as_deref(), Some("8"));
        assert_eq!(get("").unwrap_err().code, "SCRATCH_KEY");
    }
}
