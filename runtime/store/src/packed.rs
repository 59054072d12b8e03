//! Values are packed by zstd on their way into the log. Most are short JSON with names that the standard
//! gives, so a dictionary of such texts stands before each of them: without it hardly anything is gained.

use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use zstd::bulk::{Compressor, Decompressor};
use zstd::dict::{DecoderDictionary, EncoderDictionary};
use zstd::zstd_safe::CParameter;

/// Made of what the orders of the packs left: `cargo bench -p ferrule-store --bench dictionary`. What is packed
/// with it can be read with it alone, so another one gets another [`Cell`](crate::layout::Cell).
static DICTIONARY: &[u8] = include_bytes!("packed/first.dictionary");

/// The level of zstd: higher ones take longer than they gain.
const LEVEL: i32 = 1;

/// A shorter value is kept as it is.
const BYTES_MIN: usize = 96;

/// A value that unpacks to more was not packed by us.
const UNPACKED_BYTES_MAX: usize = 1 << 30;

/// Max readers that are kept for the next read.
const READERS_MAX: usize = 16;

static WRITING: LazyLock<EncoderDictionary<'static>> =
    LazyLock::new(|| EncoderDictionary::copy(DICTIONARY, LEVEL));
static READING: LazyLock<DecoderDictionary<'static>> =
    LazyLock::new(|| DecoderDictionary::copy(DICTIONARY));

/// Packs and unpacks values.
#[derive(Default)]
pub(crate) struct Packer {
    /// There is one writer.
    writer: Mutex<Option<Compressor<'static>>>,
    /// Those that no one uses now.
    readers: Mutex<Vec<Decompressor<'static>>>,
}

/// A value that was not packed by us.
#[derive(Debug, thiserror::Error)]
#[error("a value cannot be unpacked")]
pub(crate) struct NotPacked(#[from] std::io::Error);

impl Packer {
    /// A value in its packed form; `None` if that is hardly shorter.
    pub(crate) fn packed(&self, value: &[u8]) -> Option<Vec<u8>> {
        if value.len() < BYTES_MIN {
            return None;
        }
        let mut writer = lock(&self.writer);
        let writer = match &mut *writer {
            Some(writer) => writer,
            none @ None => none.insert(writer_of(&WRITING).ok()?),
        };
        let packed = writer.compress(value).ok()?;
        (packed.len() + packed.len() / 8 < value.len()).then_some(packed)
    }

    /// The value of a packed form.
    pub(crate) fn unpacked(&self, packed: &[u8]) -> Result<Vec<u8>, NotPacked> {
        let kept = lock(&self.readers).pop();
        let mut reader = match kept {
            Some(reader) => reader,
            None => Decompressor::with_prepared_dictionary(&READING)?,
        };
        let value = reader.decompress(packed, UNPACKED_BYTES_MAX)?;
        let mut readers = lock(&self.readers);
        if readers.len() < READERS_MAX {
            readers.push(reader);
        }
        Ok(value)
    }
}

fn writer_of(
    dictionary: &'static EncoderDictionary<'static>,
) -> std::io::Result<Compressor<'static>> {
    let mut writer = Compressor::with_prepared_dictionary(dictionary)?;
    // Its cell tells the dictionary.
    writer.set_parameter(CParameter::DictIdFlag(false))?;
    Ok(writer)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic leaves a reader less.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
