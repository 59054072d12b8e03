//! Logins of people at a provider of OpenID Connect: by authorization code with PKCE, a state that is bound
//! to the browser, and a nonce. The roles are those that the provider's claims give at the login; nothing is
//! refreshed afterwards.

pub mod logout_token;
mod pending;
mod provider;
mod return_to;
mod settings;

use tmf::time::Timestamp;

pub use pending::LOGIN_MS;
pub use provider::LoginError;
pub use return_to::return_to;
pub use settings::LoginSettings;

use super::claims::{ClaimRules, Claims};
use super::identity::SUBJECT_BYTES_MAX;
use super::role::Roles;
use super::secret::{Hash, NoRandom, Secret};
use super::session::{self, Record};
use crate::secrets::Sources;
use logout_token::{Named, NotALogout, Parties, Used};
use pending::{Begun, Pending};
use provider::{Fresh, Provider};

/// Claims that are about a token, not about a person.
const OF_TOKENS: [&str; 14] = [
    "iss",
    "aud",
    "azp",
    "exp",
    "iat",
    "nbf",
    "jti",
    "nonce",
    "at_hash",
    "c_hash",
    "s_hash",
    "sid",
    "auth_time",
    "sub",
];

/// Max bytes of the claims of a person that are kept.
const CLAIMS_BYTES_MAX: usize = 8 << 10;

/// Max bytes of a name that is shown.
const NAME_BYTES_MAX: usize = 128;

/// Logins at a provider.
pub struct Login {
    provider: Provider,
    rules: ClaimRules,
    pending: Pending,
    used: Used,
}

/// A login that has begun.
pub struct Begin {
    /// The page of the provider that the browser goes to.
    pub page: String,
    /// The state, which names the cookie.
    pub state: String,
    /// The value of the cookie.
    pub cookie: Secret,
}

/// The callback of a login, as the browser brings it.
pub struct Callback<'a> {
    pub state: &'a str,
    pub code: &'a str,
    /// The provider that it comes from, if it tells (RFC 9207).
    pub issuer: Option<&'a str>,
    pub cookie: &'a str,
}

/// Why a callback begins no session.
#[derive(Debug, thiserror::Error)]
pub enum CallbackError {
    /// It belongs to no login of this browser: it came late, twice, or from elsewhere.
    #[error("no login of this browser is under way with that state")]
    Unknown,
    /// It comes from another provider.
    #[error("the callback is that of another provider")]
    Issuer,
    #[error(transparent)]
    Login(#[from] LoginError),
}

impl Login {
    /// Logins by some settings.
    pub fn new(settings: &LoginSettings, sources: &Sources, roles: &Roles) -> Result<Self, String> {
        settings.check(roles).map_err(|mistake| format!("[access.login] {mistake}"))?;
        let secret = settings.secret(sources);
        let secret = secret.map_err(|mistake| format!("[access.login] {mistake}"))?;
        let rules = settings.rules();
        let provider = Provider::new(settings.to_owned(), secret);
        Ok(Self { provider, rules, pending: Pending::default(), used: Used::default() })
    }

    /// The provider.
    pub fn issuer(&self) -> &str {
        self.provider.issuer()
    }

    /// Begins a login that comes back to a URL.
    pub async fn begin(
        &self,
        redirect: String,
        return_to: &str,
        now: Timestamp,
    ) -> Result<Begin, LoginError> {
        let failed = |error: NoRandom| LoginError::Unavailable(error.to_string());
        let draw = || Secret::draw().map_err(failed);
        let (state, cookie) = (draw()?.text().to_owned(), draw()?);
        let begun = Begun {
            browser: Hash::of(cookie.text()).expect("a secret has the form of one"),
            begun: now,
            nonce: draw()?,
            verifier: draw()?,
            redirect,
            return_to: return_to.to_owned(),
        };
        let page = self.provider.page(&state, &begun).await?;
        self.pending.keep(&state, begun);
        Ok(Begin { page, state, cookie })
    }

    /// Ends a login: the session that it begins, and where the browser goes.
    pub async fn end(
        &self,
        callback: Callback<'_>,
        now: Timestamp,
    ) -> Result<(Record, String), CallbackError> {
        let begun = self.pending.take(callback.state, callback.cookie, now);
        let begun = begun.ok_or(CallbackError::Unknown)?;
        if callback.issuer.is_some_and(|issuer| issuer != self.issuer()) {
            return Err(CallbackError::Issuer);
        }
        let proven = self.provider.exchange(callback.code, &begun, now).await?;
        let record = self.record(proven.claims, proven.id_token, now)?;
        Ok((record, begun.return_to))
    }

    /// Gives up a login that the provider refused.
    pub fn give_up(&self, state: &str, cookie: &str, now: Timestamp) -> Result<(), CallbackError> {
        self.pending.take(state, cookie, now).map(|_| ()).ok_or(CallbackError::Unknown)
    }

    fn record(
        &self,
        mut claims: Claims,
        id_token: String,
        now: Timestamp,
    ) -> Result<Record, LoginError> {
        let refused = |reason: &str| LoginError::Refused(reason.to_owned());
        let granted = self.rules.read(&claims);
        let granted = granted.map_err(|error| LoginError::Refused(error.to_string()))?;
        let text = |name: &str| claims.get(name).and_then(|value| value.as_str());
        let subject = text("sub").filter(|sub| (1..=SUBJECT_BYTES_MAX).contains(&sub.len()));
        let subject = subject.ok_or_else(|| refused("the subject is missing or too long"))?;
        let subject = subject.to_owned();
        let names = ["name", "preferred_username", "email"];
        let mut called = names.into_iter().filter_map(text).map(str::trim);
        let called = called.find(|name| (1..=NAME_BYTES_MAX).contains(&name.len()));
        let name = called.unwrap_or(&subject).to_owned();
        let sid = text("sid").map(str::to_owned);
        claims.retain(|name, _| !OF_TOKENS.contains(&name.as_str()));
        let bytes = serde_json::to_vec(&claims).map_or(usize::MAX, |text| text.len());
        if bytes > CLAIMS_BYTES_MAX {
            return Err(refused("the claims are too long"));
        }
        let provider = Some(session::Provider { sid, id_token: Some(id_token) });
        Ok(Record {
            subject,
            name,
            issuer: self.issuer().to_owned(),
            tenant: granted.tenant,
            roles: granted.roles,
            plugins: granted.plugins,
            claims,
            begun: now,
            provider,
            entry: None,
        })
    }

    /// The page of the provider at which its own session ends as well.
    pub async fn logout_page(&self, record: &Record, back: String) -> Option<String> {
        let token = record.provider.as_ref().and_then(|provider| provider.id_token.as_deref());
        self.provider.logout_page(token, back).await
    }

    /// The origin of that page.
    pub async fn logout_origin(&self) -> Option<String> {
        self.provider.logout_origin().await
    }

    /// Whose sessions a logout token ends.
    pub async fn named(&self, token: &str, now: Timestamp) -> Result<Named, LogoutError> {
        let mut metadata = self.provider.metadata(Fresh::Kept).await?;
        let read = |keys: &_| {
            let parties =
                Parties { issuer: self.issuer(), client: self.provider.client_id(), keys };
            logout_token::read(token, &parties, &self.used, now)
        };
        let mut named = read(metadata.jwks());
        if named == Err(NotALogout::Signature) {
            metadata = self.provider.metadata(Fresh::NewKeys).await?;
            named = read(metadata.jwks());
        }
        Ok(named?)
    }

    /// Whether a session is one that a logout token ends.
    pub fn is_ended(&self, record: &Record, named: &Named) -> bool {
        let sid = record.provider.as_ref().and_then(|provider| provider.sid.as_ref());
        record.issuer == self.issuer()
            && named.subject.as_ref().is_none_or(|subject| *subject == record.subject)
            && (named.sid.is_none() || named.sid.as_ref() == sid)
    }
}

/// Why the provider ends no session.
#[derive(Debug, thiserror::Error)]
pub enum LogoutError {
    #[error(transparent)]
    Login(#[from] LoginError),
    #[error("the logout token is refused: {0}")]
    Token(#[from] NotALogout),
}

impl std::fmt::Debug for Login {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Login").field("issuer", &self.issuer()).finish_non_exhaustive()
    }
}
