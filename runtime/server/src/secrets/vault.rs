//! A secret of Vault, read by its HTTP API with a token from a file.

use std::collections::BTreeMap;
use std::path::PathBuf;

use engine::causes::chain;
use host::Trust;
use hyper::header::HeaderValue;
use hyper::{Request, StatusCode, Uri};
use serde::Deserialize;
use serde::de::IgnoredAny;
use zeroize::Zeroizing;

use super::{SecretError, read_file};
use crate::outbound::{Outbound, OutboundError, check_url};

/// The place of the CAs in the settings.
const CA: (&str, &str) = ("[secrets]", "vault.ca");

/// Where a secret is in Vault.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Vault {
    /// The address of Vault, or of its agent.
    url: String,
    /// The path behind `/v1/`, such as `secret/data/nms` of KV version 2.
    path: String,
    /// The name of the value there.
    field: String,
    /// The file with the token; none for an agent that adds its own.
    token_file: Option<PathBuf>,
    /// The namespace of Vault Enterprise.
    namespace: Option<String>,
    /// A PEM file with the CAs that its certificate is checked by, instead of those of the system.
    ca: Option<PathBuf>,
}

/// Why there is no value.
#[derive(Debug, thiserror::Error)]
pub(super) enum VaultError {
    #[error("the token")]
    Token(#[source] Box<SecretError>),
    #[error("the token cannot stand in a header")]
    TokenText,
    #[error("the address cannot be used")]
    Request(#[source] hyper::http::Error),
    #[error(transparent)]
    Call(#[from] OutboundError),
    #[error("`{url}` answers {status}{}", hint(*.status))]
    Status { url: String, status: StatusCode },
    #[error("`{url}` answers what is no secret of Vault")]
    Answer { url: String },
    #[error("`{url}` has no text `{field}`")]
    NoField { url: String, field: String },
}

/// The causes that people meet.
fn hint(status: StatusCode) -> &'static str {
    match status {
        StatusCode::FORBIDDEN => ": see the token and its policy",
        StatusCode::NOT_FOUND => ": see the path; of KV version 2 it has `data/` after the mount",
        StatusCode::SERVICE_UNAVAILABLE => ": is it sealed?",
        StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT => {
            ": it is on standby; name the active node, since a token is not sent where an answer leads"
        }
        _ => "",
    }
}

/// An answer of Vault.
#[derive(Deserialize)]
struct Answer {
    /// Only what is made for its reader has one.
    #[serde(default)]
    lease_id: String,
    #[serde(default)]
    lease_duration: u32,
    data: Data,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Data {
    /// Of KV version 2.
    Versioned {
        data: BTreeMap<String, Field>,
        #[serde(rename = "metadata")]
        _metadata: IgnoredAny,
    },
    /// Of all other engines.
    Plain(BTreeMap<String, Field>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Field {
    Text(String),
    Other(IgnoredAny),
}

impl Vault {
    /// Refuses CAs that cannot be read.
    pub(super) fn check_ca(&self) -> Result<(), String> {
        let read = Trust::read(CA, self.ca.as_deref()).map(drop);
        read.map_err(|error| chain(&error))
    }

    /// Fails with what cannot be used.
    pub(super) fn check(&self) -> Result<(), String> {
        for (setting, text) in [("path", &self.path), ("field", &self.field)] {
            if text.trim_matches('/').is_empty() {
                return Err(format!("`vault.{setting}` is empty"));
            }
        }
        let uri: Uri = self.url.parse().map_err(|_| "`vault.url` is no address".to_owned())?;
        if self.ca.is_some() && uri.scheme_str() == Some("http") {
            return Err(
                "`vault.ca` is for TLS, and `vault.url` begins with http: write https".into()
            );
        }
        check_url(&uri).map_err(|reason| format!("`vault.url`: {reason}"))
    }

    /// The value, and how long it is good for in seconds.
    pub(super) async fn read(&self) -> Result<(Vec<u8>, Option<u32>), VaultError> {
        let url = format!("{}/v1/{}", self.url.trim_end_matches('/'), self.path.trim_matches('/'));
        let mut request = Request::get(&url).header("x-vault-request", "true");
        if let Some(namespace) = &self.namespace {
            request = request.header("x-vault-namespace", namespace);
        }
        if let Some(token) = self.token().await? {
            request = request.header("x-vault-token", token);
        }
        let request = request.body(Vec::new()).map_err(VaultError::Request)?;
        // A connection of its own: a new token and new CAs count at once.
        let answer = Outbound::new(CA, self.ca.to_owned()).send(request).await?;
        let status = answer.status();
        let body = Zeroizing::new(answer.into_body());
        if status != StatusCode::OK {
            return Err(VaultError::Status { url, status });
        }
        let Ok(Answer { lease_id, lease_duration, data }) = serde_json::from_slice(&body) else {
            return Err(VaultError::Answer { url });
        };
        let (Data::Versioned { mut data, .. } | Data::Plain(mut data)) = data;
        let lease_s = (!lease_id.is_empty() && lease_duration > 0).then_some(lease_duration);
        match data.remove(&self.field) {
            Some(Field::Text(text)) => Ok((text.into_bytes(), lease_s)),
            Some(Field::Other(_)) | None => {
                Err(VaultError::NoField { url, field: self.field.to_owned() })
            }
        }
    }

    async fn token(&self) -> Result<Option<HeaderValue>, VaultError> {
        let Some(file) = &self.token_file else { return Ok(None) };
        let bytes = read_file(file).await.map_err(|error| VaultError::Token(Box::new(error)))?;
        let bytes = Zeroizing::new(bytes);
        let token = HeaderValue::from_bytes(bytes.trim_ascii());
        let mut token = token.map_err(|_| VaultError::TokenText)?;
        token.set_sensitive(true);
        Ok(Some(token))
    }
}

#[cfg(test)]
mod tests;
