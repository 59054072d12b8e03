//! Seals what is compiled: a code of authentication over its name and its bytes, by a key that is kept
//! apart from it and never leaves this machine.

use std::fs;
use std::io;
use std::path::Path;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::disk;

/// The file of the key in the cache.
const FILE: &str = "key";

const KEY_BYTES: usize = 32;

/// A key with which artefacts are sealed.
#[derive(Clone)]
pub(crate) struct Seal([u8; KEY_BYTES]);

impl Seal {
    /// Reads the key of a cache, or makes one. Without its key, what was compiled is compiled again.
    pub(crate) fn open(root: &Path) -> io::Result<Self> {
        let path = root.join(FILE);
        if let Some(key) = fs::read(&path).ok().and_then(|bytes| bytes.try_into().ok()) {
            return Ok(Self(key));
        }
        let mut key = [0; KEY_BYTES];
        getrandom::fill(&mut key).map_err(io::Error::other)?;
        disk::private_dir(root)?;
        disk::write_private(&path, &key)?;
        Ok(Self(key))
    }

    /// The tag of an artefact under its name.
    pub(crate) fn tag(&self, path: &Path, artefact: &[u8]) -> Vec<u8> {
        self.code(path, artefact).finalize().into_bytes().to_vec()
    }

    /// Whether a tag is that of an artefact under its name.
    pub(crate) fn is_of(&self, path: &Path, artefact: &[u8], tag: &[u8]) -> bool {
        self.code(path, artefact).verify_slice(tag).is_ok()
    }

    fn code(&self, path: &Path, artefact: &[u8]) -> Hmac<Sha256> {
        let name = path.file_name().unwrap_or_default().as_encoded_bytes();
        let mut code = Hmac::<Sha256>::new_from_slice(&self.0).expect("a key of any length");
        // The length keeps the name apart from the bytes.
        code.update(&(name.len() as u64).to_be_bytes());
        code.update(name);
        code.update(artefact);
        code
    }
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal")
    }
}
