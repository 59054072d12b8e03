//! People: how they log in, and their sessions.

use engine::documents;

use super::cookie::Cookies;
use super::login::Login;
use super::session::{Life, Sessions};
use crate::documents::Documents;

/// People in browsers.
#[derive(Debug)]
pub struct People {
    pub sessions: Sessions,
    pub login: Login,
    pub cookies: Cookies,
}

impl People {
    /// Lets people log in. Sessions of other providers end.
    pub async fn open(
        documents: &Documents,
        login: Login,
        life: Life,
        cookies: Cookies,
    ) -> Result<Self, documents::Error> {
        let sessions = Sessions::open(documents, life, |record| record.issuer == login.issuer());
        let sessions = sessions.await?;
        Ok(Self { sessions, login, cookies })
    }
}
