//! Reserves values of pools: all that a step's input names, or none. The host remembers the
//! reservations of a task, so asking again gives the same values.

use std::collections::BTreeSet;

use ferrule_plugin::reservation::{Request, Reserved, reserve};
use ferrule_plugin::{Allocator, Context, Failure, log};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

#[cfg(test)]
mod tests;

/// Max values that one task may reserve, over all of its names.
const TAKE_MAX: usize = 4_096;

struct PoolAllocator;

impl Allocator for PoolAllocator {
    type Input = Input;
    type Output = Map<String, Value>;

    fn allocate(context: &Context, input: Input) -> Result<Map<String, Value>, Failure> {
        let mut outputs = Map::new();
        for wanted in requested(context, input)? {
            match wanted.count {
                None => {
                    let reserved = reserve(&wanted.request(None))?;
                    let Reserved { value, pool, .. } = &reserved;
                    log::info(format!("`{}` is {value} of pool `{pool}`", wanted.name));
                    put(&mut outputs, &wanted.name, &reserved);
                }
                Some(count) => {
                    let values = (1..=count)
                        .map(|number| Ok(reserve(&wanted.request(Some(number)))?.value.into()))
                        .collect::<Result<Vec<Value>, Failure>>()?;
                    log::info(format!("`{}` are {count} of pool `{}`", wanted.name, wanted.pool));
                    outputs.insert(wanted.name, values.into());
                }
            }
        }
        Ok(outputs)
    }
}

ferrule_plugin::export!(PoolAllocator as Allocator);

/// A step's input: `{"take": [...]}`, or one reservation.
#[derive(Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "neither `{\"take\": [{\"pool\", \"name\", \"count\"}]}` nor `{\"pool\", \"name\", \"count\"}`; only `pool` is mandatory"
)]
enum Input {
    One(Take),
    Many(Several),
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Several {
    /// several of these at once: all or none, up to 4,096 values
    take: Vec<Take>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Take {
    /// the pool that values are taken from
    pool: String,
    /// the name of the output; by default `value`
    name: Option<String>,
    /// how many, as a list; one value that is no list if it is left out
    count: Option<usize>,
}

/// Values of a pool that a task reserves under a name.
#[derive(Debug)]
struct Requested {
    pool: String,
    name: String,
    count: Option<usize>,
}

impl Requested {
    /// The request for its value, or for one of its values. Each has a name of its own, so that it
    /// stays the same when more or fewer are wanted.
    fn request(&self, number: Option<usize>) -> Request {
        match number {
            None => Request::new(&self.pool).named(&self.name),
            Some(number) => Request::new(&self.pool).named(&format!("{}[{number}]", self.name)),
        }
    }
}

/// The reservations of a task, each under a name of its own.
fn requested(context: &Context, input: Input) -> Result<Vec<Requested>, Failure> {
    let task = context.name();
    let takes = match input {
        Input::Many(Several { take }) => take,
        Input::One(take) => vec![take],
    };
    let total =
        takes.iter().fold(0, |total: usize, take| total.saturating_add(take.count.unwrap_or(1)));
    if takes.is_empty() || total > TAKE_MAX {
        let message = format!("task `{task}` takes {total} values, not 1 to {TAKE_MAX}");
        return Err(Failure::operator("BAD_INPUT", message));
    }
    let mut all: Vec<Requested> = Vec::with_capacity(takes.len());
    let mut names = BTreeSet::new();
    for Take { pool, name, count } in takes {
        let name = name.unwrap_or_else(|| "value".into());
        if !names.insert(name.clone()) {
            let message = format!("task `{task}` takes `{name}` twice");
            return Err(Failure::operator("BAD_INPUT", message));
        }
        all.push(Requested { pool, name, count });
    }
    Ok(all)
}

/// The value under its name, and the pool's details of it next to it.
fn put(outputs: &mut Map<String, Value>, name: &str, reserved: &Reserved) {
    outputs.insert(name.into(), reserved.value.as_str().into());
    if !reserved.attributes.is_empty() {
        let attributes = reserved.attributes.iter();
        let attributes: Map<String, Value> =
            attributes.map(|each| (each.name.clone(), each.value.as_str().into())).collect();
        outputs.insert(format!("{name}Attributes"), attributes.into());
    }
}
