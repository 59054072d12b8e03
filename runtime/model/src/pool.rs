//! Pools of numbered resources: ports, VLANs, addresses, numbers, serials.
//!
//! A pool is a counted list of values that is never written out: value 17 is computed. So a pool
//! of a million addresses costs nothing, and what is held is a set of positions.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use ipnet::{Ipv4Net, Ipv6Net};

use crate::id::{PoolId, SpecId};

/// A pool, as a pack defines it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool {
    /// Its name.
    pub id: PoolId,
    /// The resource specification of its values.
    pub resource: SpecId,
    /// The characteristic of the resource that a value fills, such as `vlanId`.
    pub characteristic: String,
    /// Its values.
    pub values: Values,
}

/// The values of a pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Values {
    /// Text with counters, such as `olt-1/{slot:1..4}/{port:1..16}`.
    Pattern(Pattern),
    /// The host addresses of an IPv4 network.
    Ipv4 {
        /// The first address handed out.
        first: Ipv4Addr,
        /// How many.
        count: u64,
    },
    /// The subnets of an IPv4 network.
    Ipv4Subnets {
        /// The network.
        network: Ipv4Addr,
        /// The length of the prefixes handed out.
        prefix: u8,
        /// How many.
        count: u64,
    },
    /// The subnets of an IPv6 network.
    Ipv6 {
        /// The network.
        network: Ipv6Addr,
        /// The length of the prefixes handed out.
        prefix: u8,
        /// How many.
        count: u64,
    },
}

/// Text with counters in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Counter { name: String, from: u64, to: u64, width: usize },
}

/// Why the text of a pool's values cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PoolError {
    /// A brace is missing or one too many.
    #[error("`{0}` has an opening brace without a closing one")]
    Brace(String),
    /// A counter is not `{from..to}` or `{name:from..to}`.
    #[error(
        "`{{{0}}}` is no counter: write `{{from..to}}` or `{{name:from..to}}`, from not above to"
    )]
    Counter(String),
    /// There is nothing to count.
    #[error("`{0}` has no counter such as `{{1..100}}`, so it is a single value")]
    NoCounter(String),
    /// Not a network in CIDR form, or one without room.
    #[error("`{0}` is no {1} network in CIDR form with room for addresses")]
    Network(String, &'static str),
    /// Subnets that are not smaller than their network, or smaller than an address.
    #[error("subnets of `{network}` have a prefix of {} to {max}, not {prefix}", u16::from(*.length) + 1)]
    Prefix {
        /// The network.
        network: String,
        /// Its length.
        length: u8,
        /// The length that is wanted.
        prefix: u8,
        /// The length of an address.
        max: u8,
    },
    /// An address within a network, where the network itself is wanted.
    #[error("`{0}` is an address within the network `{1}`: write that")]
    Host(String, String),
    /// A pool may hold 2^48 values.
    #[error("a pool may hold 2^48 values, this one is larger")]
    TooLarge,
}

/// Max values of a pool, so that positions can be counted without overflow.
pub const POOL_VALUES_MAX: u64 = 1 << 48;

impl Pool {
    /// How many values it has.
    pub fn len(&self) -> u64 {
        match &self.values {
            Values::Pattern(pattern) => pattern.len(),
            Values::Ipv4 { count, .. }
            | Values::Ipv4Subnets { count, .. }
            | Values::Ipv6 { count, .. } => *count,
        }
    }

    /// Whether it has no value at all; such a pool cannot be read from a pack.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value at a position below [`Pool::len`].
    pub fn value(&self, index: u64) -> String {
        match &self.values {
            Values::Pattern(pattern) => pattern.value(index),
            Values::Ipv4 { first, .. } => {
                let offset = u32::try_from(index).unwrap_or(u32::MAX);
                Ipv4Addr::from(u32::from(*first).wrapping_add(offset)).to_string()
            }
            Values::Ipv4Subnets { network, prefix, .. } => {
                let offset = u32::try_from(index << (32 - u32::from(*prefix))).unwrap_or(u32::MAX);
                format!("{}/{prefix}", Ipv4Addr::from(u32::from(*network).wrapping_add(offset)))
            }
            Values::Ipv6 { network, prefix, .. } => {
                let offset = u128::from(index) << (128 - u32::from(*prefix));
                format!("{}/{prefix}", Ipv6Addr::from(u128::from(*network).wrapping_add(offset)))
            }
        }
    }

    /// The named counters of the value at a position, such as slot and port.
    pub fn attributes(&self, index: u64) -> Vec<(String, u64)> {
        match &self.values {
            Values::Pattern(pattern) => pattern.counters(index),
            Values::Ipv4 { .. } | Values::Ipv4Subnets { .. } | Values::Ipv6 { .. } => Vec::new(),
        }
    }
}

impl Values {
    /// Reads a pattern such as `olt-1/{slot:1..4}/{port:1..16}` or `HW{000001..999999}`; leading
    /// zeros of the first bound set the width.
    pub fn pattern(text: &str) -> Result<Self, PoolError> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(open) = rest.find('{') {
            let (before, after) = rest.split_at(open);
            if !before.is_empty() {
                parts.push(Part::Text(before.into()));
            }
            let Some(close) = after.find('}') else {
                return Err(PoolError::Brace(text.into()));
            };
            let inner = after.get(1..close).unwrap_or_default();
            parts.push(counter(inner).ok_or_else(|| PoolError::Counter(inner.into()))?);
            rest = after.get(close + 1..).unwrap_or_default();
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.into()));
        }
        if !parts.iter().any(|part| matches!(part, Part::Counter { .. })) {
            return Err(PoolError::NoCounter(text.into()));
        }
        let pattern = Pattern { parts };
        match pattern.checked_len() {
            Some(len) if len <= POOL_VALUES_MAX => Ok(Self::Pattern(pattern)),
            _ => Err(PoolError::TooLarge),
        }
    }

    /// The host addresses of an IPv4 network such as `100.64.0.0/16`.
    pub fn ipv4(text: &str) -> Result<Self, PoolError> {
        let network = network::<Ipv4Net>(text, "IPv4", Ipv4Net::trunc)?;
        if network.prefix_len() > 30 {
            return Err(PoolError::Network(text.into(), "IPv4"));
        }
        let size = 1_u64 << (32 - u32::from(network.prefix_len()));
        let first = Ipv4Addr::from(u32::from(network.network()).wrapping_add(1));
        Ok(Self::Ipv4 { first, count: size - 2 })
    }

    /// The subnets of length `prefix` of an IPv4 network such as `10.20.0.0/16`.
    pub fn ipv4_subnets(text: &str, prefix: u8) -> Result<Self, PoolError> {
        let network = network::<Ipv4Net>(text, "IPv4", Ipv4Net::trunc)?;
        let count = subnets(text, (network.prefix_len(), prefix, 32))?;
        Ok(Self::Ipv4Subnets { network: network.network(), prefix, count })
    }

    /// The subnets of length `prefix` of an IPv6 network such as `2001:db8::/40`.
    pub fn ipv6(text: &str, prefix: u8) -> Result<Self, PoolError> {
        let network = network::<Ipv6Net>(text, "IPv6", Ipv6Net::trunc)?;
        let count = subnets(text, (network.prefix_len(), prefix, 128))?;
        Ok(Self::Ipv6 { network: network.network(), prefix, count })
    }
}

/// A network without bits beyond its length: two pools of one network would overlap.
fn network<Net: FromStr + PartialEq + fmt::Display>(
    text: &str,
    family: &'static str,
    trunc: fn(&Net) -> Net,
) -> Result<Net, PoolError> {
    let read: Net = text.parse().map_err(|_| PoolError::Network(text.into(), family))?;
    let masked = trunc(&read);
    if masked == read { Ok(read) } else { Err(PoolError::Host(text.into(), masked.to_string())) }
}

/// How many subnets of a length a network has.
fn subnets(text: &str, (length, prefix, max): (u8, u8, u8)) -> Result<u64, PoolError> {
    if prefix > max || length >= prefix {
        return Err(PoolError::Prefix { network: text.into(), length, prefix, max });
    }
    match 1_u64.checked_shl(u32::from(prefix - length)) {
        Some(count) if count <= POOL_VALUES_MAX => Ok(count),
        _ => Err(PoolError::TooLarge),
    }
}

impl Pattern {
    fn counts(&self) -> impl DoubleEndedIterator<Item = u64> + '_ {
        self.parts.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Counter { from, to, .. } => Some(to - from + 1),
        })
    }

    fn checked_len(&self) -> Option<u64> {
        self.counts().try_fold(1_u64, u64::checked_mul)
    }

    fn len(&self) -> u64 {
        self.counts().product()
    }

    /// The value of each counter at a position: the last counter runs fastest.
    fn digits(&self, mut index: u64) -> Vec<u64> {
        let mut digits: Vec<u64> = self
            .counts()
            .rev()
            .map(|count| {
                let digit = index % count;
                index /= count;
                digit
            })
            .collect();
        digits.reverse();
        digits
    }

    fn value(&self, index: u64) -> String {
        let mut digits = self.digits(index).into_iter();
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(literal) => text.push_str(literal),
                Part::Counter { from, width, .. } => {
                    let number = from + digits.next().unwrap_or(0);
                    text.push_str(&format!("{number:0width$}"));
                }
            }
        }
        text
    }

    fn counters(&self, index: u64) -> Vec<(String, u64)> {
        let mut digits = self.digits(index).into_iter();
        self.parts
            .iter()
            .filter_map(|part| match part {
                Part::Text(_) => None,
                Part::Counter { name, from, .. } => {
                    Some((name.clone(), from + digits.next().unwrap_or(0)))
                }
            })
            .filter(|(name, _)| !name.is_empty())
            .collect()
    }
}

fn counter(inner: &str) -> Option<Part> {
    let (name, range) = inner.split_once(':').unwrap_or(("", inner));
    let (low, high) = range.split_once("..")?;
    let (from, to) = (low.parse::<u64>().ok()?, high.parse::<u64>().ok()?);
    let width = if low.starts_with('0') { low.len() } else { 0 };
    (from <= to && to < u64::MAX).then(|| Part::Counter { name: name.into(), from, to, width })
}

#[cfg(test)]
mod tests;
