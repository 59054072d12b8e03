//! Values that are written in pieces. A value of many megabytes would delay all writers behind it, so
//! its pieces are facts of their own, written before, and the value of its key only tells how they are
//! put together. A read of the key returns the whole value: each store calls [`whole`].

/// The first bytes of a value in pieces. No other value begins so: texts have no such byte, and no
/// revision of a document is that high.
const MAGIC: &[u8; 16] = b"\xff in pieces v1 \n";

/// A value in pieces: its head, its pieces, its tail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pieces {
    /// The prefix of the keys of the pieces.
    pub prefix: Vec<u8>,
    /// The number of pieces.
    pub count: u32,
    /// The bytes before the pieces.
    pub head: Vec<u8>,
    /// The bytes after the pieces.
    pub tail: Vec<u8>,
}

impl Pieces {
    /// The key of a piece.
    pub fn key(prefix: &[u8], index: u32) -> Vec<u8> {
        [prefix, format!("{index:08x}").as_bytes()].concat()
    }

    /// The keys of all of them.
    pub fn keys(&self) -> impl Iterator<Item = Vec<u8>> + use<'_> {
        (0..self.count).map(|index| Self::key(&self.prefix, index))
    }

    /// The bytes to store under the key of the value.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        for part in [&self.prefix, &self.head] {
            bytes.extend((part.len() as u64).to_be_bytes());
            bytes.extend_from_slice(part);
        }
        bytes.extend(self.count.to_be_bytes());
        bytes.extend_from_slice(&self.tail);
        bytes
    }

    /// Reads the bytes of a key; `None` if they are a plain value.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(MAGIC)?;
        let (prefix, rest) = part(rest)?;
        let (head, rest) = part(rest)?;
        let (count, tail) = rest.split_first_chunk()?;
        let count = u32::from_be_bytes(*count);
        Some(Self { prefix: prefix.into(), count, head: head.into(), tail: tail.into() })
    }

    /// The value without its pieces.
    pub fn hollow(&self) -> Vec<u8> {
        [self.head.as_slice(), &self.tail].concat()
    }
}

fn part(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(usize::try_from(u64::from_be_bytes(*length)).ok()?)
}

/// All of a value, whose pieces `get` reads. A value that lacks a piece is returned as it is stored: it
/// cannot be decoded, and the values beside it can.
pub fn whole<E>(
    bytes: Vec<u8>,
    get: impl Fn(&[u8]) -> Result<Option<Vec<u8>>, E>,
) -> Result<Vec<u8>, E> {
    let Some(mut pieces) = Pieces::read(&bytes) else { return Ok(bytes) };
    let mut value = std::mem::take(&mut pieces.head);
    for key in pieces.keys() {
        let Some(piece) = get(&key)? else { return Ok(bytes) };
        value.extend_from_slice(&piece);
    }
    value.extend_from_slice(&pieces.tail);
    Ok(value)
}

#[cfg(test)]
mod tests;
