//! For every sequence of calls, repeats, faults and delays the bookkeeping is exact.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::json;

use super::super::super::element::find;
use super::super::super::fault::Faults;
use super::*;

#[derive(Debug, Clone)]
enum Step {
    Call { place: usize, key: usize, change: u8 },
    Faults(Vec<u8>),
    Wake(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let call = (0..4_usize, 0..5_usize, 0..5_u8).prop_map(|(place, key, change)| Step::Call {
        place,
        key,
        change,
    });
    let faults = prop::collection::vec(0..6_u8, 0..3).prop_map(Step::Faults);
    let wake = (0..40_usize).prop_map(Step::Wake);
    prop::collection::vec(prop_oneof![6 => call, 1 => faults, 3 => wake], 0..80)
}

fn faults(kinds: &[u8]) -> Faults {
    let list = kinds.iter().map(|kind| match kind {
        0 => json!({"fault": "error", "times": 2}),
        1 => json!({"fault": "timeout", "every": 2}),
        2 => json!({"fault": "slow", "times": 3}),
        3 => json!({"fault": "lost", "every": 3}),
        4 => json!({"fault": "async", "every": 2, "duplicate": true}),
        _ => json!({"fault": "async", "outcome": "failed", "times": 2}),
    });
    Faults::parse(list.collect()).unwrap()
}

fn request(place: usize, key: usize, change: u8, nonce: usize) -> Request {
    let (element, id) = [("olt-1", "1"), ("olt-1", "2"), ("hss", "1"), ("ipam", "1")][place];
    let element = find(element).unwrap();
    // Every call brings another config: a repeat that is applied cannot hide.
    let config = json!({"nonce": nonce}).to_string();
    let (operation, change) = match change {
        0 => ("create", Change::Create(config)),
        1 => ("replace", Change::Replace(config)),
        2 => ("update", Change::Update(config)),
        3 => ("delete", Change::Delete),
        _ => return read(element, id),
    };
    let (operation, key) = (operation.to_owned(), format!("k{key}"));
    let call = Call { element: element.name, operation, key };
    let write = Write { call, change, callback: Some("http://127.0.0.1:1/".to_owned()) };
    Request { action: Action::Write(write), ..read(element, id) }
}

fn read(element: &'static Element, id: &str) -> Request {
    let place = Place { element, collection: "things".to_owned(), id: id.to_owned() };
    Request { place, action: Action::Read("get things".to_owned()) }
}

/// What the network ought to be: a fold of the writes as they are applied for the first time.
#[derive(Default)]
struct Expected {
    entries: BTreeMap<(&'static str, String), (String, String)>,
    applied: BTreeMap<Call, u64>,
    answers: BTreeMap<Call, Success>,
}

impl Expected {
    /// Compares what a step did with what it may do.
    fn follow(&mut self, network: &Network, request: &Request, reply: Option<&Reply>) {
        let Action::Write(write) = &request.action else {
            return;
        };
        let call = &write.call;
        let applied = network.records.get(call).map_or(0, |record| record.applied);
        let before = self.applied.insert(call.clone(), applied).unwrap_or(0);
        assert!(applied <= 1, "{call:?} was applied {applied} times");
        assert!(before <= applied);
        if before < applied {
            let place = (request.place.element.name, request.place.id.clone());
            match write.change.config() {
                Some(config) => {
                    let entry = (call.key.clone(), config.to_owned());
                    self.entries.insert(place, entry);
                }
                None => drop(self.entries.remove(&place)),
            }
        }
        if let Some(Ok(answer)) = reply
            && answer.status != 202
        {
            assert_eq!(applied, 1, "{call:?} was answered and not applied");
            let first = self.answers.entry(call.clone()).or_insert_with(|| answer.clone());
            assert_eq!(first, answer, "another answer than the first");
        }
    }

    fn compare(&self, network: &Network) {
        let held: BTreeMap<_, _> = network
            .entries
            .iter()
            .map(|(place, entry)| {
                let place = (place.element.name, place.id.clone());
                (place, (entry.key.clone(), entry.config.clone()))
            })
            .collect();
        assert_eq!(held, self.entries);
        assert_eq!(network.bytes, bytes(network));
    }
}

/// What is held, counted anew.
fn bytes(network: &Network) -> usize {
    let entries = network.entries.iter().map(|(place, entry)| entry.bytes(place));
    let waiting = network.waiting.values().map(|waiting| waiting_bytes(&waiting.request));
    let records = network.records.iter().map(|(call, record)| {
        let answer = match &record.progress {
            Progress::Done { id, answer } => id.len() + answer.body.len(),
            Progress::Open | Progress::Pending { .. } => 0,
        };
        call.operation.len() + call.key.len() + answer + OVERHEAD_BYTES
    });
    entries.chain(waiting).chain(records).sum()
}

proptest! {
    #[test]
    fn a_key_is_applied_at_most_once_and_state_is_the_fold_of_first_applications(
        steps in steps()
    ) {
        let mut network = Network::default();
        let mut expected = Expected::default();
        let mut called: BTreeMap<Call, u64> = BTreeMap::new();
        let mut waiting: BTreeMap<Ticket, Request> = BTreeMap::new();
        let every_ticket = (0..steps.len()).map(Step::Wake).collect::<Vec<_>>();
        for (nonce, step) in steps.into_iter().chain(every_ticket).enumerate() {
            match step {
                Step::Faults(kinds) => network.arm(faults(&kinds)),
                Step::Call { place, key, change } => {
                    let request = request(place, key, change, nonce);
                    if let Action::Write(write) = &request.action {
                        *called.entry(write.call.clone()).or_default() += 1;
                    }
                    let mut reply = None;
                    match network.apply(request.clone()) {
                        Answer::Reply(said) => reply = Some(said),
                        Answer::Later { ticket, .. } | Answer::Accepted { ticket, .. } => {
                            waiting.insert(ticket, request.clone());
                        }
                        Answer::Silence | Answer::Lost => {}
                    }
                    expected.follow(&network, &request, reply.as_ref());
                }
                Step::Wake(ticket) => {
                    let ticket = Ticket(ticket as u64);
                    let woken = network.wake(ticket);
                    match (waiting.remove(&ticket), woken) {
                        (Some(request), Woken::Reply(reply)) => {
                            expected.follow(&network, &request, Some(&reply));
                        }
                        (Some(request), Woken::Callback(_)) => {
                            expected.follow(&network, &request, None);
                        }
                        (None, Woken::Gone) => {}
                        (request, woken) => panic!("{request:?} came to {woken:?}"),
                    }
                }
            }
            expected.compare(&network);
        }
        prop_assert!(network.pending.is_empty() && network.waiting.is_empty());
        let counted = network.records.iter();
        let counted: BTreeMap<_, _> =
            counted.map(|(call, record)| (call.clone(), record.called)).collect();
        prop_assert_eq!(counted, called);
    }
}
