//! How strictly what clients write is checked, beyond what is needed to read it: by default what
//! would be a mistake of the operator's own designers is refused, and what another system may mean
//! otherwise is kept.

use serde::Deserialize;

/// How strict each rule is.
#[derive(Clone, Copy, Debug)]
pub struct Strictness {
    /// `[catalog] launch`: what cannot be delivered is not launched.
    pub launch: Strict,
    /// `[catalog] changes`: no change makes something unusable that can be ordered.
    pub changes: Strict,
    /// `[catalog] prices`: prices of offerings can be billed.
    pub offering_prices: Strict,
    /// `[catalog] patterns`: patterns of characteristics can be compiled.
    pub patterns: Strict,
    /// `[inventory] prices`: prices of products can be billed.
    pub product_prices: Strict,
    /// `[references] check`: which references must lead to something.
    pub references: References,
}

/// Whether a rule is enforced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strict {
    /// What breaks the rule is refused.
    Strict,
    /// It is kept as it is, and not used until it can be.
    Lenient,
}

/// Which references must lead to a document of this server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum References {
    /// All.
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
    /// Whether what breaks the rule is refused.
    pub fn refuses(self) -> bool {
        self == Self::Strict
    }
}

/// What a refusal tells about the setting that it follows from.
pub(crate) fn by_setting(message: impl std::fmt::Display, section: &str, key: &str) -> String {
    format!("{message} (refused by the setting `{key}` of `[{section}]`)")
}
