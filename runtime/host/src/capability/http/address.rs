//! Which addresses a name may resolve to. Names are the guest's to choose within the rules, and
//! the operator of its DNS could point one at this machine or at the metadata service of a cloud.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use std::vec;

use hyper::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;

use crate::grants::rule::{self, Host, Rule};

/// Connects to where a name leads, at the port of the request: which addresses inside are granted
/// depends on it.
#[derive(Clone, Debug)]
pub(super) struct Connector {
    named: Arc<BTreeSet<(IpAddr, u16)>>,
    timeout: Duration,
}

/// Resolves names for connections to one port, and drops the addresses that are inside unless a
/// rule names them with that port.
#[derive(Clone, Debug)]
pub(super) struct Resolver {
    named: Arc<BTreeSet<(IpAddr, u16)>>,
    port: u16,
}

/// A name that resolves to addresses inside only.
#[derive(Debug, thiserror::Error)]
#[error("`{address}` is an address inside that no rule names")]
pub(super) struct Prohibited {
    pub(super) address: IpAddr,
}

impl Connector {
    pub(super) fn new(rules: &[Rule], timeout: Duration) -> Self {
        let named = rules.iter().filter_map(|rule| match rule.host() {
            Host::Address(address) => Some((*address, rule.port())),
            Host::Name(_) | Host::Under(_) => None,
        });
        Self { named: Arc::new(named.collect()), timeout }
    }

    fn resolver(&self, port: u16) -> Resolver {
        Resolver { named: Arc::clone(&self.named), port }
    }
}

impl tower_service::Service<Uri> for Connector {
    type Response = <HttpConnector<Resolver> as tower_service::Service<Uri>>::Response;
    type Error = <HttpConnector<Resolver> as tower_service::Service<Uri>>::Error;
    type Future = <HttpConnector<Resolver> as tower_service::Service<Uri>>::Future;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let port = rule::port(&uri).unwrap_or(80);
        let mut connector = HttpConnector::new_with_resolver(self.resolver(port));
        connector.set_connect_timeout(Some(self.timeout));
        connector.set_nodelay(true);
        connector.enforce_http(false);
        connector.call(uri)
    }
}

impl Resolver {
    fn admits(&self, name: &str, address: IpAddr) -> bool {
        // A rule let the name through, so `localhost` was granted literally.
        !is_inside(address)
            || self.named.contains(&(address, self.port))
            || (name.eq_ignore_ascii_case("localhost") && address.is_loopback())
    }

    fn filter(
        &self,
        name: &str,
        addresses: impl Iterator<Item = SocketAddr>,
    ) -> io::Result<vec::IntoIter<SocketAddr>> {
        let mut refused = None;
        let mut admitted = Vec::new();
        for socket in addresses {
            let address = socket.ip().to_canonical();
            if self.admits(name, address) {
                admitted.push(socket);
            } else {
                refused = Some(address);
            }
        }
        match refused {
            Some(address) if admitted.is_empty() => Err(io::Error::other(Prohibited { address })),
            Some(_) | None => Ok(admitted.into_iter()),
        }
    }
}

impl tower_service::Service<Name> for Resolver {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let resolver = self.clone();
        Box::pin(async move {
            let addresses = tokio::net::lookup_host((name.as_str(), 0)).await?;
            resolver.filter(name.as_str(), addresses)
        })
    }
}

/// Where an address is, seen from this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// Somewhere in the world.
    Outside,
    /// This machine.
    Loopback,
    /// A network inside.
    Private,
    /// Of no host that anyone should call: unspecified, multicast, reserved, link-local, or the
    /// metadata service of a cloud.
    Nowhere,
}

/// Metadata services of clouds that have an address of a network inside; most are link-local.
const METADATA: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
];

/// Where an address is.
pub fn place(address: IpAddr) -> Place {
    let address = address.to_canonical();
    if METADATA.contains(&address) {
        return Place::Nowhere;
    }
    match address {
        IpAddr::V4(address) => place_v4(address),
        IpAddr::V6(address) => place_v6(address),
    }
}

/// Whether an address is of this machine, of a network inside, or of no host at all.
fn is_inside(address: IpAddr) -> bool {
    place(address) != Place::Outside
}

fn place_v4(address: Ipv4Addr) -> Place {
    let [a, b, c, _] = address.octets();
    // The metadata services of clouds are at 169.254.169.254.
    if address.is_link_local() || address.is_multicast() || a == 0 || a >= 240 {
        return Place::Nowhere;
    }
    if address.is_loopback() {
        return Place::Loopback;
    }
    let is_private = address.is_private()
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (18..20).contains(&b));
    if is_private { Place::Private } else { Place::Outside }
}

fn place_v6(address: Ipv6Addr) -> Place {
    let is_nowhere =
        address.is_unspecified() || address.is_multicast() || address.is_unicast_link_local();
    if is_nowhere {
        return Place::Nowhere;
    }
    if address.is_loopback() {
        return Place::Loopback;
    }
    if address.is_unique_local() {
        return Place::Private;
    }
    match address.segments() {
        // NAT64 and 6to4 carry an IPv4 address.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            place_v4(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)))
        }
        _ => Place::Outside,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolver(rules: &[&str]) -> Resolver {
        let rules: Vec<Rule> = rules.iter().map(|rule| rule.parse().unwrap()).collect();
        Connector::new(&rules, Duration::from_secs(1)).resolver(80)
    }

    fn resolved(resolver: &Resolver, name: &str, addresses: &[&str]) -> Result<usize, String> {
        let sockets = addresses.iter().map(|text| SocketAddr::new(text.parse().unwrap(), 80));
        resolver.filter(name, sockets).map(|left| left.len()).map_err(|error| error.to_string())
    }

    #[test]
    fn addresses_inside_are_refused() {
        for address in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "0.0.0.0",
            "100.64.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1",
            "fd00::1",
            "::ffff:127.0.0.1",
            "64:ff9b::a00:1",
            "2002:7f00:1::",
        ] {
            assert!(is_inside(address.parse().unwrap()), "{address}");
        }
        for address in ["fd00:ec2::254", "100.100.100.200", "2002:a9fe:a9fe::", "ff02::1"] {
            assert_eq!(place(address.parse().unwrap()), Place::Nowhere, "{address}");
        }
        for address in ["192.0.2.1", "8.8.8.8", "2001:db8::1", "64:ff9b::808:808"] {
            assert!(!is_inside(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn a_name_may_resolve_inside_only_where_a_rule_names_the_address() {
        let by_name = resolver(&["http://nms.example"]);
        assert!(resolved(&by_name, "nms.example", &["10.0.0.5"]).is_err());
        assert!(resolved(&by_name, "nms.example", &["::ffff:10.0.0.5"]).is_err());
        assert_eq!(resolved(&by_name, "nms.example", &["10.0.0.5", "8.8.8.8"]), Ok(1));
        let by_both = resolver(&["http://nms.example", "http://10.0.0.5"]);
        assert_eq!(resolved(&by_both, "nms.example", &["10.0.0.5", "10.0.0.6"]), Ok(1));
    }

    #[test]
    fn an_address_that_is_named_with_one_port_counts_for_that_port() {
        let rules = ["http://nms.example:8080", "http://nms.example", "http://10.0.0.5:8080"];
        let rules: Vec<Rule> = rules.iter().map(|rule| rule.parse().unwrap()).collect();
        let connector = Connector::new(&rules, Duration::from_secs(1));
        assert_eq!(resolved(&connector.resolver(8080), "nms.example", &["10.0.0.5"]), Ok(1));
        assert!(resolved(&connector.resolver(80), "nms.example", &["10.0.0.5"]).is_err());
        assert!(resolved(&connector.resolver(8081), "nms.example", &["10.0.0.5"]).is_err());
    }

    #[test]
    fn localhost_is_this_machine_and_nothing_else() {
        let resolver = resolver(&["http://localhost:8080"]);
        assert_eq!(resolved(&resolver, "localhost", &["127.0.0.1", "::1"]), Ok(2));
        assert!(resolved(&resolver, "localhost", &["10.0.0.1"]).is_err());
        assert!(resolved(&resolver, "x.localhost", &["127.0.0.1"]).is_err());
    }
}
