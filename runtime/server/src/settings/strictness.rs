//! How strictly documents of clients are checked, beyond what is needed to read them: by default
//! likely mistakes of the operator's own designers are refused, and data that may be valid in another
//! system is kept.

use serde::Deserialize;

/// How strict each rule is.
#[derive(Clone, Copy, Debug)]
pub struct Strictness {
    /// `[catalog] launch`: entities that cannot be delivered are not launched.
    pub launch: Strict,
    /// `[catalog] changes`: no change makes an orderable entity unusable.
    pub changes: Strict,
    /// `[catalog] prices`: prices of offerings can be billed.
    pub offering_prices: Strict,
    /// `[catalog] patterns`: patterns of characteristics can be compiled.
    pub patterns: Strict,
    /// `[inventory] prices`: prices of products can be billed.
    pub product_prices: Strict,
    /// `[references] check`: which references must lead to a document.
    pub references: References,
}

/// Whether a rule is enforced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strict {
    /// Documents that break the rule are refused.
    Strict,
    /// They are kept, and not used until they are corrected.
    Lenient,
}

/// Which references must lead to a document of this server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum References {
    All,
    /// Those without an absolute `href` to another system.
    #[default]
    Local,
    /// None.
    None,
}

impl Default for Strictness {
    fn default() -> Self {
        Self {
            launch: Strict::Lenient,
            changes: Strict::Strict,
            offering_prices: Strict::Strict,
            patterns: Strict::Strict,
            product_prices: Strict::Strict,
            references: References::Local,
        }
    }
}

impl Strict {
    /// Whether documents that break the rule are refused.
    pub fn refuses(self) -> bool {
        self == Self::Strict
    }
}

/// The part of an error that names its setting.
pub(crate) fn by_setting(message: impl std::fmt::Display, section: &str, key: &str) -> String {
    format!("{message} (refused by the setting `{key}` of `[{section}]`)")
}
