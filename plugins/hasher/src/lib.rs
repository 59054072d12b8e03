//! Hashes a text, so that benchmarks measure the runtime with steps that do some work: a thousand bytes in,
//! three hundred out, as the same benchmark of other engines does.

use std::fmt::Write as _;

use ferrule_plugin::{Context, Failure, Outcome, Step};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

#[cfg(test)]
mod tests;

/// Characters of the output.
const HASH_CHARS: usize = 300;

struct Hasher;

impl Step for Hasher {
    type Input = Input;
    type Output = Hash;

    fn run(_context: &Context, input: Input) -> Result<Outcome<Hash>, Failure> {
        Ok(Outcome::Done(Hash { hash: hash(&input.text, input.step) }))
    }
}

ferrule_plugin::export!(Hasher as Step);

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// the text
    text: String,
    /// a number that makes the hash another one
    #[serde(default)]
    step: u32,
}

#[derive(Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
struct Hash {
    /// 300 characters that depend on all of the text
    hash: String,
}

/// SHA-256 of the text with the step and a counter, again and again, until there are characters enough.
fn hash(text: &str, step: u32) -> String {
    let mut all = String::with_capacity(HASH_CHARS + 64);
    let mut counter = 0_u32;
    while all.len() < HASH_CHARS {
        let begun = Sha256::new_with_prefix(step.to_le_bytes()).chain_update(counter.to_le_bytes());
        for byte in begun.chain_update(text).finalize() {
            // Writing to a string cannot fail.
            write!(all, "{byte:02x}").ok();
        }
        counter += 1;
    }
    all.truncate(HASH_CHARS);
    all
}
