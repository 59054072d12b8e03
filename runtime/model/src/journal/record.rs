//! A record: what one commit adds to a journal, and its bytes.

use serde::{Deserialize, Serialize};

use super::Event;
use crate::bounds::text_depth;
use tmf::time::Timestamp;

/// The version that new records carry. Older ones are read for ever; see the golden files.
pub const VERSION: u32 = 1;

/// Levels of arrays and objects in a record: serde_json reads 127. Values from outside have at most
/// 64, so only a bug of ours comes near.
pub const LEVELS_MAX: usize = 120;

/// What one commit adds to a fulfilment's journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The version of the events' shapes.
    pub v: u32,
    /// When it was decided.
    pub at: Timestamp,
    /// What happened, in order.
    pub events: Vec<Event>,
}

/// What every version of a record has.
#[derive(Deserialize)]
struct Versioned {
    v: u32,
}

/// A record that cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// Something in it is no JSON.
    #[error("a journal record that is no JSON")]
    Shape(#[source] serde_json::Error),
    /// It could not be read again.
    #[error("a journal record of {levels} levels, the limit is {LEVELS_MAX}")]
    TooDeep {
        /// Levels of arrays and objects.
        levels: usize,
    },
}

/// A record that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// It is no record of ours.
    #[error("not a journal record")]
    Shape(#[source] serde_json::Error),
    /// A newer Ferrule wrote it.
    #[error("a journal record of version {0}, this Ferrule reads up to {VERSION}: use a newer one")]
    Version(u32),
}

impl Record {
    /// A record of the current version.
    pub fn new(at: Timestamp, events: Vec<Event>) -> Self {
        Self { v: VERSION, at, events }
    }

    /// The record's bytes: JSON, so that a journal can be read without us. A record that
    /// cannot be read again is not written.
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        let text = serde_json::to_string(self).map_err(EncodeError::Shape)?;
        let levels = text_depth(&text);
        if levels > LEVELS_MAX {
            return Err(EncodeError::TooDeep { levels });
        }
        debug_assert!(Self::decode(text.as_bytes()).is_ok(), "what is written can be read");
        Ok(text.into_bytes())
    }

    /// Reads a record of this or an older version.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        match serde_json::from_slice::<Self>(bytes) {
            Ok(record) if record.v <= VERSION => Ok(record),
            Ok(record) => Err(DecodeError::Version(record.v)),
            // A newer shape cannot be read, but its version can.
            Err(error) => match serde_json::from_slice(bytes) {
                Ok(Versioned { v }) if v > VERSION => Err(DecodeError::Version(v)),
                Ok(Versioned { .. }) | Err(_) => Err(DecodeError::Shape(error)),
            },
        }
    }
}
