//! Where the keys of an issuer are: at a URL, at one that the issuer names, or in a file.

use std::fmt;
use std::path::PathBuf;

use hyper::header::ACCEPT;
use hyper::{Request, StatusCode, Uri};
use serde::Deserialize;

use super::set::{KeySet, SetError};
use crate::outbound::{Outbound, OutboundError};

/// The path of an issuer's description, behind its name (OpenID Connect Discovery 1.0, 4).
const DISCOVERY: &str = ".well-known/openid-configuration";

/// Where keys are.
#[derive(Clone, Debug)]
pub enum Source {
    Url {
        url: Uri,
        outbound: Outbound,
    },
    /// The issuer tells, under its name.
    Issuer {
        issuer: String,
        outbound: Outbound,
    },
    File(PathBuf),
}

/// Why keys cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    #[error("the request cannot be sent")]
    Request(#[source] hyper::http::Error),
    #[error("no answer")]
    Send(#[source] OutboundError),
    #[error("the answer is {0}")]
    Status(StatusCode),
    #[error("the description of the issuer cannot be read")]
    Description(#[source] serde_json::Error),
    #[error("the description is of the issuer `{0}`")]
    OtherIssuer(String),
    #[error("the URL of its keys cannot be used")]
    Url,
    #[error(transparent)]
    Set(SetError),
}

#[derive(Deserialize)]
struct Description {
    issuer: String,
    jwks_uri: String,
}

impl Source {
    /// Reads the keys.
    pub async fn read(&self) -> Result<KeySet, SourceError> {
        match self {
            Self::Url { url, outbound } => fetch_set(url.to_owned(), outbound).await,
            Self::Issuer { issuer, outbound } => {
                let url = format!("{}/{DISCOVERY}", issuer.trim_end_matches('/'));
                let url = url.parse().map_err(|_| SourceError::Url)?;
                let described = fetch(url, outbound).await?;
                let described: Description =
                    serde_json::from_slice(&described).map_err(SourceError::Description)?;
                if described.issuer != *issuer {
                    return Err(SourceError::OtherIssuer(described.issuer));
                }
                let url = described.jwks_uri.parse().map_err(|_| SourceError::Url)?;
                fetch_set(url, outbound).await
            }
            Self::File(path) => {
                let path = path.to_owned();
                let read = tokio::task::spawn_blocking(move || KeySet::of_file(&path)).await;
                let read = read.map_err(|error| SetError::File(std::io::Error::other(error)));
                read.flatten().map_err(SourceError::Set)
            }
        }
    }
}

async fn fetch_set(url: Uri, outbound: &Outbound) -> Result<KeySet, SourceError> {
    KeySet::read(&fetch(url, outbound).await?).map_err(SourceError::Set)
}

async fn fetch(url: Uri, outbound: &Outbound) -> Result<Vec<u8>, SourceError> {
    let request = Request::get(url).header(ACCEPT, "application/json").body(Vec::new());
    let request = request.map_err(SourceError::Request)?;
    let answer = outbound.send(request).await.map_err(SourceError::Send)?;
    match answer.status() {
        StatusCode::OK => Ok(answer.into_body()),
        status => Err(SourceError::Status(status)),
    }
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url { url, .. } => write!(formatter, "{url}"),
            Self::Issuer { issuer, .. } => write!(formatter, "{issuer}"),
            Self::File(path) => write!(formatter, "{}", path.display()),
        }
    }
}
