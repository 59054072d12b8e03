//! A provider of OpenID Connect: its description with its keys, and what is asked of it. Both are fetched
//! when they are needed, by one request at a time, and again after some minutes.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use engine::causes::chain;
use hyper::header::{ACCEPT, AUTHORIZATION};
use hyper::{Request, Uri};
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreClientAuthMethod, CoreErrorResponseType, CoreIdToken,
    CoreIdTokenVerifier, CoreJwsSigningAlgorithm, CoreTokenResponse,
};
use openidconnect::{
    AsyncHttpClient, AuthType, AuthorizationCode, ClaimsVerificationError, ClientId, ClientSecret,
    CsrfToken, HttpRequest, HttpResponse, IssuerUrl, LogoutRequest, Nonce,
    OAuth2TokenResponse as _, PkceCodeChallenge, PkceCodeVerifier, PostLogoutRedirectUrl,
    ProviderMetadataWithLogout as Metadata, RedirectUrl, RequestTokenError, Scope,
    TokenResponse as _,
};
use tmf::time::Timestamp;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::pending::Begun;
use super::settings::LoginSettings;
use crate::access::claims::Claims;
use crate::outbound::{Outbound, OutboundError, check_url};
use crate::secrets::{self, Source};

/// How old the description and the keys may be.
const AGE_MAX: Duration = Duration::from_secs(600);

/// How old they may be if the provider does not answer, where no one waits for a login.
const AGE_MAX_DOWN: Duration = Duration::from_secs(86_400);

/// The pause after a failure, and between requests for keys that are not known.
const PAUSE: Duration = Duration::from_secs(5);
const KEYS_PAUSE: Duration = Duration::from_secs(60);

/// How far the clock of the provider may be from ours, and how old a fresh token may be, in seconds.
const SKEW_S: i64 = 60;
const FRESH_S: i64 = 600;

/// Max bytes of an ID token.
const TOKEN_BYTES_MAX: usize = 16 << 10;

/// The algorithms of signatures: none with a shared secret, and never none.
pub(super) const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// A provider.
pub(super) struct Provider {
    settings: LoginSettings,
    secret: Option<Source>,
    outbound: Outbound,
    known: Mutex<Known>,
}

/// Our own client, as the library asks for one.
struct Http<'a>(&'a Outbound);

impl<'c> AsyncHttpClient<'c> for Http<'_> {
    type Error = OutboundError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, OutboundError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.0.send(request))
    }
}

/// What is known of the provider.
#[derive(Default)]
struct Known {
    metadata: Option<(Arc<Metadata>, Instant)>,
    failed: Option<(String, Instant)>,
}

/// Who logged in, as the provider proves.
pub(super) struct Proven {
    pub(super) claims: Claims,
    pub(super) id_token: String,
}

/// Why a login fails.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// It cannot be carried out now.
    #[error("the provider cannot be used: {0}")]
    Unavailable(String),
    /// The provider refuses the code, or its token proves nothing.
    #[error("the login is refused: {0}")]
    Refused(String),
}

/// How fresh the description must be.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Fresh {
    /// A login waits for it.
    Usual,
    /// It may be old if the provider is down.
    Kept,
    /// Another one than that which did not have the key; at most one request a minute.
    NewKeys,
    /// The same, for a token that came from the provider itself.
    NewKeysAtOnce,
}

impl Provider {
    pub(super) fn new(settings: LoginSettings, secret: Option<Source>) -> Self {
        let outbound = Outbound::new(("[access.login]", "ca"), settings.ca.to_owned());
        Self { settings, secret, outbound, known: Mutex::default() }
    }

    pub(super) fn issuer(&self) -> &str {
        &self.settings.issuer
    }

    pub(super) fn client_id(&self) -> &str {
        &self.settings.client_id
    }

    /// The description with the keys.
    pub(super) async fn metadata(&self, fresh: Fresh) -> Result<Arc<Metadata>, LoginError> {
        let mut known = self.known.lock().await;
        let now = Instant::now();
        if let Some((metadata, at)) = &known.metadata {
            let age_max = match fresh {
                Fresh::Usual | Fresh::Kept => AGE_MAX,
                Fresh::NewKeys => KEYS_PAUSE,
                Fresh::NewKeysAtOnce => Duration::ZERO,
            };
            if now.duration_since(*at) < age_max {
                return Ok(Arc::clone(metadata));
            }
        }
        let recent = known.failed.as_ref().filter(|(_, at)| now.duration_since(*at) < PAUSE);
        let found = match recent {
            Some((reason, _)) => Err(reason.to_owned()),
            None => self.discover().await,
        };
        match found {
            Ok(metadata) => {
                let metadata = Arc::new(metadata);
                *known = Known { metadata: Some((Arc::clone(&metadata), now)), failed: None };
                Ok(metadata)
            }
            Err(reason) => {
                if recent.is_none() {
                    tracing::warn!(
                        issuer = self.issuer(),
                        reason,
                        "the provider of logins cannot be used"
                    );
                    known.failed = Some((reason.to_owned(), Instant::now()));
                }
                match &known.metadata {
                    Some((metadata, at))
                        if fresh != Fresh::Usual && now.duration_since(*at) < AGE_MAX_DOWN =>
                    {
                        Ok(Arc::clone(metadata))
                    }
                    Some(_) | None => Err(LoginError::Unavailable(reason)),
                }
            }
        }
    }

    async fn discover(&self) -> Result<Metadata, String> {
        let issuer = IssuerUrl::new(self.settings.issuer.to_owned());
        let issuer = issuer.map_err(|error| error.to_string())?;
        let http = Http(&self.outbound);
        let found = Metadata::discover_async(issuer, &http).await.map_err(|error| chain(&error))?;
        let pages = [
            Some(found.authorization_endpoint().as_str()),
            found.additional_metadata().end_session_endpoint.as_ref().map(|url| url.as_str()),
        ];
        for url in pages.into_iter().flatten() {
            let uri = url.parse::<Uri>().map_err(|error| error.to_string())?;
            check_url(&uri).map_err(|reason| format!("`{url}`: {reason}"))?;
        }
        if found.token_endpoint().is_none() {
            return Err("it has no endpoint for tokens".into());
        }
        Ok(found)
    }

    /// The page of the provider at which a login goes on.
    pub(super) async fn page(&self, state: &str, login: &Begun) -> Result<String, LoginError> {
        let metadata = self.metadata(Fresh::Usual).await?;
        let client = self.client(&metadata, None).set_redirect_uri(redirect(login)?);
        let verifier = PkceCodeVerifier::new(login.verifier.text().to_owned());
        let (state, nonce) = (state.to_owned(), login.nonce.text().to_owned());
        let (url, _, _) = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                || CsrfToken::new(state),
                || Nonce::new(nonce),
            )
            .add_scopes(self.scopes())
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .url();
        Ok(url.into())
    }

    /// Exchanges the code of a callback, and verifies who logged in.
    pub(super) async fn exchange(
        &self,
        code: &str,
        login: &Begun,
        now: Timestamp,
    ) -> Result<Proven, LoginError> {
        let metadata = self.metadata(Fresh::Usual).await?;
        let client = self.client(&metadata, self.secret().await?);
        let client = client.set_redirect_uri(redirect(login)?).set_auth_type(auth_type(&metadata));
        let request = client.exchange_code(AuthorizationCode::new(code.to_owned()));
        let request = request.map_err(|error| LoginError::Unavailable(error.to_string()))?;
        let verifier = PkceCodeVerifier::new(login.verifier.text().to_owned());
        let http = Http(&self.outbound);
        let response = request.set_pkce_verifier(verifier).request_async(&http).await;
        let response = response.map_err(|error| match &error {
            RequestTokenError::ServerResponse(told) => match told.error() {
                CoreErrorResponseType::InvalidClient
                | CoreErrorResponseType::UnauthorizedClient => {
                    LoginError::Unavailable(format!("it refuses `client-id`: {}", chain(&error)))
                }
                CoreErrorResponseType::InvalidGrant
                | CoreErrorResponseType::InvalidRequest
                | CoreErrorResponseType::InvalidScope
                | CoreErrorResponseType::UnsupportedGrantType
                | CoreErrorResponseType::Extension(_) => {
                    LoginError::Refused(told.error().to_string())
                }
            },
            RequestTokenError::Request(_)
            | RequestTokenError::Parse(..)
            | RequestTokenError::Other(_) => LoginError::Unavailable(chain(&error)),
        })?;
        let token = response.id_token();
        let token = token.ok_or_else(|| LoginError::Refused("there is no ID token".into()))?;
        self.verify(token, metadata, login, now).await?;
        let id_token = token.to_string();
        let claims = self.claims(&id_token, &response).await?;
        Ok(Proven { claims, id_token })
    }

    async fn verify(
        &self,
        token: &CoreIdToken,
        metadata: Arc<Metadata>,
        login: &Begun,
        now: Timestamp,
    ) -> Result<(), LoginError> {
        let nonce = Nonce::new(login.nonce.text().to_owned());
        let verified = self.verified(token, &metadata, &nonce, now);
        let verified = match verified {
            // The provider has other keys since: the token came from it just now.
            Err(ClaimsVerificationError::SignatureVerification(_)) => {
                let metadata = self.metadata(Fresh::NewKeysAtOnce).await?;
                self.verified(token, &metadata, &nonce, now)
            }
            verified => verified,
        };
        verified.map_err(|error| LoginError::Refused(chain(&error)))
    }

    fn verified(
        &self,
        token: &CoreIdToken,
        metadata: &Metadata,
        nonce: &Nonce,
        now: Timestamp,
    ) -> Result<(), ClaimsVerificationError> {
        let now_s = now.0 / 1_000;
        let at = |seconds: i64| DateTime::<Utc>::from_timestamp(seconds, 0).unwrap_or_default();
        let is_fresh = move |issued: DateTime<Utc>| match (now_s - FRESH_S..=now_s + SKEW_S)
            .contains(&issued.timestamp())
        {
            true => Ok(()),
            false => Err("it was not issued just now: compare the clocks".to_owned()),
        };
        // A public client even if there is a secret: signatures with it are not taken.
        let client = ClientId::new(self.settings.client_id.to_owned());
        let (issuer, keys) = (metadata.issuer().to_owned(), metadata.jwks().to_owned());
        let verifier = CoreIdTokenVerifier::new_public_client(client, issuer, keys)
            .set_allowed_algs(ALGORITHMS)
            .set_time_fn(move || at(now_s - SKEW_S))
            .set_issue_time_verifier_fn(is_fresh);
        token.claims(&verifier, nonce).map(|_| ())
    }

    /// The claims of an ID token that was verified, with those of the endpoint for users if the roles are
    /// not among them.
    async fn claims(
        &self,
        id_token: &str,
        response: &CoreTokenResponse,
    ) -> Result<Claims, LoginError> {
        let refused = |reason: &str| LoginError::Refused(reason.to_owned());
        let mut claims = payload(id_token).ok_or_else(|| refused("the ID token cannot be read"))?;
        if claims.get("azp").is_some_and(|party| party != self.client_id()) {
            return Err(refused("the ID token was issued to another client"));
        }
        if self.settings.rules().finds_roles(&claims) {
            return Ok(claims);
        }
        let metadata = self.metadata(Fresh::Usual).await?;
        let Some(endpoint) = metadata.userinfo_endpoint() else { return Ok(claims) };
        let request = Request::get(endpoint.as_str())
            .header(ACCEPT, "application/json")
            .header(AUTHORIZATION, format!("Bearer {}", response.access_token().secret()))
            .body(Vec::new())
            .map_err(|error| LoginError::Unavailable(error.to_string()))?;
        let answer = self.outbound.send(request).await;
        let answer = answer.map_err(|error| LoginError::Unavailable(chain(&error)))?;
        let told = serde_json::from_slice::<Claims>(answer.body()).ok();
        let Some(told) = told.filter(|_| answer.status().is_success()) else {
            return Err(LoginError::Unavailable("it tells nothing of the user".into()));
        };
        if told.get("sub") != claims.get("sub") {
            return Err(refused("the endpoint for users tells of another user"));
        }
        for (name, value) in told {
            claims.entry(name).or_insert(value);
        }
        Ok(claims)
    }

    /// The page of the provider at which its own session ends; `None` if it has none.
    pub(super) async fn logout_page(&self, id_token: Option<&str>, back: String) -> Option<String> {
        let metadata = self.metadata(Fresh::Kept).await.ok()?;
        let endpoint = metadata.additional_metadata().end_session_endpoint.to_owned()?;
        let back = PostLogoutRedirectUrl::new(back).ok()?;
        let client = ClientId::new(self.settings.client_id.to_owned());
        let request = LogoutRequest::from(endpoint).set_client_id(client);
        let request = request.set_post_logout_redirect_uri(back);
        let token = id_token.and_then(|token| token.parse::<CoreIdToken>().ok());
        let request = match &token {
            Some(token) => request.set_id_token_hint(token),
            None => request,
        };
        Some(request.http_get_url().into())
    }

    /// Where forms may lead to: the logout at the provider, by its origin.
    pub(super) async fn logout_origin(&self) -> Option<String> {
        let metadata = self.metadata(Fresh::Kept).await.ok()?;
        let endpoint = metadata.additional_metadata().end_session_endpoint.as_ref()?;
        Some(endpoint.url().origin().ascii_serialization())
    }

    fn scopes(&self) -> impl Iterator<Item = Scope> {
        let scopes = self.settings.scopes.iter().filter(|scope| *scope != "openid");
        scopes.map(|scope| Scope::new(scope.to_owned()))
    }

    fn client(
        &self,
        metadata: &Metadata,
        secret: Option<ClientSecret>,
    ) -> CoreClient<
        openidconnect::EndpointSet,
        openidconnect::EndpointNotSet,
        openidconnect::EndpointNotSet,
        openidconnect::EndpointNotSet,
        openidconnect::EndpointMaybeSet,
        openidconnect::EndpointMaybeSet,
    > {
        let id = ClientId::new(self.settings.client_id.to_owned());
        CoreClient::from_provider_metadata(metadata.to_owned(), id, secret)
    }

    /// The secret, read each time: a renewed one counts at once.
    async fn secret(&self) -> Result<Option<ClientSecret>, LoginError> {
        let Some(source) = &self.secret else { return Ok(None) };
        let value = secrets::value_of(source).await;
        let value = value.map_err(|error| {
            LoginError::Unavailable(format!("`client-secret` cannot be read: {}", chain(&error)))
        })?;
        Ok(Some(ClientSecret::new(value.expose().to_owned())))
    }
}

fn redirect(login: &Begun) -> Result<RedirectUrl, LoginError> {
    let url = RedirectUrl::new(login.redirect.to_owned());
    url.map_err(|error| LoginError::Unavailable(error.to_string()))
}

/// How the client proves itself: in a header, unless the provider takes it in the body only.
fn auth_type(metadata: &Metadata) -> AuthType {
    let methods = metadata.token_endpoint_auth_methods_supported();
    let takes = |method| methods.is_some_and(|methods| methods.contains(&method));
    match takes(CoreClientAuthMethod::ClientSecretPost)
        && !takes(CoreClientAuthMethod::ClientSecretBasic)
    {
        true => AuthType::RequestBody,
        false => AuthType::BasicAuth,
    }
}

/// The claims of a token, of which only the form is checked.
fn payload(token: &str) -> Option<Claims> {
    let payload = token.split('.').nth(1).filter(|_| token.len() <= TOKEN_BYTES_MAX)?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
}
