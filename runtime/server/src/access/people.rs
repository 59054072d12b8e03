//! People: how they log in, and their sessions.

use engine::documents;

use super::Users;
use super::cookie::Cookies;
use super::login::Login;
use super::session::{Life, Record, Sessions};
use crate::documents::Documents;

/// People in browsers.
#[derive(Debug)]
pub struct People {
    pub sessions: Sessions,
    pub ways: Ways,
    pub cookies: Cookies,
}

/// The ways in which people log in. There is at least one.
#[derive(Debug)]
pub struct Ways {
    /// At a provider of OpenID Connect.
    pub login: Option<Login>,
    /// By a form, with the password of a user of the file.
    pub users: Option<Users>,
}

impl People {
    /// Lets people log in. Sessions that began by a way that is not there any more end.
    pub async fn open(
        documents: &Documents,
        ways: Ways,
        life: Life,
        cookies: Cookies,
    ) -> Result<Self, documents::Error> {
        let sessions = Sessions::open(documents, life, |record| ways.allow(record)).await?;
        Ok(Self { sessions, ways, cookies })
    }

    /// Ends the sessions of users whose entry in the file is another one now, or is gone.
    pub async fn end_changed(&self) -> Result<usize, documents::Error> {
        self.sessions.end_all(|_, record| !self.ways.allow(record)).await
    }
}

impl Ways {
    /// Whether a session may go on: its provider is still that of the settings, or its user has still
    /// the same password, roles, tenant and plugins.
    fn allow(&self, record: &Record) -> bool {
        match record.is_local() {
            true => {
                let entry = self.users.as_ref().and_then(|users| users.entry_of(&record.subject));
                entry.is_some() && entry == record.entry
            }
            false => self.provider_of(record).is_some(),
        }
    }

    /// The provider at which a session began; none for that of a local user.
    pub fn provider_of(&self, record: &Record) -> Option<&Login> {
        self.login.as_ref().filter(|login| login.issuer() == record.issuer)
    }
}
