//! The address of a subscriber.

use std::fmt;

/// Max length of the URL, in bytes.
const URL_BYTES_MAX: usize = 2_048;

/// The end of a callback with one path for each type of event (TMF630).
const LISTENER: &str = "/listener";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Callback {
    url: String,
    /// The range of its path.
    path: (usize, usize),
}

/// Errors of a callback.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallbackError {
    /// It is too long.
    #[error("has at most {URL_BYTES_MAX} bytes")]
    Long,
    /// It has a character that URLs cannot have.
    #[error("has a space, a control character or a character beyond ASCII: escape it")]
    Character,
    /// It is not absolute, or of another scheme.
    #[error("is no absolute `http` or `https` URL")]
    Scheme,
    /// It names no host.
    #[error("names no host")]
    Host,
    /// The port is invalid.
    #[error("has a port that is none")]
    Port,
    /// It has a user or a password.
    #[error("carries a user: credentials do not belong into a URL")]
    User,
    /// It has a fragment, which is never sent.
    #[error("has a fragment, which is never sent")]
    Fragment,
}

impl Callback {
    /// Reads an absolute URL.
    pub fn parse(url: &str) -> Result<Self, CallbackError> {
        if url.len() > URL_BYTES_MAX {
            return Err(CallbackError::Long);
        }
        if !url.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(CallbackError::Character);
        }
        let (scheme, rest) = url.split_once("://").ok_or(CallbackError::Scheme)?;
        if !["http", "https"].iter().any(|known| known.eq_ignore_ascii_case(scheme)) {
            return Err(CallbackError::Scheme);
        }
        if rest.contains('#') {
            return Err(CallbackError::Fragment);
        }
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        check_authority(&rest[..end])?;
        let begin = scheme.len() + "://".len() + end;
        let path_end = url[begin..].find('?').map_or(url.len(), |query| begin + query);
        Ok(Self { url: url.into(), path: (begin, path_end) })
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// Whether it needs TLS.
    pub fn is_encrypted(&self) -> bool {
        self.url.get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https:"))
    }

    /// The address of an event of a type: the callback itself, or, if it ends with
    /// `/listener`, a path below it with the name of the event.
    pub fn url_of(&self, event_type: &str) -> String {
        let (begin, end) = self.path;
        let path = self.url[begin..end].trim_end_matches('/');
        if !path.ends_with(LISTENER) {
            return self.url.clone();
        }
        let mut name = event_type.to_string();
        if let Some(first) = name.get_mut(..1) {
            first.make_ascii_lowercase();
        }
        let name = percent_encoding::utf8_percent_encode(&name, percent_encoding::NON_ALPHANUMERIC);
        format!("{}{path}/{name}{}", &self.url[..begin], &self.url[end..])
    }
}

impl fmt::Display for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

fn check_authority(authority: &str) -> Result<(), CallbackError> {
    if authority.contains('@') {
        return Err(CallbackError::User);
    }
    let after_host = match authority.strip_prefix('[') {
        Some(rest) => {
            let (address, after) = rest.split_once(']').ok_or(CallbackError::Host)?;
            let parsed: Result<std::net::Ipv6Addr, _> = address.parse();
            parsed.map_err(|_| CallbackError::Host)?;
            after
        }
        None => {
            let end = authority.find(':').unwrap_or(authority.len());
            let host = &authority[..end];
            let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
            if host.is_empty() || !host.bytes().all(is_name) {
                return Err(CallbackError::Host);
            }
            &authority[end..]
        }
    };
    match after_host.strip_prefix(':') {
        None if after_host.is_empty() => Ok(()),
        None => Err(CallbackError::Host),
        Some(port) => match port.parse::<u16>() {
            Ok(1..) if port.bytes().all(|byte| byte.is_ascii_digit()) => Ok(()),
            Ok(_) | Err(_) => Err(CallbackError::Port),
        },
    }
}
