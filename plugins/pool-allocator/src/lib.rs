//! Takes values out of pools: all that a step's input names, or none. The host remembers what a
//! task holds, so asking again gives the same values.

use std::collections::BTreeSet;

use ferrule_plugin::reservation::{Request, Reserved, reserve};
use ferrule_plugin::{Allocator, Done, Failure, Task, log};
use serde::Deserialize;
use serde_json::{Map, Value};

#[cfg(test)]
mod tests;

/// The most values that one task may take, over all of its names.
const TAKE_MAX: usize = 4_096;

struct PoolAllocator;

impl Allocator for PoolAllocator {
    fn allocate(task: &Task) -> Result<Done, Failure> {
        let mut outputs = Map::new();
        for wanted in wanted(task)? {
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
        Ok(Done::new(&Value::Object(outputs)))
    }
}

ferrule_plugin::allocator!(PoolAllocator);

/// A step's input: `{"take": [...]}`, or one thing to take.
#[derive(Deserialize)]
#[serde(untagged)]
enum Input {
    Many { take: Vec<Take> },
    One(Take),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Take {
    pool: String,
    name: Option<String>,
    /// How many, as a list; one value that is no list where it is absent.
    count: Option<usize>,
}

/// What a task wants of a pool under a name.
#[derive(Debug)]
struct Wanted {
    pool: String,
    name: String,
    count: Option<usize>,
}

impl Wanted {
    /// The request for its value, or for one of its values. Each has a name of its own, so that it
    /// stays the same when more or fewer are wanted.
    fn request(&self, number: Option<usize>) -> Request {
        match number {
            None => Request::new(&self.pool).named(&self.name),
            Some(number) => Request::new(&self.pool).named(&format!("{}[{number}]", self.name)),
        }
    }
}

/// What a task wants reserved, each under a name of its own.
fn wanted(task: &Task) -> Result<Vec<Wanted>, Failure> {
    let takes = match task.input::<Input>().map_err(|_| unreadable(task))? {
        Input::Many { take } => take,
        Input::One(take) => vec![take],
    };
    let total =
        takes.iter().fold(0, |total: usize, take| total.saturating_add(take.count.unwrap_or(1)));
    if takes.is_empty() || total > TAKE_MAX {
        let message = format!("task `{}` takes {total} values, not 1 to {TAKE_MAX}", task.name);
        return Err(Failure::person("BAD_INPUT", message));
    }
    let mut all: Vec<Wanted> = Vec::with_capacity(takes.len());
    let mut names = BTreeSet::new();
    for Take { pool, name, count } in takes {
        let name = name.unwrap_or_else(|| "value".into());
        if !names.insert(name.clone()) {
            let message = format!("task `{}` takes `{name}` twice", task.name);
            return Err(Failure::person("BAD_INPUT", message));
        }
        all.push(Wanted { pool, name, count });
    }
    Ok(all)
}

fn unreadable(task: &Task) -> Failure {
    let message = format!(
        "the input of task `{}` is neither `{{\"take\": [{{\"pool\", \"name\", \"count\"}}]}}` nor \
         `{{\"pool\", \"name\", \"count\"}}`; only `pool` is mandatory",
        task.name
    );
    Failure::person("BAD_INPUT", message)
}

/// The value under its name, and what the pool says of it next to it.
fn put(outputs: &mut Map<String, Value>, name: &str, reserved: &Reserved) {
    outputs.insert(name.into(), reserved.value.as_str().into());
    if !reserved.attributes.is_empty() {
        let attributes = reserved.attributes.iter();
        let attributes: Map<String, Value> =
            attributes.map(|each| (each.name.clone(), each.value.as_str().into())).collect();
        outputs.insert(format!("{name}Attributes"), attributes.into());
    }
}
