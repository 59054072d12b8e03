//! The secrets of the operator. The host keeps their values; a plugin gets placeholders.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use zeroize::Zeroizing;

/// Min bytes of a value: a shorter one is in many answers by chance, so it cannot be masked there.
pub const BYTES_MIN: usize = 8;

/// Min bytes of a value whose source allows that it is not masked.
pub const SHORT_BYTES_MIN: usize = 4;

/// Max bytes of a value: enough for a private key as text.
pub const BYTES_MAX: usize = 8 * 1024;

/// Max values of a secret that are masked after they were renewed, and max bytes of them.
const BEFORE_MAX: usize = 32;
const BEFORE_BYTES_MAX: usize = 4 * 1024;

/// The value of a secret. It is overwritten when it is dropped, and never shown.
#[derive(PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

/// Why a value cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnusableSecret {
    /// It is too short to be masked.
    #[error(
        "the value has fewer than {BYTES_MIN} bytes, so it cannot be masked in what elements answer: use a \
         longer one, or set `allow-short = true` beside its source to have it sent all the same"
    )]
    Short,
    /// It is too short to be a secret.
    #[error(
        "the value has fewer than {SHORT_BYTES_MIN} bytes, which anyone can guess: use a longer one"
    )]
    TooShort,
    /// It is too long.
    #[error("the value has more than {BYTES_MAX} bytes")]
    Long,
    /// It is not UTF-8.
    #[error("the value is not UTF-8 text: keep it in base64")]
    NotText,
}

impl Secret {
    /// A secret with this value; the line break that ends a file is not part of it.
    pub fn new(value: Vec<u8>) -> Result<Self, UnusableSecret> {
        let secret = Self::short(value)?;
        if secret.0.len() < BYTES_MIN { Err(UnusableSecret::Short) } else { Ok(secret) }
    }

    /// The same of a value that may be too short to be masked in what elements answer.
    pub fn short(value: Vec<u8>) -> Result<Self, UnusableSecret> {
        let text = String::from_utf8(value).map_err(|error| {
            drop(Zeroizing::new(error.into_bytes()));
            UnusableSecret::NotText
        })?;
        let mut text = Zeroizing::new(text);
        let line = text.strip_suffix('\n').unwrap_or(&text);
        let bytes = line.strip_suffix('\r').unwrap_or(line).len();
        text.truncate(bytes);
        match bytes {
            ..SHORT_BYTES_MIN => Err(UnusableSecret::TooShort),
            SHORT_BYTES_MIN..=BYTES_MAX => Ok(Self(text)),
            _ => Err(UnusableSecret::Long),
        }
    }

    /// The value, for what sends it or keeps it secret too.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// The values of all secrets, which are renewed while plugins run. A call that is under way keeps those
/// that it began with.
#[derive(Debug, Default)]
pub(crate) struct Safe {
    by_name: RwLock<BTreeMap<String, Kept>>,
    /// Counts the changes.
    generation: AtomicU64,
}

/// A secret.
#[derive(Debug, Default)]
struct Kept {
    current: Option<Arc<Secret>>,
    /// Values of before, which must not be shown either. The latest is first.
    before: VecDeque<Arc<Secret>>,
}

impl Safe {
    pub(crate) fn new(values: BTreeMap<String, Secret>) -> Self {
        let safe = Self::default();
        for (name, value) in values {
            safe.renew(&name, value);
        }
        safe
    }

    /// Takes a value into use, and returns whether it is another one.
    pub(crate) fn renew(&self, name: &str, value: Secret) -> bool {
        let mut by_name = self.by_name.write().unwrap_or_else(PoisonError::into_inner);
        let kept = by_name.entry(name.to_owned()).or_default();
        if kept.current.as_deref() == Some(&value) {
            return false;
        }
        kept.retire();
        kept.current = Some(Arc::new(value));
        self.generation.fetch_add(1, Ordering::Release);
        true
    }

    /// Ends the use of a secret. Its values are still masked.
    pub(crate) fn withdraw(&self, name: &str) {
        let mut by_name = self.by_name.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = by_name.get_mut(name) {
            kept.retire();
            self.generation.fetch_add(1, Ordering::Release);
        }
    }

    /// The value of now.
    pub(crate) fn get(&self, name: &str) -> Option<Arc<Secret>> {
        let by_name = self.by_name.read().unwrap_or_else(PoisonError::into_inner);
        by_name.get(name)?.current.as_ref().map(Arc::clone)
    }

    /// The values of a secret that must not be shown.
    pub(crate) fn all(&self, name: &str) -> Vec<Arc<Secret>> {
        let by_name = self.by_name.read().unwrap_or_else(PoisonError::into_inner);
        let kept = by_name.get(name).into_iter();
        kept.flat_map(|kept| kept.current.iter().chain(&kept.before)).map(Arc::clone).collect()
    }

    /// A number that another change makes higher.
    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }
}

impl Kept {
    fn bytes_before(&self) -> usize {
        self.before.iter().map(|value| value.expose().len()).sum()
    }

    fn retire(&mut self) {
        if let Some(current) = self.current.take() {
            self.before.push_front(current);
            self.before.truncate(BEFORE_MAX);
            // The latest stays, however long it is: calls under way may have it.
            while self.before.len() > 1 && self.bytes_before() > BEFORE_BYTES_MAX {
                self.before.pop_back();
            }
        }
    }
}

#[cfg(test)]
mod tests;
