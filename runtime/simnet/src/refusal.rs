//! Why a call to the simulated network is not carried out.

use thiserror::Error;

use super::element::{Dialect, Place, names};

/// An answer that changed nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum Refusal {
    #[error("there is no element `{name}`; known are {}", names())]
    UnknownElement { name: String },
    #[error("`{element}` has no `{path}`: it speaks {}, call {}", .dialect.name(), .dialect.form())]
    UnknownPath { element: &'static str, path: String, dialect: Dialect },
    #[error("`{method}` is not allowed here: call {}", .dialect.form())]
    Method { method: String, dialect: Dialect },
    #[error("the method `{method}` is not create…, update…, delete… or get… and a thing")]
    UnknownMethod { method: String },
    #[error("the body is not JSON: {why}")]
    Json { why: String },
    #[error("{what}")]
    Malformed { what: String },
    #[error("the body has more than {max} bytes")]
    TooLarge { max: usize },
    #[error("there is no `{}` in `{}`", .place.id, .place.collection)]
    NotFound { place: Place },
    #[error("`{}` in `{}` is in use by key `{key}`", .place.id, .place.collection)]
    InUse { place: Place, key: String },
    #[error("the idempotency key `{key}` was used for `{id}` already")]
    KeyReused { key: String, id: String },
    #[error("the simulated network is full: DELETE /_effects")]
    Full,
    #[error("the simulated network was cleared or stopped while the call waited")]
    Cleared,
    #[error("{message}")]
    Fault { status: u16, rpc_code: i64, message: String },
}

impl Refusal {
    /// The HTTP status where the dialect has one.
    pub(super) fn status(&self) -> u16 {
        match self {
            Self::UnknownElement { .. } | Self::UnknownPath { .. } | Self::NotFound { .. } => 404,
            Self::Method { .. } => 405,
            Self::UnknownMethod { .. } | Self::Json { .. } | Self::Malformed { .. } => 400,
            Self::TooLarge { .. } => 413,
            Self::InUse { .. } => 409,
            Self::KeyReused { .. } => 422,
            Self::Full => 507,
            Self::Cleared => 503,
            Self::Fault { status, .. } => *status,
        }
    }

    /// The word that programs compare.
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::UnknownElement { .. } => "unknown-element",
            Self::UnknownPath { .. } => "unknown-path",
            Self::Method { .. } => "method-not-allowed",
            Self::UnknownMethod { .. } => "unknown-method",
            Self::Json { .. } | Self::Malformed { .. } => "malformed",
            Self::TooLarge { .. } => "too-large",
            Self::NotFound { .. } => "not-found",
            Self::InUse { .. } => "in-use",
            Self::KeyReused { .. } => "key-reused",
            Self::Full => "full",
            Self::Cleared => "cleared",
            Self::Fault { .. } => "fault",
        }
    }

    /// The JSON-RPC error code.
    pub(super) fn rpc_code(&self) -> i64 {
        match self {
            Self::Json { .. } => -32700,
            Self::UnknownElement { .. } | Self::UnknownPath { .. } | Self::Method { .. } => -32600,
            Self::UnknownMethod { .. } => -32601,
            Self::Malformed { .. } | Self::TooLarge { .. } => -32602,
            Self::NotFound { .. } => -32004,
            Self::InUse { .. } => -32009,
            Self::KeyReused { .. } => -32022,
            // Busy: what may go well later, as a 5xx does in the other dialects.
            Self::Full | Self::Cleared => -32001,
            Self::Fault { rpc_code, .. } => *rpc_code,
        }
    }

    /// The HTTP status around a JSON-RPC error: 200 unless the call itself was not one.
    pub(super) fn rpc_status(&self) -> u16 {
        match self {
            Self::NotFound { .. }
            | Self::InUse { .. }
            | Self::KeyReused { .. }
            | Self::Full
            | Self::Cleared
            | Self::Fault { .. } => 200,
            Self::UnknownElement { .. }
            | Self::UnknownPath { .. }
            | Self::Method { .. }
            | Self::UnknownMethod { .. }
            | Self::Json { .. }
            | Self::Malformed { .. }
            | Self::TooLarge { .. } => self.status(),
        }
    }

    pub(super) fn malformed(what: impl Into<String>) -> Self {
        Self::Malformed { what: what.into() }
    }
}
