//! The inputs of an instance's steps, and so its final state.

use std::collections::{BTreeMap, BTreeSet};

use super::super::pack::{Act, Pack, Read, Source, When};
use super::{Change, Field, Product, State, Unclear};

impl State {
    /// The steps that are done for an instance: those whose `when` holds.
    pub(in crate::oracle) fn steps(&self, pack: &Pack, instance: u32) -> Vec<usize> {
        let steps = pack.services[self.instances[&instance].service].steps.iter().enumerate();
        let done = steps.filter(|(_, step)| match &step.when {
            When::Always => true,
            When::Equals(source, value) => self.number(instance, source) == *value,
        });
        done.map(|(at, _)| at).collect()
    }

    /// The inputs of each step of an instance.
    pub(in crate::oracle) fn work(
        &self,
        pack: &Pack,
        instance: u32,
    ) -> Result<BTreeMap<usize, BTreeMap<String, Field>>, Unclear> {
        let service = self.instances[&instance].service;
        let mut all = BTreeMap::new();
        for at in self.steps(pack, instance) {
            let mut told = BTreeMap::new();
            match &pack.services[service].steps[at].act {
                Act::Take { pool } => {
                    told.insert("pool".to_string(), Field::Number(*pool as i64));
                }
                Act::Note { v } => {
                    told.insert("v".to_string(), Field::Number(self.number(instance, v)));
                }
                Act::Tell { body, .. } => {
                    for (name, read) in body {
                        told.insert(name.clone(), self.field(pack, instance, read)?);
                    }
                }
            }
            all.insert(at, told);
        }
        Ok(all)
    }

    fn field(&self, pack: &Pack, instance: u32, read: &Read) -> Result<Field, Unclear> {
        Ok(match read {
            Read::Number(source) => Field::Number(self.number(instance, source)),
            Read::Place => match &self.product_of(instance).place {
                Some(place) => Field::Text(place.clone()),
                None => Field::Nothing,
            },
            Read::Own(step) => Field::Taken(instance, *step),
            Read::Upstream(other) => {
                let of = |ids: &BTreeSet<u32>| -> Vec<u32> {
                    let is_it = |id: &&u32| self.instances[*id].service == *other;
                    ids.iter().filter(is_it).copied().collect()
                };
                let mut found = of(&self.instances[&instance].needs);
                if found.is_empty() {
                    // "And of the lines that its line relies on. What is nearer counts."
                    found = of(&self.relied_upon(instance)?);
                }
                let mut of = found.iter();
                match (of.next(), of.next()) {
                    (None, _) => Field::Text("none".into()),
                    (Some(one), None) => self.given(pack, *one),
                    // "With several instances of one specification upstream, do not rely on which
                    // of them you read."
                    (Some(_), Some(_)) => return Err("several upstream"),
                }
            }
        })
    }

    /// All that the lines are made of on which the line of an instance relies.
    fn relied_upon(&self, instance: u32) -> Result<BTreeSet<u32>, Unclear> {
        let mut found = BTreeSet::new();
        let users = self.users(instance);
        for user in &users {
            let mut on = self.products[&self.bundle_of(user)].relies_on.as_ref();
            let mut deep = 0;
            while let Some(next) = on {
                found.extend(self.all_of(next));
                on = self.products[next].relies_on.as_ref();
                deep += 1;
            }
            if deep > 0 && users.len() > 1 {
                return Err("which of its lines is meant");
            }
        }
        Ok(found)
    }

    /// What an instance gives to those that need it.
    fn given(&self, pack: &Pack, instance: u32) -> Field {
        let steps = pack.services[self.instances[&instance].service].steps.iter().enumerate();
        let mut given = Field::Nothing;
        for (at, step) in steps {
            match &step.act {
                Act::Take { .. } => given = Field::Taken(instance, at),
                Act::Note { v } => given = Field::Number(self.number(instance, v)),
                Act::Tell { .. } => {}
            }
        }
        given
    }

    fn number(&self, instance: u32, source: &Source) -> i64 {
        match source {
            Source::Fixed(value) => *value,
            Source::Item(name) => self.instances[&instance].chars[name],
            Source::Product(name) => self.product_of(instance).chars[name],
        }
    }

    /// The product of an instance that only one can use.
    fn product_of(&self, instance: u32) -> &Product {
        let user = self.users(instance).into_iter().next().expect("it is used");
        &self.products[user]
    }

    /// "The services follow" when a product is suspended, but for those that others use too.
    pub(in crate::oracle) fn is_inactive(&self, instance: u32) -> bool {
        self.users(instance).iter().all(|user| self.products[*user].is_suspended)
    }

    /// What became of each instance between two states: "an item is the same when its steps (`when`)
    /// and their inputs are; else it is `modify`".
    pub(in crate::oracle) fn changes(&self, after: &Self, pack: &Pack) -> BTreeMap<u32, Change> {
        let all: BTreeSet<u32> =
            self.instances.keys().chain(after.instances.keys()).copied().collect();
        let change = |id: u32| match (self.instances.get(&id), after.instances.get(&id)) {
            (None, _) => Change::Add,
            (_, None) => Change::Delete,
            (Some(before), Some(now)) if before.chars != now.chars => Change::Modify,
            (Some(_), Some(_)) => {
                let (before, now) = (self.work(pack, id), after.work(pack, id));
                match (before, now) {
                    (Ok(before), Ok(now)) if before == now => Change::Same,
                    (Ok(before), Ok(now)) if own(&before) == own(&now) => Change::Follows,
                    _ => Change::Modify,
                }
            }
        };
        all.into_iter().map(|id| (id, change(id))).collect()
    }
}

/// What steps are told, but for what they read of others: fields whose names begin with `up`.
fn own(work: &BTreeMap<usize, BTreeMap<String, Field>>) -> BTreeMap<usize, Vec<&Field>> {
    let own = |told: &BTreeMap<String, Field>| -> Vec<String> {
        told.keys().filter(|name| !name.starts_with("up")).cloned().collect()
    };
    work.iter()
        .map(|(at, told)| (*at, own(told).iter().map(|name| &told[name]).collect()))
        .collect()
}
