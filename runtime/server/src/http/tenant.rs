//! The tenant that a request is for: the one that its path names behind `/tenants/`; else the one of its
//! identity; else the default one. A tenant that does not exist, and one of others, are answered alike.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::response::{IntoResponse as _, Response};
use engine::tenant::TenantName;
use tokio::runtime::Handle;
use tokio::task::JoinSet;

use super::ServerState;
use super::call::Call;
use super::problem::{Problem, nothing_here};
use crate::access::{Identity, Proof};
use crate::config::tenants;

/// What a path begins with that names a tenant.
const PIECE: &str = "tenants";

/// The named tenants of a server.
pub(super) type Tenants = BTreeMap<TenantName, Arc<ServerState>>;

/// The tenant that a path names.
pub(super) enum Named {
    /// It names none.
    None,
    Tenant(Arc<ServerState>),
    /// One that does not exist.
    Unknown,
}

impl Named {
    /// Takes the name of the tenant off a path.
    pub(super) fn take(server: &ServerState, call: &mut Call) -> Self {
        if call.path.first().is_none_or(|first| first != PIECE) {
            return Self::None;
        }
        let named = call.path.drain(..call.path.len().min(2)).nth(1);
        match named.and_then(|name| server.tenants.get(name.as_str())) {
            Some(tenant) => Self::Tenant(Arc::clone(tenant)),
            None => Self::Unknown,
        }
    }

    /// Whether the path names a tenant: then not even what demands nothing of a client tells whether
    /// there is one.
    pub(super) fn is_some(&self) -> bool {
        match self {
            Self::None => false,
            Self::Tenant(_) | Self::Unknown => true,
        }
    }

    /// The tenant that is named, the default one if none is; `None` if there is no such tenant.
    pub(super) fn state<'a>(&'a self, server: &'a ServerState) -> Option<&'a ServerState> {
        match self {
            Self::None => Some(server),
            Self::Tenant(tenant) => Some(tenant),
            Self::Unknown => None,
        }
    }

    /// Refuses an identity of another tenant, as on a path that leads nowhere.
    pub(super) fn check(&self, identity: &Identity) -> Result<(), Problem> {
        let is_any = identity.proof == Proof::Off;
        let is_own = match self {
            Self::None => true,
            Self::Tenant(tenant) => is_any || tenant.name() == identity.tenant.as_deref(),
            Self::Unknown => false,
        };
        if is_own { Ok(()) } else { Err(nothing_here()) }
    }

    /// The tenant that the request is for. Hrefs in its answer name it.
    pub(super) fn enter(
        self,
        server: Arc<ServerState>,
        call: &mut Call,
    ) -> Result<Arc<ServerState>, Problem> {
        let own = call.admitted.identity.as_ref().and_then(|identity| identity.tenant.as_deref());
        let tenant = match (self, own) {
            (Self::Tenant(tenant), _) => tenant,
            (Self::None, None) => return Ok(server),
            (Self::None, Some(own)) => {
                // An identity may outlive its tenant.
                Arc::clone(server.tenants.get(own).ok_or_else(nothing_here)?)
            }
            (Self::Unknown, _) => return Err(nothing_here()),
        };
        call.base = format!("{}{}", call.base, tenant.prefix()).into();
        Ok(tenant)
    }
}

/// Carries a request out on the threads of its tenant; it ends with its client, as one on those of the
/// connection does.
pub(super) async fn on(
    threads: &Handle,
    answer: impl Future<Output = Response> + Send + 'static,
) -> Response {
    let mut task = JoinSet::new();
    task.spawn_on(answer, threads);
    match task.join_next().await {
        Some(Ok(response)) => response,
        Some(Err(error)) => Problem::ours(&error).into_response(),
        None => Problem::unavailable("the tenant is stopping").into_response(),
    }
}

impl ServerState {
    /// The name of the tenant; `None` for the default one.
    pub(super) fn name(&self) -> Option<&str> {
        self.tenant.as_ref().map(TenantName::as_str)
    }

    /// The beginning of the paths of the tenant.
    pub(super) fn prefix(&self) -> String {
        self.tenant.as_ref().map(tenants::prefix).unwrap_or_default()
    }

    /// The beginning of hrefs without the tenant.
    pub(super) fn outside<'a>(&self, base: &'a str) -> &'a str {
        base.strip_suffix(&*self.prefix()).unwrap_or(base)
    }

    /// This tenant, and those that are served behind it.
    pub(super) fn all(&self) -> impl Iterator<Item = &Self> {
        std::iter::once(self).chain(self.tenants.values().map(Arc::as_ref))
    }
}
