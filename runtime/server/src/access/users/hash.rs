//! Hashes of passwords: argon2id, at least as strong as OWASP advises.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};

/// The least memory of a hash, in KiB.
const MEMORY_KIB_MIN: u32 = 19_456;

/// The most: two checks at one time take twice as much.
const MEMORY_KIB_MAX: u32 = 262_144;

/// The passes over the memory.
const PASSES: std::ops::RangeInclusive<u32> = 2..=16;

/// The most lanes.
const LANES_MAX: u32 = 16;

/// The least bytes of a salt, and of a hash.
const BYTES_MIN: usize = 16;

/// A hash, read and checked.
#[derive(Clone, Debug)]
pub(super) struct Hashed {
    hash: PasswordHash,
    cost: u64,
}

/// Why a hash cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HashError {
    #[error("`password` is no hash: `ferrule user hash` prints one")]
    Form,
    #[error("`password` is no hash by argon2id of version 19: `ferrule user hash` prints one")]
    Algorithm,
    #[error(
        "the hash is too weak: it has at least m={MEMORY_KIB_MIN}, t=2, p=1 and 16 bytes of salt and of hash; \
         `ferrule user hash` prints one"
    )]
    Weak,
    #[error("the hash costs too much: it has at most m={MEMORY_KIB_MAX}, t=16 and p=16")]
    Heavy,
    #[error("the password cannot be hashed")]
    Failed,
}

/// The hash of a password, as it stands in the file.
pub fn hashed(password: &str) -> Result<String, HashError> {
    let params = Params::new(MEMORY_KIB_MIN, *PASSES.start(), 1, None);
    let params = params.map_err(|_| HashError::Failed)?;
    let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hash = hasher.hash_password(password.as_bytes()).map_err(|_| HashError::Failed)?;
    Ok(hash.to_string())
}

impl Hashed {
    pub(super) fn read(text: &str) -> Result<Self, HashError> {
        let hash = PasswordHash::new(text).map_err(|_| HashError::Form)?;
        let version = Some(u32::from(Version::V0x13));
        if hash.algorithm.as_str() != Algorithm::Argon2id.as_str() || hash.version != version {
            return Err(HashError::Algorithm);
        }
        let params = Params::try_from(&hash).map_err(|_| HashError::Form)?;
        let (memory, passes, lanes) = (params.m_cost(), params.t_cost(), params.p_cost());
        let salt = hash.salt.as_ref().map_or(0, |salt| salt.len());
        let output = hash.hash.as_ref().map_or(0, |output| output.len());
        let is_short = salt < BYTES_MIN || output < BYTES_MIN;
        if memory < MEMORY_KIB_MIN || passes < *PASSES.start() || is_short {
            return Err(HashError::Weak);
        }
        if memory > MEMORY_KIB_MAX || passes > *PASSES.end() || lanes > LANES_MAX {
            return Err(HashError::Heavy);
        }
        Ok(Self { hash, cost: u64::from(memory) * u64::from(passes) })
    }

    /// How long a check takes, compared with others.
    pub(super) fn cost(&self) -> u64 {
        self.cost
    }

    /// Whether a password is right. It takes tens of milliseconds.
    pub(super) fn verifies(&self, password: &str) -> bool {
        Argon2::default().verify_password(password.as_bytes(), &self.hash).is_ok()
    }
}
