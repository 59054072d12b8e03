//! What an identity may do on a route: everything, nothing, or what a condition covers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::expr::{Expr, Scope as Variables};
use serde::Serialize;
use serde_json::Value;
use tmf::document::write;

use super::{Identity, Reader, RoleName};

/// The decision about one permission.
#[derive(Clone, Debug)]
pub enum Decision {
    Allowed(Scope),
    Denied,
}

/// Who makes a request, and on which documents it may act. Before the gate has decided: on none.
#[derive(Clone, Debug, Default)]
pub struct Admitted {
    /// `None` only on routes that demand nothing.
    pub identity: Option<Arc<Identity>>,
    /// What the permission of the route itself covers.
    pub scope: Scope,
    /// What the identity may do with documents that the route reaches besides.
    pub reader: Reader,
}

/// The documents that a decision covers.
#[derive(Clone, Debug, Default)]
pub enum Scope {
    All,
    /// Those for which one of some conditions is true.
    Some(Arc<Conditions>),
    #[default]
    Nothing,
}

/// Conditions of the roles of one identity.
#[derive(Debug)]
pub struct Conditions {
    any: Vec<Expr>,
    variables: Variables,
}

/// The variables of conditions.
pub const VARIABLES: [&str; 2] = ["document", "identity"];

impl From<Decision> for Scope {
    fn from(decision: Decision) -> Self {
        match decision {
            Decision::Allowed(scope) => scope,
            Decision::Denied => Self::Nothing,
        }
    }
}

impl Scope {
    /// The documents for which one of some conditions is true.
    pub(super) fn any(any: Vec<Expr>, identity: &Identity) -> Self {
        let described = serde_json::to_value(Described::of(identity)).unwrap_or_default();
        let variables = Variables::default().with("identity", &described);
        Self::Some(Arc::new(Conditions { any, variables }))
    }

    /// Whether it covers every document.
    pub fn is_all(&self) -> bool {
        matches!(self, Self::All)
    }

    /// The texts of its conditions.
    pub fn sources(&self) -> Vec<String> {
        match self {
            Self::All | Self::Nothing => Vec::new(),
            Self::Some(conditions) => {
                conditions.any.iter().map(|condition| condition.source().to_owned()).collect()
            }
        }
    }

    /// Whether it covers no document.
    pub fn is_nothing(&self) -> bool {
        matches!(self, Self::Nothing)
    }

    /// Whether it covers a document. A condition that fails to evaluate covers nothing, and is logged.
    pub fn covers(&self, document: &impl Serialize) -> bool {
        let conditions = match self {
            Self::All => return true,
            Self::Nothing => return false,
            Self::Some(conditions) => conditions,
        };
        let variables = conditions.variables.clone().with("document", &write(document));
        conditions.any.iter().any(|condition| match condition.is_true(&variables) {
            Ok(holds) => holds,
            Err(error) => {
                tracing::warn!(%error, "a condition of a role fails, so it allows nothing");
                false
            }
        })
    }
}

/// An identity as conditions see it.
#[derive(Serialize)]
struct Described<'a> {
    subject: &'a str,
    roles: &'a BTreeSet<RoleName>,
    plugins: &'a BTreeSet<String>,
    claims: &'a BTreeMap<String, Value>,
}

impl<'a> Described<'a> {
    fn of(identity: &'a Identity) -> Self {
        let Identity { subject, roles, plugins, claims, .. } = identity;
        Self { subject, roles, plugins, claims }
    }
}
