//! What an item becomes by the edges of the catalog, the rules about them and decomposer plugins:
//! which specifications, with which characteristics, and which of them are several of one kind.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::draft::{Builder, NUMBER, Requested};
use super::existing::PriorItem;
use super::{Blocked, Production, Question, rule_failure};
use crate::codes::FailureCode;
use crate::expr::{EvalError, Expr, Scope as Variables};
use crate::id::{ItemId, PluginId, SpecId};
use crate::outcome::Failure;
use crate::plan::{Item, Part};
use crate::rule::{Produces, Rule};
use tmf::document::Characteristics;

/// Max instances of one specification that one rule makes for one item.
const QUANTITY_MAX: usize = 10_000;

/// What is decomposed by the rules.
#[derive(Clone, Copy, Debug)]
pub(super) enum Whole<'a> {
    /// An item of the plan.
    Item(ItemId),
    /// An instance that the order leaves alone.
    Other(PriorItem<'a>),
}

impl<'a> Builder<'a> {
    /// What an item becomes: each edge of the catalog, as the rules about it say, and what rules
    /// and plugins add.
    pub(super) fn wanted(
        &mut self,
        parent: ItemId,
        root: ItemId,
    ) -> Result<Vec<Requested<'a>>, Blocked> {
        let spec = &self.built.items[parent.index()].spec;
        let variables = match self.rulebook.rules_from(spec).next() {
            Some(_) => self.variables(parent, root),
            None => Variables::default(),
        };
        self.wanted_of(Whole::Item(parent), &variables)
    }

    /// What an item or an instance becomes, by what the rules can read of it.
    pub(super) fn wanted_of(
        &mut self,
        whole: Whole<'a>,
        variables: &Variables,
    ) -> Result<Vec<Requested<'a>>, Blocked> {
        let spec = &self.item_of(whole).spec;
        let edges = self.catalog().specs.get(spec).map_or(&[][..], |spec| &spec.relies_on);
        let rulebook = self.rulebook;
        let rules: Vec<&Rule> = rulebook.rules_from(spec).map(|(_, rule)| rule).collect();
        if rules.is_empty() {
            return Ok(edges
                .iter()
                .map(|edge| Requested::new(edge, Characteristics::new()))
                .collect());
        }
        let mut wanted = Vec::new();
        for edge in edges {
            let is_about = |rule: &&&Rule| matches!(&rule.to, Produces::Spec(to) if to == edge);
            let about: Vec<&&Rule> = rules.iter().filter(is_about).collect();
            if about.is_empty() {
                wanted.push(Requested::new(edge, Characteristics::new()));
            }
            for rule in about {
                let made = self.produced(rule, edge, variables).map_err(Blocked::Failure)?;
                wanted.extend(made);
            }
        }
        for rule in &rules {
            match &rule.to {
                Produces::Spec(to) if edges.contains(to) => {}
                Produces::Spec(to) => {
                    let made = self.produced(rule, to, variables).map_err(Blocked::Failure)?;
                    wanted.extend(made);
                }
                Produces::Plugin(plugin) => {
                    wanted.extend(self.asked(rule, plugin, whole, variables)?);
                }
            }
        }
        forget_only_rules(&mut wanted, &rules);
        self.tell_apart(&mut wanted);
        Ok(wanted)
    }

    fn item_of(&self, whole: Whole<'a>) -> &Item {
        match whole {
            Whole::Item(id) => &self.built.items[id.index()],
            Whole::Other(known) => known.item(),
        }
    }

    /// Each of several rules or productions about one specification makes an instance of its own,
    /// but where one instance reaches beyond the line.
    fn tell_apart(&self, wanted: &mut [Requested<'_>]) {
        let mut counts: BTreeMap<&SpecId, usize> = BTreeMap::new();
        let is_own = |made: &Requested<'_>| {
            made.share.is_none() && !made.is_shared && !self.scope(made.spec).is_wide()
        };
        for made in wanted.iter().filter(|made| is_own(made)) {
            *counts.entry(made.spec).or_insert(0) += 1;
        }
        let mut ranks: BTreeMap<&SpecId, usize> = BTreeMap::new();
        for made in wanted.iter_mut().filter(|made| is_own(made)) {
            if counts.get(made.spec).is_none_or(|count| *count < 2) {
                continue;
            }
            let rank = ranks.entry(made.spec).or_insert(0);
            *rank += 1;
            made.is_one_of_several = true;
            // The first is the one that another item of the line may share.
            made.share = (*rank > 1).then(|| format!("rank {rank}"));
        }
    }

    /// The instances that a rule makes of a specification.
    fn produced(
        &mut self,
        rule: &Rule,
        spec: &'a SpecId,
        variables: &Variables,
    ) -> Result<Vec<Requested<'a>>, Failure> {
        if !holds(rule, variables)? {
            return Ok(Vec::new());
        }
        if !self.catalog().specs.contains_key(spec) {
            let message =
                format!("rule `{}` leads to `{spec}`, which no catalog has ready", rule.name);
            return Err(rule_failure(FailureCode::DecompSpec, message));
        }
        if let Some(list) = &rule.for_each {
            return self.each(rule, spec, list, variables);
        }
        let Some(quantity) = &rule.quantity else {
            let mapped = self.mapped(rule, variables)?;
            return Ok(vec![Requested::by_rule(spec, mapped, rule, &rule.name)]);
        };
        let value = quantity.evaluate(variables).map_err(|error| in_rule(rule, &error))?;
        let count = value.as_u64().filter(|count| *count <= QUANTITY_MAX as u64);
        let count = count.ok_or_else(|| {
            let message = format!(
                "rule `{}`: `quantity` is a whole number up to {QUANTITY_MAX}, not {value}",
                rule.name
            );
            rule_failure(FailureCode::DecompRule, message)
        })?;
        let mut numbered = Vec::new();
        for number in 1..=count {
            let own = variables.clone().with(NUMBER, &json!(number));
            let mut made = self.mapped(rule, &own)?;
            made.insert(NUMBER, json!(number));
            numbered.push(Requested::of_several(spec, made, Part::Number(number)));
        }
        Ok(numbered)
    }

    /// One instance for each element of a list.
    fn each(
        &mut self,
        rule: &Rule,
        spec: &'a SpecId,
        list: &Expr,
        variables: &Variables,
    ) -> Result<Vec<Requested<'a>>, Failure> {
        let value = list.evaluate(variables).map_err(|error| in_rule(rule, &error))?;
        let elements = value.as_array().filter(|elements| elements.len() <= QUANTITY_MAX);
        let elements = elements.ok_or_else(|| {
            let found = value.as_array().map_or_else(|| value.to_string(), |l| l.len().to_string());
            let message = format!(
                "rule `{}`: `for-each` is a list of up to {QUANTITY_MAX} elements, not {found}",
                rule.name
            );
            rule_failure(FailureCode::DecompRule, message)
        })?;
        let mut made = Vec::with_capacity(elements.len());
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for (position, element) in elements.iter().enumerate() {
            let variables = variables.clone().with("each", element);
            let mapped = self.mapped(rule, &variables)?;
            let mut key = match &rule.key {
                Some(key) => {
                    let key = key.evaluate(&variables);
                    key.map_err(|error| in_rule(rule, &error))?.to_string()
                }
                None => key_of(element, position),
            };
            let count = counts.entry(key.clone()).or_insert(0);
            *count += 1;
            if *count > 1 {
                key.push_str(&format!(" {count}"));
            }
            made.push(Requested::of_several(spec, mapped, Part::Each(key)));
        }
        Ok(made)
    }

    /// The characteristics that a rule maps.
    fn mapped(&mut self, rule: &Rule, variables: &Variables) -> Result<Characteristics, Failure> {
        let mapped = rule.characteristics.iter().map(|(name, template)| {
            let value = self.expressions.fill(template, variables);
            value.map(|value| (name, value)).map_err(|error| in_rule(rule, &error))
        });
        mapped.collect()
    }

    /// The productions of a decomposer plugin; empty if it must be asked first, which is noted.
    fn asked(
        &mut self,
        rule: &Rule,
        plugin: &PluginId,
        whole: Whole<'a>,
        variables: &Variables,
    ) -> Result<Vec<Requested<'a>>, Blocked> {
        if !holds(rule, variables).map_err(Blocked::Failure)? {
            return Ok(Vec::new());
        }
        let answers = self.answers;
        let item = self.item_of(whole);
        let name = match whole {
            Whole::Item(_) => item.name.as_str(),
            Whole::Other(known) => known.id.as_str(),
        };
        let question = Question {
            key: format!("{}/{name}", rule.name),
            plugin: plugin.clone(),
            spec: item.spec.clone(),
            action: item.action,
            characteristics: item.characteristics.clone(),
        };
        let Some(answer) = answers.to(&question) else {
            if !self.questions.contains(&question) {
                self.questions.push(question);
            }
            return Ok(Vec::new());
        };
        let known = |made: &Production| self.catalog().specs.contains_key(&made.spec);
        if let Some(unknown) = answer.iter().find(|made| !known(made)) {
            let message = format!(
                "rule `{}`: plugin `{plugin}` produces `{}`, which no catalog has",
                rule.name, unknown.spec
            );
            return Err(Blocked::Failure(rule_failure(FailureCode::DecompPlugin, message)));
        }
        let mut counts: BTreeMap<&SpecId, usize> = BTreeMap::new();
        let wanted = answer.iter().map(|made| {
            let count = counts.entry(&made.spec).or_insert(0);
            *count += 1;
            let name = match *count {
                1 => Cow::Borrowed(rule.name.as_str()),
                count => Cow::Owned(format!("{} {count}", rule.name)),
            };
            Requested::by_rule(&made.spec, made.characteristics.clone(), rule, &name)
        });
        Ok(wanted.collect())
    }
}

/// An instance need not name its rule where no other rule is about its specification.
fn forget_only_rules(wanted: &mut [Requested<'_>], rules: &[&Rule]) {
    for made in wanted {
        let may_make = |rule: &&&Rule| match &rule.to {
            Produces::Spec(to) => to == made.spec,
            Produces::Plugin(_) => true,
        };
        if matches!(made.part, Some(Part::Rule(_))) && rules.iter().filter(may_make).count() < 2 {
            made.part = None;
        }
    }
}

/// What tells an element of a list apart where no `key` does: a text or a number is its own, a map
/// has an `id`, anything else has its position.
fn key_of(element: &Value, position: usize) -> String {
    let own = match element {
        Value::String(_) | Value::Number(_) | Value::Bool(_) => Some(element),
        Value::Object(fields) => fields.get("id"),
        Value::Null | Value::Array(_) => None,
    };
    own.map_or_else(|| format!("[{position}]"), Value::to_string)
}

fn holds(rule: &Rule, variables: &Variables) -> Result<bool, Failure> {
    match &rule.when {
        Some(when) => when.is_true(variables).map_err(|error| in_rule(rule, &error)),
        None => Ok(true),
    }
}

fn in_rule(rule: &Rule, error: &EvalError) -> Failure {
    rule_failure(FailureCode::DecompRule, format!("rule `{}`: {error}", rule.name))
}
