//! Takes values out of pools: all that a step's input names, or none. The host remembers what a
//! task holds, so asking again gives the same values.

use ferrule_plugin::reservation::{Request, Reserved, reserve};
use ferrule_plugin::{Allocator, Done, Failure, Task, log};
use serde::Deserialize;
use serde_json::{Map, Value};

#[cfg(test)]
mod tests;

/// The most values that one task may take.
const TAKE_MAX: usize = 64;

struct PoolAllocator;

impl Allocator for PoolAllocator {
    fn allocate(task: &Task) -> Result<Done, Failure> {
        let mut outputs = Map::new();
        for request in requests(task)? {
            let reserved = reserve(&request)?;
            log::info(format!(
                "`{}` is {} of pool `{}`",
                request.name, reserved.value, reserved.pool
            ));
            put(&mut outputs, &request.name, &reserved);
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
}

/// What a task wants reserved, each under a name of its own.
fn requests(task: &Task) -> Result<Vec<Request>, Failure> {
    let takes = match task.input::<Input>().map_err(|_| unreadable(task))? {
        Input::Many { take } => take,
        Input::One(take) => vec![take],
    };
    if takes.is_empty() || takes.len() > TAKE_MAX {
        let message =
            format!("task `{}` takes {} values, not 1 to {TAKE_MAX}", task.name, takes.len());
        return Err(Failure::person("BAD_INPUT", message));
    }
    let mut requests: Vec<Request> = Vec::with_capacity(takes.len());
    for take in takes {
        let request = match &take.name {
            Some(name) => Request::new(&take.pool).named(name),
            None => Request::new(&take.pool),
        };
        if requests.iter().any(|known| known.name == request.name) {
            let message = format!("task `{}` takes `{}` twice", task.name, request.name);
            return Err(Failure::person("BAD_INPUT", message));
        }
        requests.push(request);
    }
    Ok(requests)
}

fn unreadable(task: &Task) -> Failure {
    let message = format!(
        "the input of task `{}` is neither `{{\"take\": [{{\"pool\", \"name\"}}]}}` nor \
         `{{\"pool\", \"name\"}}`",
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
