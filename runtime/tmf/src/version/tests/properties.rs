//! For any document: nothing is lost between the versions.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{lost, view, views};
use crate::shape::{Kind, Type, TypeSet};
use crate::version::View;

/// Below this depth an object has only what it must have.
const DEPTH: usize = 3;

/// A document out of a row of random numbers, as a shape allows it.
struct Making<'a> {
    types: TypeSet,
    dice: std::iter::Cycle<std::slice::Iter<'a, u8>>,
}

impl Making<'_> {
    fn roll(&mut self, sides: usize) -> usize {
        usize::from(*self.dice.next().unwrap()) % sides
    }

    fn object(&mut self, declared: &'static str, depth: usize) -> Map<String, Value> {
        let alternatives = self.types.alternatives(declared);
        let name = alternatives[self.roll(alternatives.len())];
        let mut fields = Map::new();
        let Some(shape) = self.types.object(name) else { return fields };
        for attribute in &shape.attributes {
            let is_named = name.ends_with("Ref") && attribute.name == "id";
            let is_wanted = attribute.required || is_named;
            if !is_wanted && (depth >= DEPTH || self.roll(4) != 0) {
                continue;
            }
            let kind = attribute.kinds[self.roll(attribute.kinds.len())];
            if depth < DEPTH || is_wanted && depth < 2 * DEPTH {
                fields.insert(attribute.name.into(), self.value(kind, depth));
            }
        }
        if matches!(self.types, TypeSet::V5(_)) {
            fields.insert("@type".into(), name.into());
        }
        fields
    }

    fn value(&mut self, kind: Kind, depth: usize) -> Value {
        match kind {
            Kind::One(item) => self.item(item, depth),
            Kind::Many(item) => {
                let count = self.roll(3);
                (0..count).map(|_| self.item(item, depth)).collect()
            }
        }
    }

    fn item(&mut self, item: Type, depth: usize) -> Value {
        match item {
            Type::Fields => json!({ "a": self.roll(9) }),
            Type::Any | Type::String | Type::Uri | Type::Base64 => {
                json!(["a", "b", "2026-03-12"][self.roll(3)])
            }
            Type::Integer => json!(self.roll(9)),
            Type::Number => json!(1.5),
            Type::Boolean => json!(self.roll(2) == 0),
            Type::DateTime => json!("2026-03-12T02:00:00.000Z"),
            Type::Date => json!("2026-03-12"),
            Type::Choice(name) => {
                let values = self.types.choice(name);
                json!(values[self.roll(values.len())])
            }
            Type::Object(shape) => self.object(shape, depth + 1).into(),
        }
    }
}

fn made(types: TypeSet, shape: &'static str, dice: &[u8]) -> Value {
    Making { types, dice: dice.iter().cycle() }.object(shape, 0).into()
}

fn translated() -> Vec<View> {
    let translated = |view: &View| view.resource.served == crate::resource::Served::Always;
    views().filter(translated).collect()
}

proptest! {
    #[test]
    fn documents_are_read_as_they_were_sent(
        at in 0..translated().len(),
        dice in prop::collection::vec(any::<u8>(), 1..200),
    ) {
        let view = translated()[at];
        let document = made(view.types(), view.shape(), &dice);
        let kept = view.kept(document.clone());
        let seen = view.shown(kept.clone());
        let lost = lost(&document, &seen, view.name());
        prop_assert!(lost.is_empty(), "{lost:?}");
        prop_assert_eq!(view.kept(seen), kept, "{}", view.name());
    }
}

#[test]
fn every_shape_is_made_by_some_dice() {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for seed in 0..50_u8 {
        let dice: Vec<u8> = (0..97).map(|at| seed.wrapping_mul(31).wrapping_add(at)).collect();
        for name in ["product", "productOrder", "individual"] {
            let view = view(name);
            let document = made(view.types(), view.shape(), &dice);
            *counts.entry(name).or_default() += document.to_string().len();
        }
    }
    assert!(counts.values().all(|bytes| *bytes > 10_000), "{counts:?}");
}
