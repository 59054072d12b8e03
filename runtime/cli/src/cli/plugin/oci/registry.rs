//! A registry, by the distribution API of OCI: manifests and blobs, read and written.

use anyhow::{Context as _, Result, anyhow, bail};
use axum::body::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{
    ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE,
};
use hyper::{Method, Request, Response, StatusCode, Uri};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::MANIFEST_BYTES_MAX;
use super::access::{Access, Security, is_loopback};
use super::auth::Login;
use super::challenge::Challenge;
use super::digest::Sha;
use super::document::{Descriptor, INDEX, MANIFEST, short};
use super::package::{Blob, Packed};
use super::reference::Reference;
use super::wire::{Wire, address};

/// Max addresses that one request is led to.
const REDIRECTS_MAX: usize = 5;

/// Max bytes of an answer that is no artefact: an error or a token.
const ANSWER_BYTES_MAX: u64 = 64 << 10;

/// A repository of a registry.
pub(super) struct Registry {
    pub(super) reference: Reference,
    security: Security,
    wire: Wire,
    login: Option<Login>,
    /// The header that the registry took last.
    authorization: Option<String>,
}

/// A request that may be sent again.
struct Call<'a> {
    method: Method,
    uri: Uri,
    accept: Option<&'a str>,
    content: Option<(&'a str, Bytes)>,
}

#[derive(Deserialize)]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
}

/// The errors of a registry.
#[derive(Deserialize)]
struct Errors {
    errors: Vec<OneError>,
}

#[derive(Deserialize)]
struct OneError {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

impl Registry {
    pub(super) fn new(reference: Reference, access: &Access) -> Result<Self> {
        let (wire, login) = (Wire::new(access.tls()?), Login::find(&reference.registry)?);
        let security = access.security(reference.host());
        Ok(Self { reference, security, wire, login, authorization: None })
    }

    /// The manifest or index that the address names.
    pub(super) async fn named(&mut self) -> Result<Vec<u8>> {
        let uri = self.uri(&format!("manifests/{}", self.reference.wanted()))?;
        let accept = format!("{MANIFEST}, {INDEX}");
        let call = Call { method: Method::GET, uri, accept: Some(&accept), content: None };
        let response = self.ask(call).await?;
        let claimed = text_of(response.headers(), "docker-content-digest").map(str::to_owned);
        let bytes = self.success(response, MANIFEST_BYTES_MAX).await?;
        if let Some(digest) = &self.reference.digest {
            digest.check(&bytes)?;
        }
        if let Some(claimed) = claimed.and_then(|claimed| Sha::try_from(claimed).ok()) {
            claimed.check(&bytes)?;
        }
        Ok(bytes)
    }

    /// The bytes that a descriptor names, or fewer.
    pub(super) async fn fetch(&mut self, descriptor: &Descriptor) -> Result<Vec<u8>> {
        let kind = match descriptor.media_type.as_str() {
            MANIFEST | INDEX => "manifests",
            _ => "blobs",
        };
        let uri = self.uri(&format!("{kind}/{}", descriptor.digest))?;
        let accept = Some(descriptor.media_type.as_str()).filter(|_| kind == "manifests");
        let call = Call { method: Method::GET, uri, accept, content: None };
        let response = self.ask(call).await?;
        self.success(response, descriptor.size).await
    }

    /// Writes an artefact, its manifest last.
    pub(super) async fn put(&mut self, packed: &Packed<'_>) -> Result<()> {
        self.put_blob(&packed.config).await?;
        self.put_blob(&packed.plugin).await?;
        let manifest = &packed.manifest;
        let wanted = self.reference.tag.to_owned();
        let wanted = wanted.unwrap_or_else(|| manifest.digest.to_string());
        if self.reference.digest.as_ref().is_some_and(|digest| *digest != manifest.digest) {
            bail!(
                "the artefact has the digest {}: leave the digest out of the address",
                manifest.digest
            );
        }
        let uri = self.uri(&format!("manifests/{wanted}"))?;
        let content = Some((MANIFEST, Bytes::copy_from_slice(&manifest.bytes)));
        let response = self.ask(Call { method: Method::PUT, uri, accept: None, content }).await?;
        self.success(response, ANSWER_BYTES_MAX).await.map(drop)
    }

    async fn put_blob(&mut self, blob: &Blob<'_>) -> Result<()> {
        let uri = self.uri(&format!("blobs/{}", blob.digest))?;
        let head = Call { method: Method::HEAD, uri, accept: None, content: None };
        if self.ask(head).await?.status() == StatusCode::OK {
            return Ok(());
        }
        let uri = self.uri("blobs/uploads/")?;
        let content = Some(("application/octet-stream", Bytes::new()));
        let begin = Call { method: Method::POST, uri, accept: None, content };
        let (base, response) = (begin.uri.to_owned(), self.ask(begin).await?);
        let location = text_of(response.headers(), LOCATION.as_str()).map(str::to_owned);
        self.success(response, ANSWER_BYTES_MAX).await?;
        let location = location.context("the registry does not tell where to upload")?;
        let sign = if location.contains('?') { '&' } else { '?' };
        let digest = utf8_percent_encode(&blob.digest.to_string(), NON_ALPHANUMERIC).to_string();
        let uri = self.led(&base, &format!("{location}{sign}digest={digest}"))?;
        let content = Some(("application/octet-stream", Bytes::copy_from_slice(&blob.bytes)));
        let response = self.ask(Call { method: Method::PUT, uri, accept: None, content }).await?;
        self.success(response, ANSWER_BYTES_MAX).await.map(drop)
    }

    fn uri(&self, path: &str) -> Result<Uri> {
        let scheme = match self.security {
            Security::Tls => "https",
            Security::Plain => "http",
        };
        let Reference { registry, repository, .. } = &self.reference;
        Ok(format!("{scheme}://{registry}/v2/{repository}/{path}").parse()?)
    }

    /// Sends a request, proves who asks if that is wanted, and goes where it is led.
    async fn ask(&mut self, mut call: Call<'_>) -> Result<Response<Incoming>> {
        let (mut is_proven, mut redirects) = (false, 0);
        loop {
            let response = self.send(&call).await?;
            let status = response.status();
            if status == StatusCode::UNAUTHORIZED && self.is_ours(&call.uri) {
                if is_proven {
                    bail!(self.refused());
                }
                self.prove(response.headers()).await?;
                is_proven = true;
                continue;
            }
            let may_move = call.method == Method::GET || call.method == Method::HEAD;
            let to = text_of(response.headers(), LOCATION.as_str()).filter(|_| may_move);
            let (true, Some(to)) = (status.is_redirection(), to) else { return Ok(response) };
            redirects += 1;
            if redirects > REDIRECTS_MAX {
                bail!("the registry leads in circles: {REDIRECTS_MAX} redirects");
            }
            call.uri = self.led(&call.uri, to)?;
        }
    }

    async fn send(&self, call: &Call<'_>) -> Result<Response<Incoming>> {
        let mut request = Request::builder().method(&call.method).uri(&call.uri);
        // This registry alone may see the login.
        if let Some(authorization) = self.authorization.as_ref().filter(|_| self.is_ours(&call.uri))
        {
            request = request.header(AUTHORIZATION, authorization);
        }
        if let Some(accept) = call.accept {
            request = request.header(ACCEPT, accept);
        }
        let body = match &call.content {
            None => Bytes::new(),
            Some((media_type, bytes)) => {
                request = request.header(CONTENT_TYPE, *media_type);
                request = request.header("content-length", bytes.len());
                Bytes::clone(bytes)
            }
        };
        self.wire.send(request.body(Full::new(body))?).await
    }

    fn is_ours(&self, uri: &Uri) -> bool {
        let is_scheme = match self.security {
            Security::Tls => uri.scheme_str() == Some("https"),
            Security::Plain => uri.scheme_str() == Some("http"),
        };
        is_scheme && uri.authority().is_some_and(|it| it.as_str() == self.reference.registry)
    }

    /// Does what the registry asks for before it answers.
    async fn prove(&mut self, headers: &HeaderMap) -> Result<()> {
        let asked = headers.get_all(WWW_AUTHENTICATE).iter();
        let mut asked = asked.filter_map(|one| Challenge::parse(one.to_str().ok()?));
        let authorization = match (asked.next(), &self.login) {
            (None, _) => bail!("the registry asks for a login of a kind that is not known here"),
            (Some(Challenge::Basic), None) => bail!(self.refused()),
            (Some(Challenge::Basic), Some(login)) => {
                self.check_private(&self.uri("")?)?;
                login.basic()
            }
            (Some(Challenge::Bearer { realm, service, scope }), _) => {
                format!("Bearer {}", self.token(&realm, service, scope).await?)
            }
        };
        self.authorization = Some(authorization);
        Ok(())
    }

    async fn token(
        &self,
        realm: &str,
        service: Option<String>,
        scope: Option<String>,
    ) -> Result<String> {
        let mut uri = realm.to_owned();
        for (name, value) in [("service", service), ("scope", scope)] {
            if let Some(value) = value {
                uri.push(if uri.contains('?') { '&' } else { '?' });
                uri.push_str(&format!("{name}={}", utf8_percent_encode(&value, NON_ALPHANUMERIC)));
            }
        }
        let uri: Uri =
            uri.parse().map_err(|_| anyhow!("the registry names no URL for its tokens"))?;
        address(&uri)?;
        let mut request = Request::get(&uri);
        if let Some(login) = &self.login {
            self.check_private(&uri)?;
            request = request.header(AUTHORIZATION, login.basic());
        }
        let response = self.wire.send(request.body(Full::default())?).await;
        let response = response.context("no token is to be had")?;
        if matches!(response.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            bail!(self.refused());
        }
        let bytes =
            self.success(response, ANSWER_BYTES_MAX).await.context("no token is to be had")?;
        // The error of the parser may show the token.
        let read: Option<Token> = serde_json::from_slice(&bytes).ok();
        let token = read.and_then(|read| read.token.or(read.access_token));
        let is_token = |token: &String| token.bytes().all(|byte| byte.is_ascii_graphic());
        token.filter(is_token).context("the answer with the token cannot be read")
    }

    /// A password is sent by TLS, or stays on this machine.
    fn check_private(&self, uri: &Uri) -> Result<()> {
        let (host, address) = address(uri)?;
        if uri.scheme_str() != Some("https") && !is_loopback(host) {
            bail!("the password would be sent to `{}` without TLS: use TLS", short(&address));
        }
        Ok(())
    }

    fn refused(&self) -> String {
        let registry = &self.reference.registry;
        match self.login {
            None => format!(
                "`{registry}` asks for a login: set FERRULE_REGISTRY_USER and FERRULE_REGISTRY_PASSWORD, or \
                 use `docker login {registry}`"
            ),
            Some(_) => format!(
                "`{registry}` refuses the login: see whether name and password are right, and may read or \
                 write the repository"
            ),
        }
    }

    /// The body of an answer, which must be a success.
    async fn success(&self, response: Response<Incoming>, bytes_max: u64) -> Result<Vec<u8>> {
        let (head, body) = response.into_parts();
        if head.status.is_success() {
            return self.wire.read(body, bytes_max).await;
        }
        let told = self.wire.read(body, ANSWER_BYTES_MAX).await.unwrap_or_default();
        let told = serde_json::from_slice(&told).ok().and_then(|read: Errors| {
            let OneError { code, message } = read.errors.into_iter().next()?;
            Some(format!(" ({}: {})", self.masked(&code), self.masked(&message)))
        });
        let wait = text_of(&head.headers, RETRY_AFTER.as_str()).map(|text| self.masked(text));
        bail!("{}{}", self.advice(head.status, wait), told.unwrap_or_default())
    }

    /// The meaning of an answer, and what to do about it.
    fn advice(&self, status: StatusCode, wait: Option<String>) -> String {
        match status {
            StatusCode::BAD_REQUEST if self.security == Security::Plain => {
                format!(
                    "the registry answers {status}: if it speaks TLS, give the file of its CA by `--ca`"
                )
            }
            StatusCode::NOT_FOUND => {
                "the registry has no such artefact: see whether repository and tag are right".into()
            }
            StatusCode::FORBIDDEN => {
                "the registry does not allow it: ask who runs it for access".into()
            }
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE if wait.is_some() => {
                let wait = wait.unwrap_or_default();
                format!("the registry answers {status}: try again after {wait} (its `Retry-After`)")
            }
            status if status.is_server_error() => {
                format!("the registry answers {status}: try again later, or see its log")
            }
            status => format!("the registry answers {status}"),
        }
    }

    /// A text of the registry, without what proves who asks.
    fn masked(&self, text: &str) -> String {
        short(&masked(text, &self.secrets()))
    }

    /// What proves who asks, in all the ways that it is written.
    pub(super) fn secrets(&self) -> Vec<String> {
        let login = self.login.iter();
        let login = login.flat_map(|login| [login.basic(), format!(" {}", login.password())]);
        let headers = login.chain(self.authorization.iter().map(String::to_owned));
        let secret = |header: String| Some(header.split_once(' ')?.1.to_owned());
        let plain: Vec<_> = headers.filter_map(secret).filter(|it| !it.is_empty()).collect();
        let in_url = |text: &String| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let written = plain.iter().flat_map(|it| [in_url(it), short(it)]).collect::<Vec<_>>();
        let mut all: Vec<_> = plain.into_iter().chain(written).collect();
        // One may be a part of another.
        all.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        all
    }

    /// Where an answer leads: not away from TLS, and to no address with a login in it.
    fn led(&self, from: &Uri, to: &str) -> Result<Uri> {
        let wrong = || {
            let to = to.split('?').next().unwrap_or_default();
            anyhow!("the registry leads to `{}`, which is no URL", self.masked(to))
        };
        let to = match (to.starts_with('/'), from.scheme_str(), from.authority()) {
            (true, Some(scheme), Some(authority)) => format!("{scheme}://{authority}{to}"),
            _ => to.to_owned(),
        };
        let to: Uri = to.parse().map_err(|_| wrong())?;
        if to.authority().is_none() {
            return Err(wrong());
        }
        address(&to)?;
        if from.scheme_str() == Some("https") && to.scheme_str() != Some("https") {
            bail!("the registry leads from TLS to an address without it: that is not followed");
        }
        Ok(to)
    }
}

/// A text without these secrets.
pub(super) fn masked(text: &str, secrets: &[String]) -> String {
    secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, "***"))
}

fn text_of<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests;
