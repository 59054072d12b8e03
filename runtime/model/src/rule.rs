//! Decomposition rules: what an item of some kind becomes, and how that is delivered. Rules refine
//! what the catalogs already say; an edge of the catalog that no rule is about is always taken.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::expr::Expr;
use crate::id::{PluginId, SpecId};

/// A rule about one edge: an item of `from` becomes an item of `to`.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Its name, for people.
    pub name: String,
    /// What it matches.
    pub from: SpecId,
    /// What it produces.
    pub to: Produces,
    /// When it does; always where nothing is said.
    pub when: Option<Expr>,
    /// How many; one where nothing is said.
    pub quantity: Option<Expr>,
    /// The list of which each element makes one.
    pub for_each: Option<Expr>,
    /// What tells the elements of the list apart.
    pub key: Option<Expr>,
    /// Whether it asks for the one that the other rules about the edge ask for too.
    pub shared: bool,
    /// Characteristics of what is produced: literals, and expressions after `=`.
    pub characteristics: BTreeMap<String, Value>,
}

/// What a rule produces.
#[derive(Clone, Debug, PartialEq)]
pub enum Produces {
    /// Instances of a specification.
    Spec(SpecId),
    /// The productions that a decomposer plugin answers with.
    Plugin(PluginId),
}

/// How an instance of a specification is delivered.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    /// The specification.
    pub spec: SpecId,
    /// The workflow that delivers it; nothing is done where there is none.
    pub workflow: Option<String>,
    /// The kind of element that carries it out, for people.
    pub adapter: Option<String>,
    /// The resources that it is made of, where the catalog does not say it right.
    pub resources: Option<Vec<SpecId>>,
    /// Specifications that must be delivered before it, besides those of the catalog.
    pub needs: Vec<SpecId>,
    /// How far one instance reaches.
    pub scope: Scope,
    /// The time before which it is not delivered.
    pub not_before: Option<Expr>,
}

/// How far one instance of a specification reaches: what asks for it within this shares it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// One for each item that it is made for.
    Parent,
    /// One for each product order item, and for each of several instances that it is below.
    #[default]
    Item,
    /// One for each product order item.
    Line,
    /// One for each bundle; an item outside of a bundle is its own.
    Bundle,
    /// One for the order.
    Order,
    /// One for each place.
    Place,
    /// One for the customer.
    Customer,
}

impl Scope {
    /// Whether one instance serves all that ask for it, however many rules do.
    pub(crate) fn is_wide(self) -> bool {
        match self {
            Self::Parent | Self::Item => false,
            Self::Line | Self::Bundle | Self::Order | Self::Place | Self::Customer => true,
        }
    }
}

/// Workflows that run around every product order that a pack has a part in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hooks {
    /// Before anything else.
    pub before: Option<String>,
    /// For each product, once its services are delivered.
    pub each_product: Option<String>,
    /// After everything else.
    pub after: Option<String>,
}

/// The file `rules.yaml`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct WrittenRules {
    #[serde(default)]
    pub decompose: Vec<WrittenRule>,
    #[serde(default)]
    pub deliver: Vec<WrittenDelivery>,
    #[serde(default)]
    pub orders: WrittenHooks,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct WrittenRule {
    pub rule: String,
    pub from: String,
    #[serde(default)]
    pub to: Option<String>,
    #[serde(default)]
    pub plugin: Option<String>,
    #[serde(default)]
    pub when: Option<String>,
    #[serde(default)]
    pub quantity: Option<String>,
    #[serde(default)]
    pub for_each: Option<String>,
    #[serde(default)]
    pub key: Option<String>,
    #[serde(default)]
    pub shared: bool,
    #[serde(default)]
    pub characteristics: BTreeMap<String, Value>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct WrittenDelivery {
    pub spec: String,
    #[serde(default)]
    pub workflow: Option<String>,
    #[serde(default)]
    pub adapter: Option<String>,
    #[serde(default)]
    pub resources: Option<Vec<String>>,
    #[serde(default)]
    pub needs: Vec<String>,
    #[serde(default)]
    pub scope: Scope,
    #[serde(default)]
    pub not_before: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct WrittenHooks {
    #[serde(default)]
    pub before: Option<String>,
    #[serde(default)]
    pub each_product: Option<String>,
    #[serde(default)]
    pub after: Option<String>,
}
