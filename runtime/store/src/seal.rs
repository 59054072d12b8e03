//! Encryption at rest. Every value is sealed with AES-256-GCM under a data key of the store, bound to
//! the key of its fact; data keys lie in the store, wrapped under a master key of the operator. To
//! rotate the master key only they are wrapped again.
//!
//! Keys of facts stay readable, since the store finds and orders facts by them. Those of index
//! entries contain values of documents, names of people among them, so the value in them is replaced
//! by its HMAC, and the key as it was stands in the sealed value.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use engine::keys;
use engine::store::view;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom as _, SystemRandom};
use ring::{digest, hmac};
use zeroize::Zeroizing;

/// The bytes of a master key, and of a data key.
pub const KEY_BYTES: usize = 32;

/// The first byte of the keys of a store, with the version of their form.
const KEYS_VERSION: u8 = 1;

/// The bytes before a sealed value: the number of its data key, and its nonce.
const HEAD_BYTES: usize = 2 + NONCE_LEN;

/// The data key that index entries are hidden by. It is never replaced: entries would not be found.
const HIDING: u16 = 0;

/// The beginning of the keys by which duplicates of parties are found: mail addresses among them. The
/// value goes up to the last `/`.
const PARTY_KEYS: &[u8] = b"d/partyKey/";

/// Bytes of the HMAC in the key of an index entry, before they are written as text.
const HIDDEN_BYTES: usize = 16;

/// A key of the operator that data keys are wrapped under. It is overwritten when it is dropped.
#[derive(Clone)]
pub struct MasterKey {
    bytes: Zeroizing<[u8; KEY_BYTES]>,
    id: [u8; 8],
}

/// The master keys of an operator.
#[derive(Clone, Debug)]
pub struct MasterKeys {
    /// The one in use.
    pub current: MasterKey,
    /// Earlier ones, for a store that was sealed under them.
    pub previous: Vec<MasterKey>,
}

/// Why a store cannot be unsealed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    #[error(
        "it is sealed under the key {0}, which is not given: set `[encryption] key`, or list the secret in `previous-keys`"
    )]
    OtherKey(String),
    #[error("it is sealed, and no key is set: set `[encryption] key`")]
    NoKey,
    #[error("it is not sealed, and a key is set: seal it with `ferrule store compact --seal`")]
    Plain,
    #[error("its wrapped keys cannot be read")]
    Keys,
    #[error("no random bytes could be drawn")]
    Random,
}

/// A sealed value cannot be opened: it was changed, or belongs to another key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a sealed value cannot be opened: it was changed, or moved")]
pub(crate) struct Tampered;

/// Seals and opens the values of one open store.
pub(crate) struct Seal {
    data: BTreeMap<u16, LessSafeKey>,
    current: u16,
    hiding: hmac::Key,
    /// The first nonce, drawn at random each time that the store is opened: two copies of a store, such as a
    /// backup that was restored, have the same data keys and go on in different ways.
    first: u128,
    /// The number of nonces that were used. They follow each other from the first.
    used: AtomicU64,
}

/// The wrapped keys of a store, as they lie in it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Wrapped {
    master: [u8; 8],
    /// How often the store was opened.
    opened: u32,
    keys: Vec<(u16, Vec<u8>)>,
}

impl MasterKey {
    pub fn new(bytes: [u8; KEY_BYTES]) -> Self {
        let hash =
            digest::digest(&digest::SHA256, &[b"ferrule master key", bytes.as_slice()].concat());
        let mut id = [0; 8];
        id.copy_from_slice(&hash.as_ref()[..8]);
        Self { bytes: Zeroizing::new(bytes), id }
    }

    /// Its name: the beginning of a hash of it.
    pub fn id(&self) -> String {
        hex::encode(self.id)
    }

    fn cipher(&self) -> LessSafeKey {
        cipher(&self.bytes)
    }
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("MasterKey").field(&self.id()).finish()
    }
}

impl Seal {
    /// The seal of a store by the wrapped keys in it, and these keys for the time that it is open now:
    /// they must be durable before anything is sealed. A new store has none.
    pub(crate) fn open(
        wrapped: Option<&[u8]>,
        masters: &MasterKeys,
    ) -> Result<(Self, Vec<u8>), SealError> {
        let Some(bytes) = wrapped else { return Self::made(masters) };
        let wrapped = Wrapped::read(bytes).ok_or(SealError::Keys)?;
        let all = std::iter::once(&masters.current).chain(&masters.previous);
        let master = all.into_iter().find(|master| master.id == wrapped.master);
        let master = master.ok_or_else(|| SealError::OtherKey(hex::encode(wrapped.master)))?;
        let cipher = master.cipher();
        let keys = wrapped.keys.iter().map(|(number, key)| {
            let key = unwrapped(&cipher, *number, key).ok_or(SealError::Keys)?;
            Ok((*number, key))
        });
        let mut keys = keys.collect::<Result<BTreeMap<_, _>, SealError>>()?;
        let last = keys.keys().next_back().copied().ok_or(SealError::Keys)?;
        // Another master key begins another data key: what is written from now on needs the old
        // master key no more, even if its data keys leaked with it.
        if master.id != masters.current.id && last < u16::MAX {
            keys.insert(last + 1, random()?);
        }
        let opened = wrapped.opened.checked_add(1).ok_or(SealError::Keys)?;
        Self::with(&keys, opened, &masters.current)
    }

    fn made(masters: &MasterKeys) -> Result<(Self, Vec<u8>), SealError> {
        let keys = BTreeMap::from([(HIDING, random()?), (HIDING + 1, random()?)]);
        Self::with(&keys, 0, &masters.current)
    }

    fn with(
        keys: &BTreeMap<u16, Zeroizing<[u8; KEY_BYTES]>>,
        opened: u32,
        master: &MasterKey,
    ) -> Result<(Self, Vec<u8>), SealError> {
        let hiding = keys.get(&HIDING).ok_or(SealError::Keys)?;
        let hiding = hmac::Key::new(hmac::HMAC_SHA256, hiding.as_slice());
        let cipher = master.cipher();
        let wrap = keys.iter().map(|(number, key)| Ok((*number, wrapped(&cipher, *number, key)?)));
        let wrapped = wrap.collect::<Result<Vec<_>, SealError>>()?;
        let wrapped = Wrapped { master: master.id, opened, keys: wrapped }.write();
        let data = keys.iter().filter(|(number, _)| **number != HIDING);
        let data: BTreeMap<_, _> = data.map(|(number, key)| (*number, self::cipher(key))).collect();
        let current = data.keys().next_back().copied().ok_or(SealError::Keys)?;
        let nonce: [u8; NONCE_LEN] = random_bytes()?;
        let first = nonce.iter().fold(0, |number, byte| number << 8 | u128::from(*byte));
        Ok((Self { data, current, hiding, first, used: AtomicU64::new(0) }, wrapped))
    }

    /// The key under which a fact lies.
    pub(crate) fn place<'a>(&self, key: &'a [u8]) -> Cow<'a, [u8]> {
        let Some((before, value, after)) = value_in(key) else { return Cow::Borrowed(key) };
        let mut context = hmac::Context::with_key(&self.hiding);
        context.update(before);
        context.update(value);
        let tag = context.sign();
        let hidden = hex::encode(&tag.as_ref()[..HIDDEN_BYTES]);
        Cow::Owned([before, hidden.as_bytes(), after].concat())
    }

    /// A nonce that was not used before. Openings of a store would need billions to meet by chance: each uses a
    /// tiny part of the 96 bits.
    fn nonce(&self) -> [u8; NONCE_LEN] {
        let used = self.used.fetch_add(1, Ordering::Relaxed);
        let number = self.first.wrapping_add(u128::from(used)).to_be_bytes();
        let mut nonce = [0; NONCE_LEN];
        nonce.copy_from_slice(&number[number.len() - NONCE_LEN..]);
        nonce
    }

    /// The bytes to store for the value of a key.
    pub(crate) fn close(&self, key: &[u8], is_packed: bool, value: &[u8]) -> Vec<u8> {
        let place = self.place(key);
        let number = self.current;
        let nonce = self.nonce();
        let mut bytes = Vec::with_capacity(HEAD_BYTES + 2 + value.len() + AES_256_GCM.tag_len());
        bytes.extend(number.to_be_bytes());
        bytes.extend(nonce);
        if let Cow::Owned(_) = &place {
            let length = u16::try_from(key.len()).expect("keys are short");
            bytes.extend(length.to_be_bytes());
            bytes.extend(key);
        }
        bytes.extend(value);
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = self.data[&number]
            .seal_in_place_separate_tag(nonce, bound(&place, is_packed), &mut bytes[HEAD_BYTES..])
            .expect("values are shorter than 64 GiB");
        bytes.extend(tag.as_ref());
        bytes
    }

    /// The key and the value of what lies at a place.
    pub(crate) fn open_at(
        &self,
        place: &[u8],
        is_packed: bool,
        mut bytes: Vec<u8>,
    ) -> Result<(Vec<u8>, Vec<u8>), Tampered> {
        let (head, sealed) = bytes.split_at_mut_checked(HEAD_BYTES).ok_or(Tampered)?;
        let (number, nonce) = head.split_first_chunk::<2>().ok_or(Tampered)?;
        let cipher = self.data.get(&u16::from_be_bytes(*number)).ok_or(Tampered)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Tampered)?;
        let bound = bound(place, is_packed);
        let plain = cipher.open_in_place(nonce, bound, sealed).map_err(|_| Tampered)?;
        if value_in(place).is_none() {
            return Ok((place.to_vec(), plain.to_vec()));
        }
        let (length, rest) = plain.split_first_chunk::<2>().ok_or(Tampered)?;
        let split = rest.split_at_checked(u16::from_be_bytes(*length).into());
        let (key, value) = split.ok_or(Tampered)?;
        Ok((key.to_vec(), value.to_vec()))
    }
}

/// The binding of a sealed value: its place, and whether it is packed. Keys are text, which has no such byte.
fn bound(place: &[u8], is_packed: bool) -> Aad<Cow<'_, [u8]>> {
    Aad::from(match is_packed {
        true => Cow::Owned([&[0xff], place].concat()),
        false => Cow::Borrowed(place),
    })
}

/// The value of a document in the key of a fact, with what stands before and after it.
fn value_in(key: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let own = view::own(key);
    if let Some(rest) = own.strip_prefix(PARTY_KEYS) {
        let begin = key.len() - rest.len();
        let end = begin + rest.iter().rposition(|byte| *byte == b'/')?;
        return Some((&key[..begin], &key[begin..end], &key[end..]));
    }
    let tenant = key.len() - own.len();
    let Range { start, end } = keys::value_in_entry(own)?;
    let (begin, end) = (tenant + start, tenant + end);
    Some((&key[..begin], &key[begin..end], &key[end..]))
}

impl Wrapped {
    fn write(&self) -> Vec<u8> {
        let mut bytes = vec![KEYS_VERSION];
        bytes.extend(self.master);
        bytes.extend(self.opened.to_be_bytes());
        for (number, key) in &self.keys {
            bytes.extend(number.to_be_bytes());
            bytes.extend(key);
        }
        bytes
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        const KEY: usize = 2 + NONCE_LEN + KEY_BYTES + 16;
        let rest = bytes.strip_prefix(&[KEYS_VERSION])?;
        let (master, rest) = rest.split_first_chunk::<8>()?;
        let (opened, rest) = rest.split_first_chunk::<4>()?;
        let keys = rest.chunks(KEY).map(|chunk| {
            let (number, key) = chunk.split_first_chunk::<2>()?;
            (chunk.len() == KEY).then(|| (u16::from_be_bytes(*number), key.to_vec()))
        });
        let keys = keys.collect::<Option<Vec<_>>>()?;
        Some(Self { master: *master, opened: u32::from_be_bytes(*opened), keys })
    }
}

fn wrapped(cipher: &LessSafeKey, number: u16, key: &[u8; KEY_BYTES]) -> Result<Vec<u8>, SealError> {
    // A random nonce may be repeated after billions of keys; a store wraps a few each time it opens.
    let nonce: [u8; NONCE_LEN] = random_bytes()?;
    let mut sealed = key.to_vec();
    cipher
        .seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(number.to_be_bytes()),
            &mut sealed,
        )
        .map_err(|_| SealError::Keys)?;
    Ok([nonce.as_slice(), &sealed].concat())
}

fn unwrapped(
    cipher: &LessSafeKey,
    number: u16,
    bytes: &[u8],
) -> Option<Zeroizing<[u8; KEY_BYTES]>> {
    let (nonce, sealed) = bytes.split_first_chunk::<NONCE_LEN>()?;
    let mut sealed = Zeroizing::new(sealed.to_vec());
    let nonce = Nonce::assume_unique_for_key(*nonce);
    let key = cipher.open_in_place(nonce, Aad::from(number.to_be_bytes()), &mut sealed).ok()?;
    Some(Zeroizing::new((&*key).try_into().ok()?))
}

fn cipher(key: &[u8; KEY_BYTES]) -> LessSafeKey {
    let key = UnboundKey::new(&AES_256_GCM, key).expect("the key has the length of the cipher's");
    LessSafeKey::new(key)
}

fn random() -> Result<Zeroizing<[u8; KEY_BYTES]>, SealError> {
    random_bytes().map(Zeroizing::new)
}

fn random_bytes<const N: usize>() -> Result<[u8; N], SealError> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| SealError::Random)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
