//! What a plugin read back of a piece of work.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::bounds::{Bounds, Exceeded};

/// What a plugin read back of a piece of work.
#[derive(Clone, Debug, PartialEq)]
pub enum Reading {
    /// The element knows nothing of it.
    Nothing,
    /// The element is still at it.
    Pending,
    /// The element holds something.
    Held {
        /// What the work yields, as far as the element tells it.
        outputs: Map<String, Value>,
        /// In what it is another than was asked for.
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
        let told = differences.map(|one| (one.name.as_str(), &one.expected, &one.found));
        bounds.read_back(outputs, told)
    }
}

/// Whose a thing is that an element holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder {
    /// It was put there under the key that was asked for.
    Ours,
    /// It was put there under this key.
    Other(String),
    /// The element does not say.
    Unknown,
}

/// A value that is another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// What it is called.
    pub name: String,
    /// What it should be.
    pub expected: Value,
    /// What it is; null where there is none.
    pub found: Value,
}
