//! The network that a client counts as, where it has limits: one of IPv6 has a whole /64 of addresses to choose from.

use std::net::IpAddr;

/// An address of IPv4, or the network of a customer of IPv6 (/64).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Network {
    V4([u8; 4]),
    V6([u16; 4]),
}

impl Network {
    pub(super) fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address.octets()),
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Self::V6([a, b, c, d])
            }
        }
    }
}
