//! What clients did to one document, and whether one order of all of it explains what they saw.
//!
//! A document is a register with compare-and-set, and every change names the revision that it made.
//! So there is no order to search for: revisions are the order. The remaining check is that the
//! revisions form one chain, that each has one value, and that no client saw the past: a request that
//! ended before another began lies before it in the chain. These conditions are necessary and,
//! as each operation has a place in the chain then, sufficient.

use std::collections::BTreeMap;
use std::fmt;

/// One operation of one client.
#[derive(Clone, Debug)]
pub(super) struct Operation {
    /// When the client began it, and when it had its answer, on one clock.
    pub(super) began: u64,
    pub(super) ended: u64,
    pub(super) what: What,
}

/// What was asked, and what came of it.
#[derive(Clone, Debug)]
pub(super) enum What {
    /// A read; it answered with a revision and its value.
    Read { revision: u64, value: String },
    /// A change of the revision `from`, which made the revision `to`.
    Changed { from: u64, to: u64, value: String },
    /// A change that was refused: the document had another revision.
    Stale { from: u64 },
    /// A change without an answer: it happened, or it did not.
    Unknown { from: u64, value: String },
}

/// Why no order of the operations explains what was seen.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// Two changes of one revision were both taken.
    Lost { from: u64 },
    /// A revision was seen with two values, or with one that another revision has.
    Value { revision: u64 },
    /// A value was seen that was never written.
    Phantom { revision: u64 },
    /// A change does not follow on what was there.
    Gap { from: u64, to: u64 },
    /// A request that ended with one revision was followed by one that saw an earlier one.
    Past { seen: u64, after: u64 },
    /// A change was refused though its revision was the current one all the time.
    Refused { from: u64 },
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

/// A link of the chain: who made a revision of which.
#[derive(Clone, Debug)]
struct Link {
    from: u64,
    value: String,
    began: u64,
}

/// Checks the operations on a document that was at a revision, with a value, before all of them.
pub(super) fn check(first: (u64, &str), operations: &[Operation]) -> Result<(), Wrong> {
    let chain = chain(first, operations)?;
    check_chain(first.0, &chain)?;
    check_values(first, &chain, operations)?;
    check_time(&chain, operations)?;
    operations.iter().try_for_each(|operation| check_refused(&chain, operation, operations))
}

/// The revisions that were made, as far as anybody saw them. Who made one that only a read shows
/// follows from its value: no two changes write the same.
fn chain(first: (u64, &str), operations: &[Operation]) -> Result<BTreeMap<u64, Link>, Wrong> {
    let mut chain = BTreeMap::<u64, Link>::new();
    for Operation { began, what, .. } in operations {
        if let What::Changed { from, to, value } = what {
            let link = Link { from: *from, value: value.clone(), began: *began };
            if chain.insert(*to, link).is_some() {
                return Err(Wrong::Value { revision: *to });
            }
        }
    }
    for operation in operations {
        let What::Read { revision, value } = &operation.what else { continue };
        if *revision == first.0 || chain.contains_key(revision) {
            continue;
        }
        let maker = operations.iter().find_map(|other| {
            let What::Unknown { from, value: written } = &other.what else { return None };
            let link = Link { from: *from, value: value.clone(), began: other.began };
            (written == value).then_some(link)
        });
        chain.insert(*revision, maker.ok_or(Wrong::Phantom { revision: *revision })?);
    }
    Ok(chain)
}

/// Each revision has at most one successor, and follows on one that was there. A
/// change without an answer that no one saw is no part of it.
fn check_chain(first: u64, chain: &BTreeMap<u64, Link>) -> Result<(), Wrong> {
    let mut before = first;
    for (to, link) in chain {
        let from = link.from;
        if from < before {
            return Err(Wrong::Lost { from });
        }
        if from >= *to {
            return Err(Wrong::Gap { from, to: *to });
        }
        // A client can only name what it saw: an unanswered change that was overwritten unseen
        // would have to be named by who overwrote it.
        if from != before {
            return Err(Wrong::Gap { from, to: *to });
        }
        before = *to;
    }
    Ok(())
}

fn check_values(
    first: (u64, &str),
    chain: &BTreeMap<u64, Link>,
    operations: &[Operation],
) -> Result<(), Wrong> {
    for operation in operations {
        let What::Read { revision, value } = &operation.what else { continue };
        let written = match chain.get(revision) {
            Some(link) => link.value.as_str(),
            None => first.1,
        };
        if value != written {
            return Err(Wrong::Value { revision: *revision });
        }
    }
    Ok(())
}

/// Where an operation stands in the chain: the revision that it found, and the one it left.
fn place(operation: &Operation) -> Option<(u64, u64)> {
    match operation.what {
        What::Read { revision, .. } => Some((revision, revision)),
        What::Changed { from, to, .. } => Some((from, to)),
        What::Stale { .. } | What::Unknown { .. } => None,
    }
}

fn check_time(chain: &BTreeMap<u64, Link>, operations: &[Operation]) -> Result<(), Wrong> {
    // Who was refused had seen that revision, so a later one was there when it was.
    let left = |operation: &Operation| match operation.what {
        What::Stale { from } => Some(from + 1),
        What::Read { .. } | What::Changed { .. } | What::Unknown { .. } => {
            place(operation).map(|(_, left)| left)
        }
    };
    let ends = operations.iter().filter_map(|one| Some((one.ended, left(one)?)));
    let mut ends: Vec<(u64, u64)> = ends.collect();
    ends.sort_unstable();
    // The newest revision that was known by then.
    let mut known = Vec::with_capacity(ends.len());
    let mut newest = 0;
    for (ended, left) in ends {
        newest = newest.max(left);
        known.push((ended, newest));
    }
    let known_before = |began: u64| {
        let count = known.partition_point(|(ended, _)| *ended < began);
        count.checked_sub(1).map(|last| known[last].1)
    };
    let places = operations.iter().filter_map(|one| Some((one.began, place(one)?.0)));
    let links = chain.values().map(|link| (link.began, link.from));
    for (began, found) in places.chain(links) {
        if let Some(after) = known_before(began).filter(|after| *after > found) {
            return Err(Wrong::Past { seen: found, after });
        }
    }
    Ok(())
}

/// A refusal is right if at some time while it was asked another revision was the current one.
fn check_refused(
    chain: &BTreeMap<u64, Link>,
    refused: &Operation,
    operations: &[Operation],
) -> Result<(), Wrong> {
    let What::Stale { from } = refused.what else { return Ok(()) };
    let was_there = operations
        .iter()
        .any(|one| one.ended < refused.began && place(one).is_some_and(|(_, left)| left == from));
    let successor = chain.values().find(|link| link.from == from);
    let may_be_over = successor.is_some_and(|link| link.began < refused.ended)
        || operations.iter().any(|one| {
            let is_unknown =
                matches!(&one.what, What::Unknown { from: other, .. } if *other == from);
            is_unknown && one.began < refused.ended
        });
    if was_there && !may_be_over { Err(Wrong::Refused { from }) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
