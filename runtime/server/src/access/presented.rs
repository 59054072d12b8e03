//! The credentials that a request presents.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;

use super::cookie::{self, Cookies};
use host::peer::Shown;

/// Max bytes of the header with credentials.
pub const CREDENTIALS_BYTES_MAX: usize = 16 << 10;

/// The credentials of a request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Presented<'a> {
    Nothing,
    /// A bearer token (RFC 6750): a JWT or an API key.
    Bearer(&'a str),
    /// A name and a password, encoded (RFC 7617).
    Basic(&'a str),
    /// The certificate of the connection, if there is nothing else.
    Certificate(Shown<'a>),
    /// The secret of a session, in a cookie.
    Session(&'a str),
}

/// Why the credentials of a request cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("the request has more than one header `Authorization`")]
    Several,
    #[error("the header `Authorization` is longer than {CREDENTIALS_BYTES_MAX} bytes")]
    TooLong,
    #[error("the header `Authorization` has no scheme that is known here")]
    Scheme,
    #[error(transparent)]
    Cookies(#[from] cookie::Twice),
}

impl<'a> Presented<'a> {
    /// Reads the credentials in the headers of a request. The cookie of sessions, if there are any, counts
    /// without an `Authorization` only.
    pub fn read(headers: &'a HeaderMap, session: Option<Cookies>) -> Result<Self, Malformed> {
        let mut all = headers.get_all(AUTHORIZATION).iter();
        let header = match (all.next(), all.next()) {
            (None, _) => {
                let secret = session.map(|cookies| cookie::read(headers, cookies.session()));
                return Ok(secret.transpose()?.flatten().map_or(Self::Nothing, Self::Session));
            }
            (Some(_), Some(_)) => return Err(Malformed::Several),
            (Some(header), None) => header,
        };
        if header.len() > CREDENTIALS_BYTES_MAX {
            return Err(Malformed::TooLong);
        }
        let text = header.to_str().map_err(|_| Malformed::Scheme)?.trim();
        let (scheme, rest) = text.split_once(' ').ok_or(Malformed::Scheme)?;
        let rest = rest.trim();
        match scheme {
            _ if rest.is_empty() => Err(Malformed::Scheme),
            scheme if scheme.eq_ignore_ascii_case("bearer") => Ok(Self::Bearer(rest)),
            scheme if scheme.eq_ignore_ascii_case("basic") => Ok(Self::Basic(rest)),
            _ => Err(Malformed::Scheme),
        }
    }
}
