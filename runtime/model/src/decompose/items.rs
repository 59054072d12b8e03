//! What the lines of an order become: products become services, services become services below
//! them, each once within its scope.

use std::collections::{BTreeMap, BTreeSet};

use super::charges::charges;
use super::checks::CheckedLine;
use super::dates::time;
use super::draft::{Builder, Items, Requested};
use super::existing::ExistingLine;
use super::{Answers, Blocked, needs, prices, rule_failure};
use crate::catalog::{Catalog, SpecKind};
use crate::codes::FailureCode;
use crate::expr::{Expressions, Scope as Variables};
use crate::id::{ItemId, SpecId};
use crate::order::Order;
use crate::outcome::{Failure, FailureClass};
use crate::plan::{Action, Item, Level};
use crate::pricing::charge::Charge;
use crate::pricing::sold::Price;
use crate::rule::Scope;
use crate::rulebook::Rulebook;
use tmf::document::Characteristics;

/// Max items of a plan.
const ITEMS_MAX: usize = 200_000;

/// Decomposition may go so deep below a line.
const DEPTH_MAX: usize = 16;

/// Decomposes the lines of an order into items. Parents stand before what they become.
pub(super) fn items<'a>(
    order: &'a Order,
    lines: Vec<CheckedLine>,
    existing: &BTreeMap<usize, ExistingLine<'a>>,
    variables: &'a Variables,
    rulebook: &'a Rulebook,
    answers: &'a Answers,
) -> Result<Items, Blocked> {
    let mut builder = Builder {
        order,
        rulebook,
        answers,
        questions: Vec::new(),
        expressions: Expressions::default(),
        variables,
        built: Items { begins: order.dates.start, ..Items::default() },
        path: Vec::new(),
        shared: BTreeMap::new(),
        links: BTreeSet::new(),
        counts: BTreeMap::new(),
        service_lines: 0,
        taken: order.ids_among_items(),
        by_instance: BTreeMap::new(),
        origins: BTreeMap::new(),
        redone: BTreeSet::new(),
        whole: BTreeSet::new(),
        said: BTreeMap::new(),
        dropped: BTreeMap::new(),
        own: BTreeMap::new(),
    };
    match builder.build(lines, existing) {
        Err(lookups @ Blocked::Lookups(_)) => Err(lookups),
        // As long as answers are missing, a failure is not final.
        _ if !builder.questions.is_empty() => Err(Blocked::Questions(builder.questions)),
        Err(blocked) => Err(blocked),
        Ok(()) => Ok(builder.built),
    }
}

impl<'a> Builder<'a> {
    /// Builds the items. A plugin that must be asked makes nothing yet, which is noted.
    fn build(
        &mut self,
        lines: Vec<CheckedLine>,
        existing: &BTreeMap<usize, ExistingLine<'a>>,
    ) -> Result<(), Blocked> {
        let charges = charges(self.order, &lines, self.rulebook);
        let before = prices::before(self.order, &lines, existing, self.rulebook);
        for (index, (checked, now)) in lines.into_iter().zip(&charges).enumerate() {
            self.root(index, checked, now).map_err(Blocked::Failure)?;
            if let Some(existing) = existing.get(&index) {
                self.existing(index, existing)?;
                let was = before.as_ref().map_or(now, |before| &before[index]);
                self.price(index, existing, (was, now))?;
            }
        }
        let roots = self.built.items.len();
        for index in 0..roots {
            let item = &self.built.items[index];
            let is_new = item.action == Action::Add
                || existing.get(&index).is_some_and(|line| line.is_changed);
            if is_new && item.action != Action::Delete && !item.spec.as_str().is_empty() {
                self.expand(ItemId::at(index), ItemId::at(index))?;
            }
        }
        needs::spread_lines(&mut self.built, roots);
        self.keep_lines(existing)?;
        needs::relate(&mut self.built, self.rulebook);
        self.cease(existing)?;
        self.keep_needs()?;
        self.agree()?;
        self.note_dropped()?;
        self.want_states()?;
        self.finish();
        needs::relate_lines(&mut self.built, self.order);
        self.built.date_parts(self.order);
        Ok(())
    }

    pub(super) fn catalog(&self) -> &'a Catalog {
        self.rulebook.catalog()
    }

    /// Adds the item of a line.
    fn root(
        &mut self,
        index: usize,
        checked: CheckedLine,
        charges: &[Charge],
    ) -> Result<(), Failure> {
        let id = ItemId::at(index);
        let line = &self.order.lines[index];
        let kind = checked.spec.as_ref().and_then(|spec| self.catalog().specs.get(spec));
        let kind = kind.map(|spec| spec.kind);
        let level = match (self.order.level, kind) {
            (Level::CustomerService, Some(SpecKind::ResourceService)) => Level::ResourceService,
            (level, _) => level,
        };
        let base = match (&checked.spec, &line.offering) {
            (Some(spec), _) => spec.as_str(),
            (None, Some(offering)) => offering.as_str(),
            (None, None) => "item",
        };
        let name = self.unique(base);
        let spec = checked.spec.unwrap_or_else(|| SpecId::new(""));
        let is_delivered = level != Level::Product && !spec.as_str().is_empty();
        let listed = || charges.iter().map(|charge| charge.billed(None)).collect();
        let prices: Vec<Price> = line.agreed.clone().unwrap_or_else(listed);
        let prices = prices.into_iter().map(|price| self.rulebook.with_tax_named(price)).collect();
        self.built.items.push(Item {
            name,
            title: checked.title,
            action: line.action,
            parents: line.bundle.map(ItemId::at).into_iter().collect(),
            characteristics: checked.characteristics,
            offering: line.offering.clone(),
            quantity: line.quantity,
            prices,
            instance: line.instance.clone(),
            not_before: self.order.not_before(line),
            place: line.place.clone(),
            ..Item::new(level, spec, &line.id)
        });
        let mut bundle = index;
        while let Some(outer) = self.order.lines[bundle].bundle {
            bundle = outer;
        }
        self.built.roots.push(BTreeSet::from([id]));
        self.built.bundles.push(ItemId::at(bundle));
        if is_delivered {
            self.delivery(id, id)?;
        }
        Ok(())
    }

    /// Decomposes an item, and what it becomes in turn.
    fn expand(&mut self, parent: ItemId, root: ItemId) -> Result<(), Blocked> {
        if self.path.len() > DEPTH_MAX {
            let name = &self.built.items[parent.index()].name;
            let message = format!(
                "`{name}` stands more than {DEPTH_MAX} deep below a line of the order: put fewer \
                 levels into the rules or the catalog's relations"
            );
            return Err(Blocked::Failure(rule_failure(FailureCode::DecompDepth, message)));
        }
        self.path.push(parent);
        let wanted = self.wanted(parent, root)?;
        let matches = self.matches(parent, &wanted);
        for (wanted, existing) in wanted.into_iter().zip(matches) {
            let (child, new) = match existing {
                Some(known) => self.matched(known, &wanted, (parent, root))?,
                None => self.instance(wanted, parent, root)?,
            };
            if new {
                self.expand(child, root)?;
            }
        }
        self.give_up_rest(parent, root)?;
        self.path.pop();
        Ok(())
    }

    /// The instance of a specification for an item: the one that is shared within the scope, or a
    /// new one.
    fn instance(
        &mut self,
        wanted: Requested<'a>,
        parent: ItemId,
        root: ItemId,
    ) -> Result<(ItemId, bool), Blocked> {
        if let Some(known) = self.of_line(&wanted, (parent, root)) {
            return self.matched(known, &wanted, (parent, root));
        }
        let spec = wanted.spec;
        let characteristics = self.inherited(spec, parent, &wanted.characteristics);
        let key = (spec, self.scope_key(&wanted, parent, root));
        if let Some(&shared) = self.shared.get(&key) {
            if self.path.contains(&shared) {
                let message = format!(
                    "`{spec}` is decomposed into itself: the rules or the catalog's relations run \
                     in a circle"
                );
                return Err(Blocked::Failure(rule_failure(FailureCode::DecompCircle, message)));
            }
            self.ask_of(shared, root, characteristics)?;
            self.below(shared, parent, root);
            return Ok((shared, false));
        }
        if let Some(known) = self.there(&wanted, root)? {
            let id = self.taken(known, (parent, root), &characteristics)?;
            self.shared.insert(key, id);
            return Ok((id, false));
        }
        if self.built.items.len() >= ITEMS_MAX {
            let message = format!("the order becomes more than {ITEMS_MAX} items");
            return Err(Blocked::Failure(Failure::new(
                FailureClass::Reject,
                FailureCode::TooLarge,
                message,
            )));
        }
        let id = self.child(wanted, parent, root, characteristics);
        self.shared.insert(key, id);
        self.links.insert((id, parent));
        self.delivery(id, root).map_err(Blocked::Failure)?;
        Ok((id, true))
    }

    /// Another line asks for an item that the plan has.
    fn ask_of(
        &mut self,
        shared: ItemId,
        root: ItemId,
        characteristics: Characteristics,
    ) -> Result<(), Blocked> {
        if self.origins.contains_key(&shared) {
            return self.wish(shared, root, &characteristics);
        }
        let item = &mut self.built.items[shared.index()];
        for (name, value) in characteristics {
            if let Some(own) = item.characteristics.get(&name).filter(|own| **own != value) {
                let message = format!(
                    "`{}` is shared, but `{name}` would be {own} for one and {value} for another: \
                     narrow its `scope` (`parent` is the narrowest), or map the characteristic",
                    item.spec
                );
                return Err(Blocked::Failure(rule_failure(FailureCode::DecompConflict, message)));
            }
            item.characteristics.insert(name, value);
        }
        Ok(())
    }

    fn child(
        &mut self,
        wanted: Requested<'a>,
        parent: ItemId,
        root: ItemId,
        characteristics: Characteristics,
    ) -> ItemId {
        let id = ItemId::at(self.built.items.len());
        self.stands_within(id, &wanted, parent);
        let spec = wanted.spec;
        let known = &self.catalog().specs[spec];
        let level = match known.kind {
            SpecKind::Product => Level::Product,
            SpecKind::CustomerService => Level::CustomerService,
            SpecKind::ResourceService => Level::ResourceService,
            SpecKind::Resource => Level::Resource,
        };
        let item = Item {
            name: self.unique(spec.as_str()),
            title: known.name.clone(),
            parents: vec![parent],
            characteristics,
            part: wanted.part,
            serves: self.serves(spec),
            ..Item::new(level, spec.clone(), self.next_line())
        };
        self.built.items.push(item);
        self.built.roots.push(BTreeSet::from([root]));
        id
    }

    /// Notes which of several instances of a specification an item is, or stands below.
    fn stands_within(&mut self, id: ItemId, wanted: &Requested<'_>, parent: ItemId) {
        let scope = self.scope(wanted.spec);
        let within = if wanted.is_one_of_several || scope == Scope::Parent {
            Some(id)
        } else {
            self.built.within.get(&parent).copied().filter(|_| !scope.is_wide())
        };
        self.built.within.extend(within.map(|within| (id, within)));
    }

    /// An existing item serves what asks for the same within its scope.
    pub(super) fn share(
        &mut self,
        id: ItemId,
        wanted: &Requested<'a>,
        (parent, root): (ItemId, ItemId),
    ) {
        self.stands_within(id, wanted, parent);
        let key = (wanted.spec, self.scope_key(wanted, parent, root));
        self.shared.entry(key).or_insert(id);
    }

    /// Fills in what the rules say about how an item is delivered.
    pub(super) fn delivery(&mut self, id: ItemId, root: ItemId) -> Result<(), Failure> {
        let spec = &self.built.items[id.index()].spec;
        let mut resources = self.catalog().specs.get(spec).map(|spec| &spec.resources);
        let (mut adapter, mut not_before) = (None, None);
        if let Some((_, delivery)) = self.rulebook.delivery(spec) {
            adapter = delivery.adapter.as_ref();
            resources = delivery.resources.as_ref().or(resources);
            if let Some(expr) = &delivery.not_before {
                let value = expr.evaluate(&self.variables(id, root)).map_err(|error| {
                    rule_failure(
                        FailureCode::DecompRule,
                        format!("the delivery of `{spec}`: {error}"),
                    )
                })?;
                not_before = time(&value).map_err(|message| {
                    let message = format!("the delivery of `{spec}`: `not-before` {message}");
                    rule_failure(FailureCode::DecompRule, message)
                })?;
            }
        }
        let item = &mut self.built.items[id.index()];
        item.resources = resources.cloned().unwrap_or_default();
        item.adapter = adapter.cloned();
        item.not_before = item.not_before.max(not_before);
        Ok(())
    }

    /// Characteristics of a child: those that share a name with one of the parent's, and those
    /// that the rule maps.
    pub(super) fn inherited(
        &self,
        spec: &SpecId,
        parent: ItemId,
        mapped: &Characteristics,
    ) -> Characteristics {
        self.inherited_from(spec, &self.built.items[parent.index()].characteristics, mapped)
    }

    /// The same, by the characteristics of the parent.
    pub(super) fn inherited_from(
        &self,
        spec: &SpecId,
        own: &Characteristics,
        mapped: &Characteristics,
    ) -> Characteristics {
        let known = self.catalog().specs[spec].characteristics.iter();
        let known = known.filter_map(|(name, characteristic)| {
            let value = own.get(name).or(characteristic.default.as_ref())?;
            Some((name, value.clone()))
        });
        let mut characteristics: Characteristics = known.collect();
        characteristics.extend_from(mapped);
        characteristics
    }

    /// How far one instance of a specification reaches.
    pub(super) fn scope(&self, spec: &SpecId) -> Scope {
        self.rulebook.delivery(spec).map_or(Scope::Item, |(_, rule)| rule.scope)
    }

    /// Names what shares an instance: what has the same key has the same one.
    fn scope_key(&self, wanted: &Requested<'_>, parent: ItemId, root: ItemId) -> String {
        let line = || format!("item {root}");
        let within = match self.scope(wanted.spec) {
            Scope::Parent => format!("parent {parent}"),
            // One of several instances has children of its own.
            Scope::Item => match self.built.within.get(&parent) {
                Some(own) => format!("within {own}"),
                None => line(),
            },
            Scope::Line => line(),
            Scope::Bundle => format!("bundle {}", self.built.bundles[root.index()]),
            Scope::Order | Scope::Customer => "order".into(),
            Scope::Place => match self.order.place_of(&self.order.lines[root.index()]) {
                Some(place) => format!("place {place}"),
                None => line(),
            },
        };
        match &wanted.share {
            Some(share) => format!("{within} {share}"),
            None => within,
        }
    }

    /// The number of the next line of an order that is made here. Instances are named after it, so
    /// it is none of the lines that came in.
    pub(super) fn next_line(&mut self) -> String {
        loop {
            self.service_lines += 1;
            let line = self.service_lines.to_string();
            if !self.taken.contains(line.as_str()) {
                return line;
            }
        }
    }

    pub(super) fn unique(&mut self, base: &str) -> String {
        let count = self.counts.entry(base.to_string()).or_insert(0);
        *count += 1;
        if *count == 1 { base.to_string() } else { format!("{base}#{count}") }
    }

    pub(super) fn variables(&self, item: ItemId, root: ItemId) -> Variables {
        self.variables
            .clone()
            .with("item", &self.built.items[item.index()].view())
            .with("product", &self.built.items[root.index()].product_view())
    }
}
