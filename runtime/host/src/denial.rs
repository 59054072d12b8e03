//! Denials: all ways in which a call of a plugin is refused for want of a grant, and their one form. A denial
//! names the plugin and the call, and has the lines of `ferrule.toml` that grant it, or what helps instead.

use std::fmt;

use crate::grants::GrantKey;

/// A way in which a call is denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Denial {
    /// No rule allows a request: its scheme, host, port, path or method.
    HttpRule,
    /// The name of a target resolves to addresses inside.
    HttpAddress,
    /// No rule allows where a redirect leads, or that one more is followed.
    HttpRedirect,
    /// A redirect would send a body again.
    HttpRedirectedBody,
    /// A URL has a user.
    HttpUser,
    /// A reconciliation would change something.
    HttpChange,
    /// A setting is not set.
    Setting,
    /// A kind of document may not be read.
    Inventory,
    /// A pool may not be reserved from.
    Pool,
    /// A secret is not granted.
    Secret,
    /// A secret has no value now.
    SecretValue,
    /// A secret may not go to a place.
    SecretPlace,
    /// A secret stands in a URL.
    SecretInUrl,
    /// A secret stands in the name of a header.
    SecretInName,
    /// A secret has a character that no header may have.
    SecretInHeader,
    /// A secret stands in a body with lengths in it.
    SecretInCounted,
}

/// The help against a denial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Help {
    /// These lines of `ferrule.toml` grant it.
    Lines(String),
    /// No grant covers it: this is to be done instead.
    Instead(String),
}

/// A call that is denied.
#[derive(Debug)]
pub(crate) struct Denied<'a> {
    pub(crate) plugin: &'a str,
    /// The call, such as `PUT http://olt-1/x` or ``pool `vlans` ``.
    pub(crate) call: &'a str,
    /// Why, in a few words.
    pub(crate) why: &'a str,
    pub(crate) help: Help,
}

impl From<&str> for Help {
    fn from(instead: &str) -> Self {
        Self::Instead(instead.into())
    }
}

impl Denial {
    /// Every way.
    pub const ALL: [Self; 16] = [
        Self::HttpRule,
        Self::HttpAddress,
        Self::HttpRedirect,
        Self::HttpRedirectedBody,
        Self::HttpUser,
        Self::HttpChange,
        Self::Setting,
        Self::Inventory,
        Self::Pool,
        Self::Secret,
        Self::SecretValue,
        Self::SecretPlace,
        Self::SecretInUrl,
        Self::SecretInName,
        Self::SecretInHeader,
        Self::SecretInCounted,
    ];

    /// The key of the grants that it is about.
    pub fn key(self) -> GrantKey {
        match self {
            Self::HttpRule
            | Self::HttpAddress
            | Self::HttpRedirect
            | Self::HttpRedirectedBody
            | Self::HttpUser
            | Self::HttpChange => GrantKey::Http,
            Self::Setting => GrantKey::Config,
            Self::Inventory => GrantKey::Inventory,
            Self::Pool => GrantKey::Pools,
            Self::Secret
            | Self::SecretValue
            | Self::SecretPlace
            | Self::SecretInUrl
            | Self::SecretInName
            | Self::SecretInHeader
            | Self::SecretInCounted => GrantKey::Secrets,
        }
    }
}

impl fmt::Display for Denied<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { plugin, call, why, help } = self;
        write!(f, "denied {call} of plugin `{plugin}`: {why}")?;
        match help {
            Help::Lines(lines) => write!(f, "; to grant it, add\n{lines}"),
            Help::Instead(instead) => write!(f, ": {instead}"),
        }
    }
}
