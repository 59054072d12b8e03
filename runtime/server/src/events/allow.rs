//! The addresses that events may be sent to. A client chooses its callback, and could have the
//! server call addresses that the client itself cannot reach.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use host::{Place, place};
use ipnet::IpNet;
use serde::{Deserialize, Deserializer};
use tmf::subscription::Callback;

/// Timeout of resolving a name when a subscription is created.
const RESOLVE_WAIT: Duration = Duration::from_secs(3);

/// Decides which addresses may be called, when a subscription is created, and again whenever a
/// connection is made: the addresses of a name may change in between.
#[derive(Clone, Debug)]
pub struct Guard {
    allow: Vec<Allowed>,
    /// The server's own address.
    own: SocketAddr,
    /// Whether other machines reach it, through a proxy.
    is_public: bool,
}

/// An internal address that may be called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Allowed {
    /// The addresses of a network; one address is a network of its own.
    Network(IpNet),
    /// A host in any network.
    Name(String),
}

/// Why a callback must not be called.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    /// The address must never be called.
    #[error("`{0}` is an address to which nothing is sent")]
    Nowhere(IpAddr),
    /// The address is internal, and not in the settings.
    #[error(
        "`{0}` is an address inside, to which nothing is sent unless `[events] allow` of \
         ferrule.toml names it"
    )]
    Inside(IpAddr),
    /// It is this server.
    #[error("this server does not subscribe to itself")]
    Own,
    /// The connection would need TLS.
    #[error("this build has no TLS: name an `http` URL, of a proxy where need be")]
    Encrypted,
}

impl Guard {
    /// The guard of a server at an address.
    pub fn new(allow: Vec<Allowed>, own: SocketAddr) -> Self {
        Self { allow, own, is_public: false }
    }

    /// The same for a server that is reached from elsewhere: any client may subscribe.
    #[must_use]
    pub fn public(self) -> Self {
        Self { is_public: true, ..self }
    }

    /// Whether events may be sent to a callback. A name without addresses may have some later.
    pub async fn check(&self, callback: &Callback) -> Result<(), Forbidden> {
        if callback.is_encrypted() {
            return Err(Forbidden::Encrypted);
        }
        let Ok(uri) = callback.url().parse::<hyper::Uri>() else {
            return Ok(());
        };
        let (host, port) = target(&uri);
        let looking = tokio::net::lookup_host((host, port));
        let Ok(Ok(addresses)) = tokio::time::timeout(RESOLVE_WAIT, looking).await else {
            return Ok(());
        };
        self.admitted(host, addresses).map(drop)
    }

    /// The allowed addresses of a host; the reason if there are none.
    pub(super) fn admitted(
        &self,
        host: &str,
        addresses: impl Iterator<Item = SocketAddr>,
    ) -> Result<Vec<SocketAddr>, Forbidden> {
        let mut admitted = Vec::new();
        let mut refused = None;
        for address in addresses {
            match self.admit(host, address) {
                Ok(()) => admitted.push(address),
                Err(forbidden) => refused = Some(forbidden),
            }
        }
        match refused {
            Some(forbidden) if admitted.is_empty() => Err(forbidden),
            Some(_) | None => Ok(admitted),
        }
    }

    fn admit(&self, host: &str, socket: SocketAddr) -> Result<(), Forbidden> {
        let address = socket.ip().to_canonical();
        let is_local = address.is_loopback() || address == self.own.ip().to_canonical();
        if socket.port() == self.own.port() && is_local {
            return Err(Forbidden::Own);
        }
        match place(address) {
            Place::Outside => Ok(()),
            Place::Nowhere => Err(Forbidden::Nowhere(address)),
            // A client that reaches a server on loopback, without a public URL, is on this
            // machine already.
            Place::Loopback if self.own.ip().is_loopback() && !self.is_public => Ok(()),
            Place::Loopback | Place::Private => {
                let allows = |allowed: &Allowed| allowed.allows(host, address);
                self.allow.iter().any(allows).then_some(()).ok_or(Forbidden::Inside(address))
            }
        }
    }
}

/// Whether every address of a host is external; false if it has none.
pub(super) async fn is_outside(uri: &hyper::Uri) -> bool {
    let looking = tokio::net::lookup_host(target(uri));
    let Ok(Ok(addresses)) = tokio::time::timeout(RESOLVE_WAIT, looking).await else {
        return false;
    };
    let places: Vec<Place> = addresses.map(|address| place(address.ip())).collect();
    !places.is_empty() && places.iter().all(|place| *place == Place::Outside)
}

/// The host of a URL, without brackets, and its port.
pub(super) fn target(uri: &hyper::Uri) -> (&str, u16) {
    let host = uri.host().unwrap_or_default();
    (host.trim_start_matches('[').trim_end_matches(']'), uri.port_u16().unwrap_or(80))
}

impl Allowed {
    fn allows(&self, host: &str, address: IpAddr) -> bool {
        match self {
            Self::Name(name) => name.eq_ignore_ascii_case(host),
            Self::Network(network) => network.contains(&address),
        }
    }
}

impl FromStr for Allowed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let address = text.parse::<IpAddr>().map(IpNet::from).ok();
        if let Some(network) = address.or_else(|| text.parse().ok()) {
            return Ok(Self::Network(network));
        }
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        if !text.is_empty() && text.bytes().all(is_name) {
            return Ok(Self::Name(text.into()));
        }
        Err(format!("`{text}` is no address, network such as `10.0.0.0/8`, or host name"))
    }
}

impl fmt::Display for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(network) => network.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

impl<'de> Deserialize<'de> for Allowed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
