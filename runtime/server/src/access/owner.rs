//! Who owns what outlives a request, such as a subscription: an identity as it was then. The roles that
//! it had are kept by their names, and count as they are defined now.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Identity, Narrowing, Permission, Proof, RoleName};

/// An identity, as it is stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Owner {
    subject: String,
    proof: Proof,
    tenant: Option<String>,
    roles: BTreeSet<RoleName>,
    plugins: BTreeSet<String>,
    claims: BTreeMap<String, Value>,
    /// The scope of its credentials.
    only: Vec<String>,
}

impl Owner {
    /// The owner of what an identity makes; `None` while access is off.
    pub fn of(identity: &Identity) -> Option<Self> {
        let Identity { subject, proof, tenant, roles, plugins, claims, only, .. } =
            identity.clone();
        if proof == Proof::Off {
            return None;
        }
        let only = only.map(|only| only.texts().to_vec()).unwrap_or_default();
        Some(Self { subject, proof, tenant, roles, plugins, claims, only })
    }

    /// The identity. A scope that cannot be read any more covers nothing.
    pub fn identity(self, known: &[Permission]) -> Arc<Identity> {
        let Self { subject, proof, tenant, roles, plugins, claims, only } = self;
        let narrowed = Narrowing::read(&only, known);
        let only = narrowed.unwrap_or_else(|_| Some(Narrowing::nothing(&only)));
        let until = None;
        Arc::new(Identity {
            subject,
            proof,
            tenant,
            roles,
            plugins,
            claims,
            only,
            until,
            entry: None,
        })
    }
}
