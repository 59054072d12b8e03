//! Random operations on two stores at once: every answer must be the same.

use engine::documents::{Change, Expected, Put};
use engine::store::{Batch, Direction, Epoch, Memory, Scan, Store, Write};
use proptest::prelude::*;
use serde_json::json;
use tmf::time::Timestamp;
use tokio::runtime::{Builder, Runtime};

use crate::subject::{OnPostgres, OnSled, Subject, all, noise};

#[derive(Clone, Debug)]
enum Operation {
    Append {
        age: Age,
        writes: Vec<Write>,
    },
    /// Batches of documents that are appended before any of them is answered.
    Documents(Vec<Vec<Put>>),
    Claim,
    Get {
        key: Vec<u8>,
    },
    Scan(Scan),
    Reopen,
}

/// Whose batch is appended.
#[derive(Clone, Copy, Debug)]
enum Age {
    Current,
    Older,
    Newer,
}

/// Few bytes, so that keys meet; long enough for the nodes of the tree to split and to merge.
fn key() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop::sample::select(vec![0, 1, b'a', b'b', 0xfe, 0xff]), 0..4)
}

fn value() -> impl Strategy<Value = Option<Vec<u8>>> {
    let bytes = prop_oneof![
        8 => 0..40_usize,
        1 => prop::sample::select(vec![4095, 4096, 4097, 8193, 20_000]),
    ];
    let value = (any::<u8>(), bytes).prop_map(|(byte, bytes)| match byte % 2 {
        0 => vec![byte; bytes],
        _ => noise(byte, bytes),
    });
    prop::option::weighted(0.6, value)
}

fn scan() -> impl Strategy<Value = Scan> {
    let direction = prop::sample::select(vec![Direction::Forward, Direction::Backward]);
    let limit = prop_oneof![0..6_usize, Just(usize::MAX)];
    (key(), prop::option::of(key()), limit, direction)
        .prop_map(|(prefix, after, limit, direction)| Scan { prefix, after, limit, direction })
}

/// Changes of few documents, so that they meet; half of them expect something.
fn put() -> impl Strategy<Value = Put> {
    let body = (0..3_u8, 0..3_u8, prop::sample::select(vec!["new", "old"])).prop_map(|(a, b, state)| {
        json!({ "name": format!("n{a}"), "status": state, "engagedParty": { "id": format!("p{b}") } })
    });
    let change = prop_oneof![
        3 => body.clone().prop_map(Change::Set),
        2 => body.prop_map(Change::Merge),
        1 => Just(Change::Remove),
    ];
    let expected = prop_oneof![
        4 => Just(Expected::Anything),
        1 => Just(Expected::Absent),
        2 => (1..4_u64).prop_map(Expected::Revision),
    ];
    let resource = prop::sample::select(vec!["customer", "of no table"]);
    let id = prop::sample::select(vec!["1", "2", "3"]);
    (resource, id, change, expected)
        .prop_map(|(resource, id, change, expected)| Put::new(resource, id, change, expected))
}

fn operation() -> impl Strategy<Value = Operation> {
    let age = prop_oneof![18 => Just(Age::Current), 1 => Just(Age::Older), 1 => Just(Age::Newer)];
    let writes = prop::collection::vec((key(), value()), 0..60);
    prop_oneof![
        8 => (age, writes).prop_map(|(age, writes)| Operation::Append { age, writes }),
        4 => prop::collection::vec(prop::collection::vec(put(), 1..3), 1..6)
            .prop_map(Operation::Documents),
        1 => Just(Operation::Claim),
        4 => key().prop_map(|key| Operation::Get { key }),
        8 => scan().prop_map(Operation::Scan),
        1 => Just(Operation::Reopen),
    ]
}

fn operations() -> impl Strategy<Value = Vec<Operation>> {
    prop::collection::vec(operation(), 1..60)
}

struct Pair<S: Subject> {
    runtime: Runtime,
    owner: u64,
    memory: Memory,
    subject: S,
    kept: Option<S::Store>,
}

impl<S: Subject> Pair<S> {
    fn new(subject: S) -> Self {
        let runtime = Builder::new_current_thread().build().unwrap();
        let kept = Some(subject.open());
        Self { runtime, owner: 0, memory: Memory::new(), subject, kept }
    }

    /// Does all of it to both, whose answers must be the same.
    fn agree(mut self, operations: &[Operation]) -> Result<(), TestCaseError> {
        for operation in operations {
            let (memory, kept) = self.answers(operation);
            prop_assert_eq!(memory, kept, "after {:?}", operation);
        }
        prop_assert_eq!(all(&self.memory), all(self.kept.as_ref().unwrap()));
        Ok(())
    }

    /// The same of a sealed one. Index entries are not in the order of their values then, so scans over several
    /// of them differ.
    fn agree_sealed(mut self, operations: &[Operation]) -> Result<(), TestCaseError> {
        let is_ordered = |operation: &&Operation| match operation {
            Operation::Scan(scan) => !scan.prefix.is_empty(),
            Operation::Reopen => false,
            Operation::Append { .. }
            | Operation::Documents(_)
            | Operation::Claim
            | Operation::Get { .. } => true,
        };
        for operation in operations.iter().filter(is_ordered) {
            let (memory, kept) = self.answers(operation);
            prop_assert_eq!(memory, kept, "after {:?}", operation);
        }
        self.kept = None;
        self.kept = Some(self.subject.open());
        let mut sealed = all(self.kept.as_ref().unwrap());
        sealed.sort();
        prop_assert_eq!(all(&self.memory), sealed);
        Ok(())
    }

    /// Does it to both; the two answers, as text.
    fn answers(&mut self, operation: &Operation) -> (String, String) {
        match operation {
            Operation::Append { age, writes } => {
                let epoch = self.epoch(*age);
                self.both(|runtime, store| {
                    runtime.block_on(store.append(Batch::of(epoch, writes.clone())))
                })
            }
            Operation::Documents(batches) => {
                let epoch = Epoch(self.owner);
                self.both(|runtime, store| {
                    let appended = batches.iter().map(|documents| {
                        let documents = documents.clone();
                        let writes = vec![(b"beside".to_vec(), Some(vec![documents.len() as u8]))];
                        store.append(engine::documents::batch(
                            epoch,
                            Timestamp(7),
                            writes,
                            documents,
                        ))
                    });
                    let appended: Vec<_> = appended.collect();
                    appended.into_iter().map(|one| runtime.block_on(one)).collect::<Vec<_>>()
                })
            }
            Operation::Claim => {
                self.owner += 1;
                self.both(|_, store| store.claim())
            }
            Operation::Get { key } => self.both(|_, store| store.get(key)),
            Operation::Scan(scan) => self.both(|_, store| store.scan(scan)),
            Operation::Reopen => {
                self.kept = None;
                self.kept = Some(self.subject.open());
                self.both(|_, store| store.scan(&Scan::prefix("", usize::MAX)))
            }
        }
    }

    fn epoch(&self, age: Age) -> Epoch {
        Epoch(match age {
            Age::Current => self.owner,
            Age::Older => self.owner.saturating_sub(1),
            Age::Newer => self.owner + 1,
        })
    }

    fn both<T: std::fmt::Debug>(
        &self,
        ask: impl Fn(&Runtime, &dyn Store) -> T,
    ) -> (String, String) {
        let kept = self.kept.as_ref().expect("it is open between two operations");
        let answer = |store| format!("{:?}", ask(&self.runtime, store));
        (answer(&self.memory), answer(kept))
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn sled_answers_as_memory_does(operations in operations()) {
        Pair::new(OnSled::default()).agree(&operations)?;
    }

    #[test]
    fn a_store_whose_files_come_and_go_answers_as_memory_does(operations in operations()) {
        Pair::new(OnSled::turning()).agree(&operations)?;
    }

    #[test]
    fn a_sealed_store_answers_as_memory_does(operations in operations()) {
        Pair::new(OnSled::sealed()).agree_sealed(&operations)?;
    }

    #[test]
    fn postgres_answers_as_memory_does(operations in operations()) {
        if OnPostgres::is_there() {
            Pair::new(OnPostgres::default()).agree(&operations)?;
        }
    }

    #[test]
    fn a_sealed_store_in_postgres_answers_as_memory_does(operations in operations()) {
        if OnPostgres::is_there() {
            Pair::new(OnPostgres::sealed()).agree_sealed(&operations)?;
        }
    }
}
