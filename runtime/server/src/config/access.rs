//! `[access]` of `ferrule.toml`: who may do what.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use engine::causes::chain;
use host::Trust;
use serde::Deserialize;

use super::certificates::{self, CertificateSettings};
use super::issuers::{self, IssuerSettings};
use super::names::check_name;
use super::sessions::SessionSettings;
use super::{ConfigError, Tenants, Tls};
use crate::access::certificate::Certificates;
use crate::access::jwt::Issuers;
use crate::access::login::{Login, LoginSettings};
use crate::access::session::Life;
use crate::access::users::Names;
use crate::access::{Access, Authentication, Permission, Proofs, Role, Roles, Users, Ways};
use crate::secrets::Sources;

/// Who may do what.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct AccessSettings {
    /// Whether requests must prove who makes them.
    pub authentication: Authentication,
    /// Logins of people at a provider.
    pub login: Option<LoginSettings>,
    /// How long people stay logged in.
    pub sessions: Option<SessionSettings>,
    /// Roles besides those that are built in, by their names.
    pub roles: BTreeMap<String, Role>,
    /// The issuers whose tokens are accepted, by their names.
    pub issuers: BTreeMap<String, IssuerSettings>,
    /// The client certificates that are accepted, by their names.
    pub certificates: BTreeMap<String, CertificateSettings>,
    /// The file with local users.
    pub users_file: Option<PathBuf>,
}

/// The means to prove an identity that settings list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Means {
    None,
    Some,
    /// Client certificates among them.
    Certificates,
}

/// What a table names that must be there.
struct Named<'a> {
    table: String,
    tenant: Option<&'a str>,
    ca: Option<&'a Path>,
}

impl AccessSettings {
    /// Refuses means to prove an identity that have no effect, or name what is not there.
    pub(super) fn check(&self, tls: Option<&Tls>, tenants: &Tenants) -> Result<(), String> {
        self.check_names()?;
        let means = self.means();
        let is_listed = means != Means::None || !self.roles.is_empty();
        if is_listed && self.authentication == Authentication::Off {
            return Err(
                "`[access]` lists roles, issuers, certificates or users, which have no effect while \
                 `authentication` is \"off\": set it to \"required\", or remove them"
                    .into(),
            );
        }
        if means == Means::Certificates && tls.is_none_or(|tls| tls.client_ca.is_none()) {
            return Err("`[access.certificates]` needs `[tls]` with `client-ca` and \
                 `client-certificates`"
                .into());
        }
        if let Some(sessions) = self.sessions {
            sessions.check()?;
            if self.login.is_none() && self.users_file.is_none() {
                return Err("`[access.sessions]` has no effect without `[access.login]` or `users-file` in \
                     `[access]`: add one, or remove it"
                    .into());
            }
        }
        for Named { table, tenant, ca } in self.named() {
            if let Some(tenant) = tenant
                && !tenants.keys().any(|known| known.as_str() == tenant)
            {
                return Err(format!(
                    "`[{table}] tenant` names `{tenant}`, which is not there: add `[tenants.{tenant}]`, or leave \
                     it out for the default tenant"
                ));
            }
            if let Some(ca) = ca {
                Trust::read((&format!("[{table}]"), "ca"), Some(ca))
                    .map_err(|error| chain(&error))?;
            }
        }
        Ok(())
    }

    /// Refuses names that are no word.
    fn check_names(&self) -> Result<(), String> {
        let roles = self.roles.keys().map(|name| ("access.roles", name));
        let issuers = self.issuers.keys().map(|name| ("access.issuers", name));
        let certificates = self.certificates.keys().map(|name| ("access.certificates", name));
        let mut all = roles.chain(issuers).chain(certificates);
        all.try_for_each(|(table, name)| check_name(table, name))
    }

    /// What each table names.
    fn named(&self) -> impl Iterator<Item = Named<'_>> {
        let issuers = self.issuers.iter().map(|(name, one)| Named {
            table: format!("access.issuers.{name}"),
            tenant: one.tenant(),
            ca: one.ca(),
        });
        let certificates = self.certificates.iter().map(|(name, one)| Named {
            table: format!("access.certificates.{name}"),
            tenant: one.tenant(),
            ca: None,
        });
        let login = self.login.iter().map(|one| Named {
            table: "access.login".into(),
            tenant: one.tenant.as_deref(),
            ca: one.ca.as_deref(),
        });
        issuers.chain(certificates).chain(login)
    }

    fn means(&self) -> Means {
        match (self.certificates.is_empty(), self.issuers.is_empty() && self.users_file.is_none()) {
            (false, _) => Means::Certificates,
            (true, false) => Means::Some,
            (true, true) => Means::None,
        }
    }

    /// What proves and decides, for the permissions that the routes demand.
    pub(crate) fn open(
        &self,
        known: &[Permission],
        tenants: &Tenants,
    ) -> Result<Access, ConfigError> {
        let roles = Roles::new(&self.roles, known);
        let roles = roles.map_err(|error| ConfigError::Contradiction(error.to_string()))?;
        let issuers =
            issuers::issuers(&self.issuers, &roles).map_err(ConfigError::Contradiction)?;
        let rules = certificates::rules(&self.certificates, &roles);
        let certificates = Certificates::new(rules.map_err(ConfigError::Contradiction)?);
        let names = Names { roles: roles.to_owned(), tenants: tenants.keys().cloned().collect() };
        let users = self.users_file.as_ref().map(|path| Users::read(path.to_owned(), names));
        let users = users.transpose().map_err(ConfigError::Users)?;
        let proofs = Proofs { issuers: Issuers::new(issuers), certificates, users };
        Ok(Access::proving(self.authentication, roles, proofs))
    }

    /// The ways in which people log in, with how long their sessions go on; `None` if there are none.
    pub(crate) fn people(
        &self,
        access: &Access,
        sources: &Sources,
    ) -> Result<Option<(Ways, Life)>, String> {
        if self.login.is_some() && self.authentication == Authentication::Off {
            return Err("[access.login] needs `authentication = \"required\"` in [access]".into());
        }
        let login = self.login.as_ref();
        let login = login.map(|settings| Login::new(settings, sources, access.roles()));
        let ways = Ways { login: login.transpose()?, users: access.users().cloned() };
        let life = self.sessions.unwrap_or_default().life();
        Ok((ways.login.is_some() || ways.users.is_some()).then_some((ways, life)))
    }
}

#[cfg(test)]
mod tests;
