//! `[edge]` of `ferrule.toml`: the proxies in front of the server.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::{Config, ConfigError, RateLimits, Reach};

/// The proxies in front of the server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct EdgeSettings {
    /// The networks of proxies that are believed about their clients.
    #[serde(deserialize_with = "networks")]
    pub trusted_proxies: Vec<IpNet>,
    /// The header in which they name them.
    pub forwarded_header: ForwardedHeader,
}

/// The header in which proxies name their clients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ForwardedHeader {
    #[default]
    XForwardedFor,
    /// RFC 7239.
    Forwarded,
}

impl EdgeSettings {
    /// Refuses a header that is read from no proxy.
    pub(super) fn check(&self) -> Result<(), String> {
        match self.forwarded_header != ForwardedHeader::default() && self.trusted_proxies.is_empty() {
            true => Err("`[edge] forwarded-header` is read from `trusted-proxies` only, and there are none: list \
                         them, or remove it"
                .into()),
            false => Ok(()),
        }
    }
}

impl Config {
    /// The rates of requests. A proxy in front means that clients are on other machines.
    pub fn rates(&self) -> RateLimits {
        let is_local = self.listen.ip().is_loopback() && self.edge.trusted_proxies.is_empty();
        self.limits.rates(if is_local { Reach::Loopback } else { Reach::Network })
    }

    /// Refuses a public URL that cannot be the beginning of hrefs.
    pub(super) fn check_public_url(&self) -> Result<(), ConfigError> {
        let Some(url) = &self.public_url else { return Ok(()) };
        let uri: Option<axum::http::Uri> = url.parse().ok();
        let is_url = uri.as_ref().is_some_and(|uri| {
            let authority = uri.authority().map_or("", |authority| authority.as_str());
            let is_plain = !url.contains(['?', '#']) && !authority.contains('@');
            matches!(uri.scheme_str(), Some("http" | "https")) && is_plain && !authority.is_empty()
        });
        if is_url {
            return Ok(());
        }
        let what = "`public-url` is no URL that hrefs can begin with: write it as \
                    \"https://ferrule.example.com\", without a user and a query";
        Err(ConfigError::Contradiction(what.into()))
    }
}

fn networks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<IpNet>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    let network = |text: &String| {
        let one = || text.parse::<IpAddr>().ok().map(IpNet::from);
        let network: IpNet = text.parse().ok().or_else(one).ok_or_else(|| {
            D::Error::custom(format!(
                "`{text}` is no network: write it as \"10.0.0.0/8\", or an address as \"10.0.0.7\""
            ))
        })?;
        match network.prefix_len() {
            0 => Err(D::Error::custom(format!(
                "`{text}` is every address, so each client could choose its own: list the proxies"
            ))),
            _ => Ok(network),
        }
    };
    texts.iter().map(network).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_are_addresses_or_networks() {
        let read =
            |text: &str| toml::from_str::<EdgeSettings>(text).map_err(|error| error.to_string());
        let edge =
            read("trusted-proxies = [\"10.0.0.0/8\", \"10.0.0.7\", \"2001:db8::/32\", \"::1\"]");
        let networks: Vec<_> =
            edge.unwrap().trusted_proxies.iter().map(ToString::to_string).collect();
        assert_eq!(networks, ["10.0.0.0/8", "10.0.0.7/32", "2001:db8::/32", "::1/128"]);
        for wrong in ["proxy.example", "10.0.0.0/33", ""] {
            let error = read(&format!("trusted-proxies = [\"{wrong}\"]")).unwrap_err();
            assert!(error.contains("is no network"), "{error}");
        }
        for all in ["0.0.0.0/0", "::/0", "10.0.0.0/0"] {
            let error = read(&format!("trusted-proxies = [\"{all}\"]")).unwrap_err();
            assert!(error.contains("is every address"), "{error}");
        }
        assert!(read("forwarded-header = \"x-real-ip\"").is_err());
    }

    #[test]
    fn clients_of_a_proxy_on_this_machine_have_rates() {
        let limits = |edge: &str| {
            let text = format!("listen = \"127.0.0.1:8080\"\n{edge}");
            let rates = toml::from_str::<Config>(&text).unwrap().rates();
            (rates.identity.is_some(), rates.address.is_some())
        };
        assert_eq!(limits(""), (false, false));
        assert_eq!(limits("[edge]\ntrusted-proxies = [\"127.0.0.1\"]"), (true, true));
    }
}
