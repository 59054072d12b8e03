//! The form in which facts are kept: values packed, and sealed if the store is. Every kind of store has it.

use std::borrow::Cow;

use engine::store::Fact;

use crate::packed::{NotPacked, Packer};
use crate::seal::{Seal, Tampered};

/// Turns facts into bytes to keep, and back.
#[derive(Default)]
pub(crate) struct Form {
    /// Seals and opens values; `None` if the store is not sealed.
    seal: Option<Seal>,
    packer: Packer,
}

/// The bytes to keep for a value.
pub(crate) struct Written<'a> {
    pub(crate) bytes: Cow<'a, [u8]>,
    pub(crate) is_packed: bool,
}

/// Bytes that this store did not write.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Misread {
    #[error("a sealed value was changed or moved, or is not sealed")]
    Sealed,
    #[error(transparent)]
    Packed(#[from] NotPacked),
}

impl Form {
    /// The form of a sealed store.
    pub(crate) fn sealed(seal: Seal) -> Self {
        Self { seal: Some(seal), packer: Packer::default() }
    }

    /// The key under which a fact lies.
    pub(crate) fn place<'a>(&self, key: &'a [u8]) -> Cow<'a, [u8]> {
        self.seal.as_ref().map_or(Cow::Borrowed(key), |seal| seal.place(key))
    }

    /// The bytes to keep for the value of a key.
    pub(crate) fn written<'a>(&self, key: &[u8], value: &'a [u8]) -> Written<'a> {
        let packed = self.packer.packed(value);
        let is_packed = packed.is_some();
        let bytes = packed.map_or(Cow::Borrowed(value), Cow::Owned);
        match &self.seal {
            Some(seal) => {
                Written { bytes: Cow::Owned(seal.close(key, is_packed, &bytes)), is_packed }
            }
            None => Written { bytes, is_packed },
        }
    }

    /// The key and the value of what lies at a place.
    pub(crate) fn opened(
        &self,
        place: Vec<u8>,
        is_packed: bool,
        bytes: Vec<u8>,
    ) -> Result<Fact, Misread> {
        let (key, value) = match &self.seal {
            None => (place, bytes),
            Some(seal) => {
                seal.open_at(&place, is_packed, bytes).map_err(|Tampered| Misread::Sealed)?
            }
        };
        let value = if is_packed { self.packer.unpacked(&value)? } else { value };
        Ok((key, value))
    }
}
