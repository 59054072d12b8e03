//! The address of a client that a proxy speaks for. Only proxies that the settings name are believed, and only one
//! header of them: they pass on what a client sends in the other.

use std::net::{IpAddr, SocketAddr};

use axum::http::header::FORWARDED;
use axum::http::{HeaderMap, HeaderName};
use ipnet::IpNet;

use crate::config::{EdgeSettings, ForwardedHeader};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Max addresses that are looked at: a chain of proxies is short.
const HOPS_MAX: usize = 32;

/// The proxies that are believed.
#[derive(Debug, Default)]
pub(super) struct Proxies {
    trusted: Vec<IpNet>,
    header: ForwardedHeader,
}

impl Proxies {
    pub(super) fn new(settings: &EdgeSettings) -> Self {
        Self { trusted: settings.trusted_proxies.to_vec(), header: settings.forwarded_header }
    }

    /// The client of a request: the last address in the header that is no trusted proxy, as each proxy adds the
    /// one that it was called by.
    pub(super) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        if !self.trusts(client) {
            return client;
        }
        let hops = match self.header {
            ForwardedHeader::XForwardedFor => addresses_of_list(headers),
            ForwardedHeader::Forwarded => addresses_of_forwarded(headers),
        };
        for hop in hops.into_iter().rev().take(HOPS_MAX) {
            // An unreadable address was not written by a proxy that is configured well: the last that is known counts.
            let Some(address) = hop else { break };
            client = address;
            if !self.trusts(client) {
                break;
            }
        }
        client
    }

    /// Whether an address is that of a trusted proxy.
    pub(super) fn trusts(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|net| net.contains(&address))
    }
}

/// The addresses in `X-Forwarded-For`, in the order of the proxies.
fn addresses_of_list(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    let lines = headers.get_all(X_FORWARDED_FOR).iter();
    let lines = lines.map(|line| line.to_str().unwrap_or("?"));
    lines.flat_map(|line| line.split(',').map(|hop| address(hop.trim()))).collect()
}

/// The addresses in `Forwarded` (RFC 7239), in the order of the proxies.
fn addresses_of_forwarded(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    let lines = headers.get_all(FORWARDED).iter();
    let lines = lines.map(|line| line.to_str().unwrap_or("?"));
    lines.flat_map(|line| split(line, ',')).map(for_of).collect()
}

/// The value of `for` in an element.
fn for_of(element: &str) -> Option<IpAddr> {
    let mut values = split(element, ';').filter_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case("for").then_some(value.trim())
    });
    let (value, None) = (values.next()?, values.next()) else { return None };
    let unquoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
    address(unquoted.unwrap_or(value))
}

/// The parts of a text between separators that are in no quotes.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    text.split(move |c| {
        let was_escaped = std::mem::take(&mut is_escaped);
        match c {
            '\\' if is_quoted && !was_escaped => is_escaped = true,
            '"' if !was_escaped => is_quoted = !is_quoted,
            c => return c == separator && !is_quoted,
        }
        false
    })
}

/// An address, with a port or without, and an IPv6 address in brackets or without.
fn address(text: &str) -> Option<IpAddr> {
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    let in_brackets = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let address = text.parse().ok().or_else(with_port).or_else(in_brackets)?;
    Some(IpAddr::to_canonical(&address))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn client(header: ForwardedHeader, peer: &str, lines: &[(HeaderName, &'static str)]) -> String {
        let trusted = ["10.0.0.0/8", "2001:db8::/32"].map(|net| net.parse().unwrap());
        let proxies = Proxies { trusted: trusted.to_vec(), header };
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(name, HeaderValue::from_static(value));
        }
        proxies.client(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn the_last_address_that_is_no_trusted_proxy_is_the_client() {
        for (peer, list, expected) in [
            // A client that is no proxy cannot speak for others.
            ("192.0.2.1", "203.0.113.5", "192.0.2.1"),
            ("10.0.0.1", "203.0.113.5", "203.0.113.5"),
            ("::ffff:10.0.0.1", "203.0.113.5", "203.0.113.5"),
            // What the client sent itself stands before what the proxies added.
            ("10.0.0.1", "127.0.0.1, 203.0.113.5, 10.0.0.2", "203.0.113.5"),
            ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
            ("10.0.0.1", "203.0.113.5:4711", "203.0.113.5"),
            ("10.0.0.1", "[2001:db9::1]:80", "2001:db9::1"),
            ("10.0.0.1", "2001:db9::1", "2001:db9::1"),
            ("2001:db8::9", "203.0.113.5", "203.0.113.5"),
            // What cannot be read ends the chain.
            ("10.0.0.1", "203.0.113.5, unknown", "10.0.0.1"),
            ("10.0.0.1", "203.0.113.5, , 10.0.0.2", "10.0.0.2"),
            ("10.0.0.1", "", "10.0.0.1"),
        ] {
            let lines = [(X_FORWARDED_FOR, list), (FORWARDED, "for=198.51.100.7")];
            assert_eq!(client(ForwardedHeader::XForwardedFor, peer, &lines), expected, "{list}");
        }
        let two = [(X_FORWARDED_FOR, "127.0.0.1"), (X_FORWARDED_FOR, "203.0.113.5")];
        assert_eq!(client(ForwardedHeader::XForwardedFor, "10.0.0.1", &two), "203.0.113.5");
        assert_eq!(client(ForwardedHeader::XForwardedFor, "10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn forwarded_is_read_where_it_is_the_header_of_the_proxies() {
        for (line, expected) in [
            ("for=203.0.113.5", "203.0.113.5"),
            ("For=\"[2001:db9::1]:4711\";proto=https;by=10.0.0.1", "2001:db9::1"),
            (
                "for=127.0.0.1, for=203.0.113.5;host=\"a,b;for=1.1.1.1\", for=10.0.0.2",
                "203.0.113.5",
            ),
            ("for=203.0.113.5;host=\"a\\\"\", for=\"10.0.0.2:1\"", "203.0.113.5"),
            ("for=203.0.113.5, for=_hidden", "10.0.0.1"),
            ("for=203.0.113.5, for=unknown", "10.0.0.1"),
            ("for=203.0.113.5, proto=https", "10.0.0.1"),
            ("for=203.0.113.5;for=198.51.100.1", "10.0.0.1"),
        ] {
            let lines = [(FORWARDED, line), (X_FORWARDED_FOR, "198.51.100.7")];
            assert_eq!(client(ForwardedHeader::Forwarded, "10.0.0.1", &lines), expected, "{line}");
        }
    }
}
