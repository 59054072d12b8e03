//! What an identity may do on a route: everything, nothing, or what a condition covers.

use std::sync::Arc;

use model::expr::{Expr, Scope as Variables};
use serde_json::{Value, json};

use super::Identity;

/// The decision about one permission.
#[derive(Clone, Debug)]
pub enum Decision {
    Allowed(Scope),
    Denied,
}

/// Who makes a request, and on which documents it may act.
#[derive(Clone, Debug)]
pub struct Admitted {
    /// `None` only on routes that demand nothing.
    pub identity: Option<Arc<Identity>>,
    pub scope: Scope,
}

/// The documents that a decision covers.
#[derive(Clone, Debug)]
pub enum Scope {
    All,
    /// Those for which one of some conditions is true.
    Some(Arc<Conditions>),
}

/// Conditions of the roles of one identity.
#[derive(Debug)]
pub struct Conditions {
    any: Vec<Expr>,
    variables: Variables,
}

/// The variables of conditions.
pub const VARIABLES: [&str; 2] = ["document", "identity"];

impl Default for Admitted {
    fn default() -> Self {
        Self { identity: None, scope: Scope::All }
    }
}

impl Scope {
    /// The documents for which one of some conditions is true.
    pub(super) fn any(any: Vec<Expr>, identity: &Identity) -> Self {
        let variables = Variables::default().with("identity", &described(identity));
        Self::Some(Arc::new(Conditions { any, variables }))
    }

    /// Whether it covers every document.
    pub fn is_all(&self) -> bool {
        matches!(self, Self::All)
    }

    /// Whether it covers a document. A condition that fails to evaluate covers nothing, and is logged.
    pub fn covers(&self, document: &Value) -> bool {
        let Self::Some(conditions) = self else { return true };
        let variables = conditions.variables.clone().with("document", document);
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
fn described(identity: &Identity) -> Value {
    json!({
        "subject": identity.subject,
        "roles": identity.roles,
        "plugins": identity.plugins,
        "claims": identity.claims,
    })
}
