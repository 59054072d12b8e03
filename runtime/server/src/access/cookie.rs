//! The cookies of browsers: how they are named, read and set.

use axum::http::HeaderMap;
use axum::http::header::COOKIE;

/// Characters of a state that are part of the name of the cookie of its login.
const STATE_CHARS: usize = 8;

/// A cookie comes more than once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the cookie of the session comes more than once")]
pub struct Twice;

/// Whether browsers reach the server by TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cookies {
    /// They do: cookies have the prefix `__Host-`, which no other host can set.
    Secure,
    /// They do not, on this machine only: browsers take such cookies without TLS from no one.
    Loopback,
}

impl Cookies {
    /// The cookies for a server whose URLs begin with this.
    pub fn of(base: &str) -> Self {
        if base.starts_with("https://") { Self::Secure } else { Self::Loopback }
    }

    /// The name of the cookie with the secret of a session.
    pub fn session(self) -> &'static str {
        match self {
            Self::Secure => "__Host-ferrule",
            Self::Loopback => "ferrule",
        }
    }

    /// The name of the cookie that binds a login to its browser. Logins in several tabs have one each.
    pub fn login(self, state: &str) -> String {
        let state = state.get(..STATE_CHARS).unwrap_or_default();
        format!("{}-login-{state}", self.session())
    }

    /// The value of a header that sets a cookie, for some seconds or until the browser ends.
    pub fn set(self, name: &str, value: &str, seconds: Option<u64>) -> String {
        let age = seconds.map_or(String::new(), |seconds| format!("; Max-Age={seconds}"));
        let secure = match self {
            Self::Secure => "; Secure",
            Self::Loopback => "",
        };
        format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{age}")
    }

    /// The value of a header that removes a cookie.
    pub fn clear(self, name: &str) -> String {
        self.set(name, "", Some(0))
    }
}

/// The value of a cookie. One that comes twice may have been set by another host, and proves nothing.
pub fn read<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Twice> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    let pairs =
        lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut found = pairs.filter(|(known, _)| *known == name).map(|(_, value)| value);
    match (found.next(), found.next()) {
        (found, None) => Ok(found),
        (_, Some(_)) => Err(Twice),
    }
}

#[cfg(test)]
mod tests;
