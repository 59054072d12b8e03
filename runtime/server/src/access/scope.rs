//! What an identity may do on a route: everything, nothing, or what a condition covers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::expr::{Expr, Scope as Variables};
use serde::Serialize;
use serde_json::Value;
use tmf::document::write;

use super::{Hidden, Identity, Reader, RoleName};

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
    /// Whether something was hidden from it: scope and reader note it.
    pub hidden: Hidden,
}

impl Admitted {
    /// Passes on whether the client may see what its request names, and notes it if not.
    pub fn shows(&self, is_shown: bool) -> bool {
        if !is_shown {
            self.hidden.note();
        }
        is_shown
    }

    /// The same, without a note of what is hidden: for what is left out of an answer beside its subject.
    #[must_use]
    pub fn quietly(&self) -> Self {
        let identity = self.identity.as_ref().map(Arc::clone);
        let scope = match &self.scope {
            Scope::All => Scope::All,
            Scope::Some(conditions, _) => Scope::Some(Arc::clone(conditions), Hidden::default()),
            Scope::Nothing(_) => Scope::default(),
        };
        Self { identity, scope, reader: self.reader.quietly(), hidden: Hidden::default() }
    }
}

/// The documents that a decision covers. It notes that there was one which it does not cover.
#[derive(Clone, Debug)]
pub enum Scope {
    All,
    /// Those for which one of some conditions is true.
    Some(Arc<Conditions>, Hidden),
    Nothing(Hidden),
}

/// Conditions of the roles of one identity.
#[derive(Debug)]
pub struct Conditions {
    any: Vec<Expr>,
    variables: Variables,
}

/// The variables of conditions.
pub const VARIABLES: [&str; 2] = ["document", "identity"];

impl Default for Scope {
    fn default() -> Self {
        Self::Nothing(Hidden::default())
    }
}

impl Scope {
    /// What a decision covers, noting what it does not.
    pub(super) fn of(decision: Decision, hidden: &Hidden) -> Self {
        match decision {
            Decision::Allowed(Self::All) => Self::All,
            Decision::Allowed(Self::Some(conditions, _)) => {
                Self::Some(conditions, hidden.to_owned())
            }
            Decision::Allowed(Self::Nothing(_)) | Decision::Denied => {
                Self::Nothing(hidden.to_owned())
            }
        }
    }

    /// The documents for which one of some conditions is true.
    pub(super) fn any(any: Vec<Expr>, identity: &Identity) -> Self {
        let described = serde_json::to_value(Described::of(identity)).unwrap_or_default();
        let variables = Variables::default().with("identity", &described);
        Self::Some(Arc::new(Conditions { any, variables }), Hidden::default())
    }

    /// Whether it covers every document.
    pub fn is_all(&self) -> bool {
        matches!(self, Self::All)
    }

    /// The texts of its conditions.
    pub fn sources(&self) -> Vec<String> {
        match self {
            Self::All | Self::Nothing(_) => Vec::new(),
            Self::Some(conditions, _) => {
                conditions.any.iter().map(|condition| condition.source().to_owned()).collect()
            }
        }
    }

    /// Whether it covers no document.
    pub fn is_nothing(&self) -> bool {
        matches!(self, Self::Nothing(_))
    }

    /// Whether it covers a document. A condition that fails to evaluate covers nothing, and is logged.
    pub fn covers(&self, document: &impl Serialize) -> bool {
        let (is_covered, hidden) = match self {
            Self::All => return true,
            Self::Nothing(hidden) => (false, hidden),
            Self::Some(conditions, hidden) => (conditions.cover(document), hidden),
        };
        if !is_covered {
            hidden.note();
        }
        is_covered
    }
}

impl Conditions {
    fn cover(&self, document: &impl Serialize) -> bool {
        let variables = self.variables.clone().with("document", &write(document));
        self.any.iter().any(|condition| match condition.is_true(&variables) {
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
