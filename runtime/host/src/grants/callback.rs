//! What an element shows that answers a task.

use serde::{Deserialize, Serialize};

/// What an element shows that answers a task of a plugin under a key that it knows by itself, which others can guess.
/// The address of a task itself is proof enough: it has a token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallbackProof {
    /// An identity that may, where access is required.
    #[default]
    Identity,
    /// It cannot: only addresses of tasks are answered at.
    Signed,
    /// A client certificate on its connection.
    Certificate,
}

impl CallbackProof {
    pub(crate) fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}
