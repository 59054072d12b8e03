//! The file of the users.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use host::regular::{Exposed, check_private, read_text};
use model::Digest;
use serde::{Deserialize, Serialize};

use super::Names;
use super::hash::{HashError, Hashed};
use crate::access::identity::{SUBJECT_BYTES_MAX, check_plugins};
use crate::access::{Identity, Proof};

/// Max bytes of the file.
const FILE_BYTES_MAX: usize = 1 << 20;

/// Max users.
const USERS_MAX: usize = 1_000;

/// A user.
#[derive(Debug)]
pub struct User {
    hashed: Hashed,
    identity: Arc<Identity>,
}

/// Why a file of users cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("`{path}` cannot be read")]
    Read {
        path: String,
        #[source]
        source: std::io::Error,
    },
    /// Hashes of passwords are for guessing.
    #[error(transparent)]
    Exposed(Exposed),
    /// The text is not shown: it has hashes of passwords.
    #[error(
        "`{path}` is wrong in line {line}: each user is a table `[NAME]` with `password` and `roles`"
    )]
    Parse { path: String, line: usize },
    #[error("`{path}` has more than {USERS_MAX} users")]
    TooMany { path: String },
    #[error("`{path}`, user `{name}`: {mistake}")]
    User { path: String, name: String, mistake: Mistake },
}

/// Why a user cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Mistake {
    #[error(transparent)]
    Hash(#[from] HashError),
    #[error("{0}")]
    Role(String),
    #[error(
        "`tenant` names `{0}`, which is not there: add `[tenants.{0}]` to the settings, or leave it out for the default \
         tenant"
    )]
    Tenant(String),
    #[error("{0}")]
    Plugins(String),
    #[error("a name has 1 to {SUBJECT_BYTES_MAX} bytes without `:` and control characters")]
    Name,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Written {
    /// The hash that `ferrule user hash` prints.
    password: String,
    roles: Vec<String>,
    #[serde(default)]
    plugins: BTreeSet<String>,
    tenant: Option<String>,
}

impl User {
    pub(super) fn hashed(&self) -> &Hashed {
        &self.hashed
    }

    /// Who it is, by its password.
    pub fn identity(&self) -> &Arc<Identity> {
        &self.identity
    }
}

/// The users of a file, by their names.
pub(super) fn read(path: &Path, names: &Names) -> Result<BTreeMap<String, Arc<User>>, FileError> {
    let shown = || path.display().to_string();
    check_private(path).map_err(FileError::Exposed)?;
    let text = read_text(path, FILE_BYTES_MAX)
        .map_err(|source| FileError::Read { path: shown(), source })?;
    let written: BTreeMap<String, Written> = toml::from_str(&text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        FileError::Parse { path: shown(), line: before.matches('\n').count() + 1 }
    })?;
    if written.len() > USERS_MAX {
        return Err(FileError::TooMany { path: shown() });
    }
    let users = written.into_iter().map(|(name, written)| {
        let user = written.user(&name, names).map_err(|mistake| FileError::User {
            path: shown(),
            name: name.to_owned(),
            mistake,
        })?;
        Ok((name, Arc::new(user)))
    });
    users.collect()
}

impl Written {
    fn user(self, name: &str, names: &Names) -> Result<User, Mistake> {
        let is_name = !name.is_empty() && name.len() <= SUBJECT_BYTES_MAX;
        if !is_name || name.contains(|letter: char| letter == ':' || letter.is_control()) {
            return Err(Mistake::Name);
        }
        if let Some(tenant) = &self.tenant
            && !names.tenants.contains(tenant.as_str())
        {
            return Err(Mistake::Tenant(tenant.to_owned()));
        }
        check_plugins(&self.plugins).map_err(Mistake::Plugins)?;
        let roles = self.roles.iter().map(|name| names.roles.named(name).map_err(Mistake::Role));
        let entry = serde_json::to_vec(&self).expect("an entry has texts only");
        let identity = Identity {
            subject: name.to_owned(),
            proof: Proof::Password,
            tenant: self.tenant,
            roles: roles.collect::<Result<_, _>>()?,
            plugins: self.plugins,
            claims: BTreeMap::new(),
            only: None,
            until: None,
            entry: Some(Digest::of(&entry)),
        };
        let hashed = Hashed::read(&self.password)?;
        Ok(User { hashed, identity: Arc::new(identity) })
    }
}
