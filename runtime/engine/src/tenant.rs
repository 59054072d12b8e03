//! The name of a tenant. Operators choose it: it stands in paths, settings, labels and keys.

use std::fmt;
use std::sync::Arc;

/// Max bytes of a name.
pub const NAME_BYTES_MAX: usize = 32;

/// The name of a tenant: 1 to 32 of `a` to `z`, `0` to `9` and `-`. The default tenant has none.
/// Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TenantName(Arc<str>);

impl TenantName {
    /// Reads a name; `None` if it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let is_plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        let is_name = (1..=NAME_BYTES_MAX).contains(&text.len()) && text.bytes().all(is_plain);
        is_name.then(|| Self(text.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TenantName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::borrow::Borrow<str> for TenantName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_short_and_plain() {
        let long = "a".repeat(NAME_BYTES_MAX);
        for name in ["a", "acme", "acme-2", "0", "-", &long] {
            assert_eq!(TenantName::parse(name).unwrap().as_str(), name);
        }
        let longer = "a".repeat(NAME_BYTES_MAX + 1);
        for wrong in ["", "A", "a/b", "a b", "a.b", "ä", "a_b", "..", "%2e", &longer] {
            assert_eq!(TenantName::parse(wrong), None, "{wrong}");
        }
    }
}
