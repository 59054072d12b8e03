//! The items of an order while it is decomposed: what is known of them so far, and what was asked for.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::existing::PriorItem;
use super::{Answers, Question};
use crate::expr::{Expressions, Scope as Variables};
use crate::id::{InstanceId, ItemId, SpecId};
use crate::order::Order;
use crate::plan::{Item, Part, PriorWork, Step};
use crate::rule::Rule;
use crate::rulebook::Rulebook;
use tmf::document::Characteristics;
use tmf::time::Timestamp;

/// The items of a plan, and which product items each is for.
#[derive(Debug, Default)]
pub(super) struct Items {
    pub items: Vec<Item>,
    /// For each item the root items (lines of the order) that it is for.
    pub roots: Vec<BTreeSet<ItemId>>,
    /// For each root item the outermost bundle that it is in; itself where it is in none.
    pub bundles: Vec<ItemId>,
    /// The innermost of several instances of a specification that an item is, or stands below.
    pub within: BTreeMap<ItemId, ItemId>,
    /// The work that stands for items that were there before.
    pub prior_work: BTreeMap<ItemId, Vec<(Step, PriorWork)>>,
    /// The date on which the order begins.
    pub begins: Option<Timestamp>,
    /// Lines that change nothing of how their instance is delivered.
    pub unchanged: BTreeSet<ItemId>,
    /// Existing instances that are decomposed anew: their steps are compared with what was done.
    pub compared: BTreeMap<ItemId, Reads>,
}

impl Items {
    /// An item serves the lines that another serves, besides its own.
    pub(super) fn serve_lines_of(&mut self, item: ItemId, other: ItemId) {
        if let Ok([own, theirs]) = self.roots.get_disjoint_mut([item.index(), other.index()])
            && own != theirs
        {
            own.extend(theirs.iter());
        }
    }
}

/// Which product the steps of an existing instance read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reads {
    /// The line that the item is for.
    Line,
    /// A product that the order is not about: as far as it goes nothing is another.
    Elsewhere,
}

/// The state of a decomposition.
pub(super) struct Builder<'a> {
    pub order: &'a Order,
    pub rulebook: &'a Rulebook,
    pub answers: &'a Answers,
    /// The questions to decomposer plugins that have no answer yet.
    pub questions: Vec<Question>,
    pub expressions: Expressions,
    /// What rules about any item can read. The order is in it, made ready once: it may be large.
    pub variables: &'a Variables,
    pub built: Items,
    /// From a line of the order to the item that is being decomposed.
    pub path: Vec<ItemId>,
    /// The instance that serves a specification within a scope.
    pub shared: BTreeMap<(&'a SpecId, String), ItemId>,
    /// Which items of the built ones have which parents.
    pub links: BTreeSet<(ItemId, ItemId)>,
    /// How many instances of a specification there are, for their names.
    pub counts: BTreeMap<String, usize>,
    pub service_lines: usize,
    /// The ids of lines that what they are made of must not have.
    pub taken: BTreeSet<&'a str>,
    /// The item of each existing instance: a plan is about an instance once.
    pub by_instance: BTreeMap<&'a InstanceId, ItemId>,
    /// The existing instance of each of these items.
    pub origins: BTreeMap<ItemId, PriorItem<'a>>,
    /// Existing instances that are decomposed anew.
    pub redone: BTreeSet<ItemId>,
    /// Existing instances whose parts are in the plan.
    pub whole: BTreeSet<ItemId>,
    /// What lines want the characteristics of such instances to be.
    pub said: BTreeMap<ItemId, Said>,
    /// The instances that do not use or need an existing one any more.
    pub dropped: BTreeMap<&'a InstanceId, BTreeSet<&'a InstanceId>>,
    /// The existing parts of changed lines, for those that were looked at.
    pub own: BTreeMap<ItemId, Own<'a>>,
}

/// The characteristic that numbers the instances of a rule with `quantity`.
pub(super) const NUMBER: &str = "number";

/// An instance that an item becomes.
#[derive(Debug)]
pub(super) struct Requested<'a> {
    pub spec: &'a SpecId,
    /// The characteristics that a rule maps.
    pub characteristics: Characteristics,
    /// Which it is of those of its specification.
    pub part: Option<Part>,
    /// What tells it apart from those that others within its scope ask for.
    pub share: Option<String>,
    /// Whether its item may become several of its kind: what is below it is its own then.
    pub is_one_of_several: bool,
    /// Whether it is the one that the other rules about the edge ask for too.
    pub is_shared: bool,
}

impl<'a> Requested<'a> {
    pub(super) fn new(spec: &'a SpecId, characteristics: Characteristics) -> Self {
        let (part, share) = (None, None);
        Self { spec, characteristics, part, share, is_one_of_several: false, is_shared: false }
    }

    /// What a rule or a plugin asks for once; a rule may number it itself.
    pub(super) fn by_rule(
        spec: &'a SpecId,
        characteristics: Characteristics,
        rule: &Rule,
        name: &str,
    ) -> Self {
        match characteristics.get(NUMBER).and_then(Value::as_u64) {
            Some(number) => Self::of_several(spec, characteristics, Part::Number(number)),
            None => {
                let part = Some(Part::Rule(name.into()));
                let is_shared = rule.shared;
                Self { part, is_shared, ..Self::new(spec, characteristics) }
            }
        }
    }

    /// One of several, told apart from the others by its rule already.
    pub(super) fn of_several(
        spec: &'a SpecId,
        characteristics: Characteristics,
        part: Part,
    ) -> Self {
        let share = match &part {
            Part::Number(number) => number.to_string(),
            Part::Each(key) => format!("each {key}"),
            Part::Rule(rule) => format!("rule {rule}"),
        };
        let made = Self::new(spec, characteristics);
        Self { part: Some(part), share: Some(share), is_one_of_several: true, ..made }
    }
}

/// What lines of the order want the characteristics of an existing instance to be.
pub(super) type Said = BTreeMap<String, Wish>;

/// What a line wants a characteristic to be.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    pub value: Value,
    /// The line.
    pub line: ItemId,
}

/// The instances that a line is made of, by their specifications.
pub(super) type Own<'a> = BTreeMap<&'a SpecId, Vec<OwnPart<'a>>>;

/// An instance that a line is made of.
#[derive(Clone, Copy)]
pub(super) struct OwnPart<'a> {
    pub known: PriorItem<'a>,
    /// Whether it is one of several of its specification, or stands below one.
    pub is_within: bool,
}
