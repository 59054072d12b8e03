//! Random operations of two tenants and the default one on views of one store, and of each on a store
//! of its own: every answer must be the same.

use std::sync::Arc;

use engine::store::pieces::Pieces;
use engine::store::{
    Batch, Direction, Epoch, Error, Memory, Scan, Store, TenantNumber, Transaction, View, Write,
};
use proptest::prelude::*;
use tokio::runtime::{Builder, Runtime};

use crate::subject::{InMemory, OnSled, Subject};

#[derive(Clone, Debug)]
enum Operation {
    Append(Vec<Write>),
    /// Copies a value to another key, or is refused.
    Copy {
        from: Vec<u8>,
        to: Vec<u8>,
        outcome: Outcome,
    },
    Get(Vec<u8>),
    Scan(Scan),
}

#[derive(Clone, Copy, Debug)]
enum Outcome {
    Written,
    Refused,
}

/// Beginnings that lead to keys of tenants if they are taken as they are.
const BEGINNINGS: [&[u8]; 9] =
    [b"", b"T", b"T/", b"T/!", b"T/\x80", b"T/\x80\x01", b"T/\x80\x02", b"T/\xff", b"U"];

fn key() -> impl Strategy<Value = Vec<u8>> {
    let rest = prop::collection::vec(prop::sample::select(vec![0, b'/', b'a', b'b', 0xff]), 0..3);
    (prop::sample::select(BEGINNINGS.to_vec()), rest)
        .prop_map(|(begin, rest)| [begin, &rest].concat())
}

fn plain() -> impl Strategy<Value = Vec<u8>> {
    (any::<u8>(), 0..9_usize).prop_map(|(byte, bytes)| vec![byte; bytes])
}

/// Plain values and values in pieces, which may lie under any keys.
fn value() -> impl Strategy<Value = Option<Vec<u8>>> {
    let plain = plain();
    let cut = (key(), 0..3_u32).prop_map(|(prefix, count)| {
        Pieces { prefix, count, head: b"head".to_vec(), tail: b"tail".to_vec() }.to_bytes()
    });
    prop::option::weighted(0.7, prop_oneof![4 => plain, 1 => cut])
}

/// Keys of pieces too, so that some values are whole.
fn write() -> impl Strategy<Value = Write> {
    let piece = (key(), 0..3_u32).prop_map(|(prefix, index)| Pieces::key(&prefix, index));
    prop_oneof![2 => (key(), value()), 1 => (piece, plain().prop_map(Some))]
}

fn operation() -> impl Strategy<Value = Operation> {
    let direction = prop::sample::select(vec![Direction::Forward, Direction::Backward]);
    let limit = prop_oneof![0..5_usize, Just(usize::MAX)];
    let scan = (key(), prop::option::of(key()), limit, direction)
        .prop_map(|(prefix, after, limit, direction)| Scan { prefix, after, limit, direction });
    let outcome = prop::sample::select(vec![Outcome::Written, Outcome::Written, Outcome::Refused]);
    prop_oneof![
        4 => prop::collection::vec(write(), 0..12).prop_map(Operation::Append),
        2 => (key(), key(), outcome)
            .prop_map(|(from, to, outcome)| Operation::Copy { from, to, outcome }),
        2 => key().prop_map(Operation::Get),
        6 => scan.prop_map(Operation::Scan),
    ]
}

/// The default tenant has no key that begins as those of the others: a write of one is refused, and here
/// it is made without.
fn of_default(operation: Operation) -> Operation {
    let plain = |key: Vec<u8>| if key.starts_with(b"T/") { vec![b'U'] } else { key };
    match operation {
        Operation::Append(writes) => {
            let pieces = |value: Vec<u8>| match Pieces::read(&value) {
                Some(pieces) => {
                    Pieces { prefix: plain(pieces.prefix.clone()), ..pieces }.to_bytes()
                }
                None => value,
            };
            let writes = writes.into_iter().map(|(key, value)| (plain(key), value.map(pieces)));
            Operation::Append(writes.collect())
        }
        Operation::Copy { from, to, outcome } => Operation::Copy { from, to: plain(to), outcome },
        Operation::Get(_) | Operation::Scan(_) => operation,
    }
}

fn answer(runtime: &Runtime, store: &dyn Store, epoch: Epoch, operation: &Operation) -> String {
    match operation.clone() {
        Operation::Append(writes) => {
            format!("{:?}", runtime.block_on(store.append(Batch::of(epoch, writes))))
        }
        Operation::Copy { from, to, outcome } => {
            let copy = Transaction::new(move |read| match outcome {
                Outcome::Written => Ok(vec![(to, read(&from)?)]),
                Outcome::Refused => Err(Error::Refused(format!("{:?}", read(&from)?).into())),
            });
            let batch = Batch { transaction: Some(copy), ..Batch::of(epoch, Vec::new()) };
            format!("{:?}", runtime.block_on(store.append(batch)))
        }
        Operation::Get(key) => format!("{:?}", store.get(&key)),
        Operation::Scan(scan) => format!("{:?}", store.scan(&scan)),
    }
}

fn compare(
    store: &Arc<dyn Store>,
    operations: Vec<(usize, Operation)>,
) -> Result<(), TestCaseError> {
    let runtime = Builder::new_current_thread().build().unwrap();
    let epoch = store.claim().unwrap();
    let of = |number| View::of(Arc::clone(store), TenantNumber::new(number).unwrap());
    let views = [of(1), of(2), View::of_default(Arc::clone(store))];
    let views = views.map(|view| view.claimed(epoch));
    let alone = [(); 3].map(|()| Memory::new());
    for memory in &alone {
        memory.claim().unwrap();
    }
    for (who, operation) in operations {
        let operation = if who == 2 { of_default(operation) } else { operation };
        let beside = answer(&runtime, &views[who], epoch, &operation);
        let alone = answer(&runtime, &alone[who], epoch, &operation);
        prop_assert_eq!(beside, alone, "{} after {:?}", who, operation);
    }
    for (view, alone) in views.iter().zip(&alone) {
        let all = Scan::prefix("", usize::MAX);
        prop_assert_eq!(view.scan(&all).unwrap(), alone.scan(&all).unwrap());
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn views_in_memory_are_stores_of_their_own(
        operations in prop::collection::vec((0..3_usize, operation()), 1..60),
    ) {
        compare(&(Arc::new(InMemory::default().open()) as _), operations)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn views_on_a_disk_are_stores_of_their_own(
        operations in prop::collection::vec((0..3_usize, operation()), 1..60),
    ) {
        let subject = OnSled::default();
        compare(&(Arc::new(subject.open()) as _), operations)?;
    }
}
