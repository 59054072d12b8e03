//! The file of the users.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use host::regular::read_text;
use model::Digest;
use serde::{Deserialize, Serialize};
use tmf::nearest::nearest;

use super::hash::{HashError, Hashed};
use crate::access::identity::SUBJECT_BYTES_MAX;
use crate::access::{Identity, Proof, RoleName, Roles};

/// Max bytes of the file.
const FILE_BYTES_MAX: usize = 1 << 20;

/// Max users.
const USERS_MAX: usize = 1_000;

/// A user.
#[derive(Debug)]
pub struct User {
    hashed: Hashed,
    identity: Arc<Identity>,
    entry: Digest,
}

/// A state of a file, as far as its place shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp(Option<(SystemTime, u64)>);

/// Why a file of users cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("`{path}` cannot be read")]
    Read {
        path: String,
        #[source]
        source: std::io::Error,
    },
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
    #[error("there is no role `{role}`{hint}")]
    Role { role: String, hint: String },
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

impl Stamp {
    pub(super) fn of(path: &Path) -> Self {
        let data = std::fs::metadata(path).ok();
        Self(data.and_then(|data| Some((data.modified().ok()?, data.len()))))
    }
}

impl User {
    pub(super) fn hashed(&self) -> &Hashed {
        &self.hashed
    }

    /// Who it is, by its password.
    pub fn identity(&self) -> &Arc<Identity> {
        &self.identity
    }

    /// The digest of its entry: another password, role, tenant or plugin makes another one.
    pub fn entry(&self) -> &Digest {
        &self.entry
    }
}

/// The users of a file, by their names.
pub(super) fn read(path: &Path, roles: &Roles) -> Result<BTreeMap<String, Arc<User>>, FileError> {
    let shown = || path.display().to_string();
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
        let user = written.user(&name, roles).map_err(|mistake| FileError::User {
            path: shown(),
            name: name.to_owned(),
            mistake,
        })?;
        Ok((name, Arc::new(user)))
    });
    users.collect()
}

impl Written {
    fn user(self, name: &str, roles: &Roles) -> Result<User, Mistake> {
        let is_name = !name.is_empty() && name.len() <= SUBJECT_BYTES_MAX;
        if !is_name || name.contains(|letter: char| letter == ':' || letter.is_control()) {
            return Err(Mistake::Name);
        }
        let read = |role: String| {
            let role = RoleName::new(role);
            if roles.knows(&role) {
                return Ok(role);
            }
            let near = nearest(role.as_str(), roles.names().map(RoleName::as_str));
            let hint = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
            Err(Mistake::Role { role: role.to_string(), hint })
        };
        let entry = serde_json::to_vec(&self).expect("an entry has texts only");
        let identity = Identity {
            subject: name.to_owned(),
            proof: Proof::Password,
            tenant: self.tenant,
            roles: self.roles.into_iter().map(read).collect::<Result<_, _>>()?,
            plugins: self.plugins,
            claims: BTreeMap::new(),
            only: None,
            until: None,
        };
        let hashed = Hashed::read(&self.password)?;
        Ok(User { hashed, identity: Arc::new(identity), entry: Digest::of(&entry) })
    }
}
