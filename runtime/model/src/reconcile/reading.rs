//! Readings: the state of a piece of work that a plugin read back.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::bounds::{Bounds, Exceeded};

/// The state of a piece of work at an element, as a plugin read it back.
#[derive(Clone, Debug, PartialEq)]
pub enum Reading {
    /// The element knows nothing of it.
    Nothing,
    /// The element is still working on it.
    Pending,
    /// The element holds something.
    Held {
        /// The outputs of the work, as far as the element tells them.
        outputs: Map<String, Value>,
        /// The values that differ from those asked for.
        differences: Vec<Difference>,
        /// Whose it is.
        holder: Holder,
    },
}

impl Reading {
    /// Checks that it is within bounds.
    pub fn check(&self, bounds: &Bounds) -> Result<(), Exceeded> {
        let Self::Held { outputs, differences, .. } = self else { return Ok(()) };
        let differences = differences.iter();
        let compared = differences.map(|one| (one.name.as_str(), &one.expected, &one.found));
        bounds.read_back(outputs, compared)
    }
}

/// The owner of something that an element has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder {
    /// It was put there under the key that was asked for.
    Ours,
    /// It was put there under this key.
    Other(String),
    /// The element does not tell.
    Unknown,
}

/// A value that differs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// Its name.
    pub name: String,
    /// The expected value.
    pub expected: Value,
    /// The actual value, `null` if there is none.
    pub found: Value,
}
