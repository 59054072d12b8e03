//! The disk of the simulation: batches become durable later, in order, or are lost. It folds
//! the durable journals, and checks the invariants for each batch.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use model::fulfilment::Fulfilment;
use model::plan::Work;
use model::{Event, FulfilmentId, Kind, Record, Reservation, TaskId, TaskState};
use serde_json::{Value, json};

use super::invariants::{assert_same, reservations_of};
use super::scratch::Counters;
use super::{Asker, audit};
use crate::core::{After, Commit, read_fulfilment};
use crate::documents::Document;
use crate::keys;
use crate::store::{Epoch, Fact, Memory, Scan, Store, Write, pieces};

/// Something that is on its way to the disk.
struct Pending {
    /// The writes besides documents; `None` if there are only actions after earlier writes.
    writes: Option<Vec<Write>>,
    then: Vec<After<Asker>>,
}

pub(super) struct Disk {
    pub store: Memory,
    pending: VecDeque<Pending>,
    /// The fold over each durable journal.
    pub folds: BTreeMap<FulfilmentId, Fulfilment>,
    /// The holders of reservations, by key.
    reservations: BTreeMap<String, FulfilmentId>,
    /// Reservations that stay after the undo, since a later undo was given up.
    left: Vec<(FulfilmentId, Reservation)>,
    /// The keys of prior work with such reservations.
    left_keys: BTreeSet<String>,
    /// Callbacks that are kept.
    pub kept: BTreeSet<String>,
    /// The numbers of the messages that were delivered to a task.
    pub delivered: BTreeSet<usize>,
    /// What plugins count in their scratch spaces.
    counters: Counters,
    /// The number of notifications.
    notifications: u64,
    /// The states in the notifications of each order.
    states: BTreeMap<String, Vec<String>>,
}

impl Disk {
    pub(super) fn new() -> Self {
        Self {
            store: Memory::held(),
            pending: VecDeque::new(),
            folds: BTreeMap::new(),
            reservations: BTreeMap::new(),
            left: Vec::new(),
            left_keys: BTreeSet::new(),
            kept: BTreeSet::new(),
            delivered: BTreeSet::new(),
            counters: Counters::default(),
            notifications: 0,
            states: BTreeMap::new(),
        }
    }

    /// Takes a commit; true if it writes anything.
    pub(super) fn append(&mut self, epoch: Epoch, commit: Commit<Asker>) -> bool {
        let (batch, then) = commit.split(epoch);
        let writes = batch.as_ref().map(|batch| batch.writes.clone());
        let has_writes = writes.is_some();
        if let Some(batch) = batch {
            drop(self.store.append(batch));
        }
        self.pending.push_back(Pending { writes, then });
        has_writes
    }

    /// The number of batches on their way.
    pub(super) fn pending(&self) -> usize {
        self.store.pending()
    }

    /// Makes the oldest batch durable.
    pub(super) fn flush(&mut self) -> Vec<After<Asker>> {
        let mut then = self.unwritten();
        if let Some(pending) = self.pending.pop_front() {
            self.make_durable(&pending.writes.unwrap_or_default());
            then.extend(pending.then);
        }
        then.extend(self.unwritten());
        then
    }

    /// The actions that need not wait for a batch any more.
    pub(super) fn unwritten(&mut self) -> Vec<After<Asker>> {
        let mut then = Vec::new();
        while let Some(pending) = self.pending.pop_front_if(|pending| pending.writes.is_none()) {
            then.extend(pending.then);
        }
        then
    }

    /// Power is lost: the first `survive` batches on their way are durable, the rest is gone, and no
    /// action follows either.
    pub(super) fn crash(&mut self, survive: usize) {
        let mut survivors = survive;
        for pending in std::mem::take(&mut self.pending) {
            if let Some(writes) = pending.writes.filter(|_| survivors > 0) {
                survivors -= 1;
                self.make_durable(&writes);
            }
        }
        self.store.lose_pending();
        self.assert_replay();
        audit::assert_audited(&self.store);
    }

    /// Everything that is durable.
    pub(super) fn dump(&self) -> Vec<Fact> {
        self.store.scan(&Scan::prefix("", usize::MAX)).unwrap()
    }

    fn keys(&self, prefix: &[u8]) -> Vec<String> {
        let facts = self.store.scan(&Scan::prefix(prefix, usize::MAX)).unwrap();
        facts.into_iter().map(|(key, _)| String::from_utf8(key).unwrap()).collect()
    }

    fn make_durable(&mut self, writes: &[Write]) {
        for (key, value) in writes {
            let key = std::str::from_utf8(key).unwrap();
            let (letter, rest) = key.split_once('/').unwrap();
            match (letter, value) {
                ("j", Some(bytes)) => {
                    // Its pieces are on the disk by now.
                    let whole = pieces::whole(bytes.clone(), |key| self.store.get(key));
                    self.fold(rest, &whole.unwrap());
                }
                ("h", Some(bytes)) => {
                    let value: Value = serde_json::from_slice(bytes).unwrap();
                    let id = FulfilmentId::new(value["fulfilment"].as_str().unwrap());
                    let before = self.reservations.insert(rest.into(), id);
                    assert_eq!(before, None, "{rest} is held by two");
                }
                ("h", None) => {
                    assert!(self.reservations.remove(rest).is_some(), "{rest} is freed once");
                }
                ("c", Some(_)) => drop(self.kept.insert(rest.into())),
                ("c", None) => drop(self.kept.remove(rest)),
                ("j" | "k", None) => panic!("{key} is removed"),
                ("k", Some(_)) => {
                    let before = self.store.get(key.as_bytes()).unwrap();
                    assert_eq!(before, None, "{key} is used twice");
                }
                _ => {}
            }
        }
        self.counters.assert(&self.store, writes);
        assert!(self.store.flush_one(), "the store has what the engine appended");
        self.read_notifications();
        for (key, _) in writes {
            let key = std::str::from_utf8(key).unwrap();
            let journal = keys::record_of(key.as_bytes()).map(|(id, _)| id);
            if let Some(id) = journal.or_else(|| key.strip_prefix("w/")) {
                self.assert_consistent(&FulfilmentId::new(id));
            }
        }
    }

    /// Applies a record to the fold of its journal.
    fn fold(&mut self, name: &str, bytes: &[u8]) {
        let (id, number) = name.rsplit_once('/').unwrap();
        let (id, number) = (FulfilmentId::new(id), u32::from_str_radix(number, 16).unwrap());
        let record = Record::decode(bytes).unwrap();
        assert!(!record.events.is_empty(), "a record has events");
        let Some(fold) = self.folds.get_mut(&id) else {
            assert_eq!(number, 0, "a journal begins with record 0");
            let fold = Fulfilment::fold(id.clone(), &[record]).unwrap();
            self.folds.insert(id, fold);
            return;
        };
        assert_eq!(number, fold.records(), "no record is missing or written twice");
        for event in &record.events {
            let is_patch = matches!(event, Event::Patched { .. });
            assert!(!fold.is_ended() || is_patch, "nothing but a patch follows the end");
            if let Event::CalledBack { task, payload, .. } = event {
                let (TaskState::Waiting { wait, .. } | TaskState::UndoWaiting { wait, .. }) =
                    &fold.tasks()[task.index()]
                else {
                    panic!("no task waits");
                };
                let key = payload["key"].as_str().unwrap();
                assert!(wait.keys.iter().any(|own| own == key), "the answer is for that task");
                let message = payload["message"].as_u64().unwrap();
                self.delivered.insert(usize::try_from(message).unwrap());
            }
            let stays = event.task().filter(|task| fold.stays_reserved(*task));
            if let Some(task) = stays {
                let is_undone = matches!(event, Event::Undone { .. })
                    || (fold.is_turned(task) && matches!(event, Event::CompletedByHand { .. }));
                match fold.work(task) {
                    Work::Undo(made) => drop(self.left_keys.insert(made.key.clone())),
                    work @ (Work::Do | Work::Modify(_)) if is_undone => {
                        let kept = work.before().map(|made| made.reservations.as_slice());
                        let kept = |reservation: &&Reservation| {
                            kept.is_some_and(|kept| kept.contains(reservation))
                        };
                        let reservations = reservations_of(&fold.tasks()[task.index()]).iter();
                        let new = reservations.filter(|reservation| !kept(reservation)).cloned();
                        self.left.extend(new.map(|reservation| (id.clone(), reservation)));
                    }
                    Work::Do | Work::Modify(_) => {}
                }
            }
            fold.apply(record.at, event).unwrap();
        }
        fold.recorded(record.at, &record.events);
    }

    /// Reads the notifications that the last batch gave.
    fn read_notifications(&mut self) {
        let after = self.notifications.checked_sub(1).map(keys::outbox);
        let scan = Scan { after, ..Scan::prefix(keys::OUTBOX, usize::MAX) };
        for (key, bytes) in self.store.scan(&scan).unwrap() {
            assert_eq!(
                key,
                keys::outbox(self.notifications),
                "notifications have no gap and no repeat"
            );
            self.notified(&bytes);
        }
    }

    fn notified(&mut self, bytes: &[u8]) {
        self.notifications += 1;
        let event: Value = serde_json::from_slice(bytes).unwrap();
        let (resource, body) = event["event"].as_object().unwrap().iter().next().unwrap();
        let order = format!("{resource}/{}", body["id"].as_str().unwrap());
        if !resource.ends_with("Order") || resource.starts_with("cancel") {
            return;
        }
        let mut what = event["eventType"].as_str().unwrap().to_string();
        // Other notifications of an order do not name its state.
        let others = ["AttributeValueChange", "Milestone", "Jeopardy", "InformationRequired"];
        if others.iter().any(|other| what.ends_with(&format!("{other}Event"))) {
            return;
        }
        if what.ends_with("StateChangeEvent") {
            what = body["state"].as_str().unwrap().to_string();
        }
        let states = self.states.entry(order).or_default();
        assert_ne!(states.last(), Some(&what), "no notification is repeated");
        let is_new = what.ends_with("CreateEvent");
        assert!(!is_new || states.is_empty(), "an order is created once");
        states.push(what);
    }

    /// Validates the other writes of a batch against the fulfilment's journal.
    fn assert_consistent(&self, id: &FulfilmentId) {
        let fold = &self.folds[id];
        let open = self.store.get(&keys::open(id)).unwrap().is_some();
        let is_owed = self.is_owed(id);
        assert_eq!(open, !fold.is_ended() || is_owed, "open fulfilments are listed as such");
        if matches!(fold.kind(), Kind::Run { .. }) || is_owed {
            return;
        }
        for resource in ["productOrder", "serviceOrder", "resourceOrder"] {
            let key = keys::document(resource, id.as_str());
            let Some(document) = self.store.get(&key).unwrap() else {
                assert!(fold.plan().items.is_empty(), "{resource} {id} is in the store");
                continue;
            };
            let document = Document::read(&document).unwrap().body;
            assert_eq!(document["state"], json!(fold.order_state()), "{resource} {id}");
            if resource == "productOrder" {
                let note = fold.changed().get("note").unwrap_or(&Value::Null);
                assert_eq!(&document["note"], note, "the order shows what was changed of it");
            }
            let states = &self.states[&format!("{resource}/{id}")];
            let last = states.last().unwrap();
            assert!(
                last == fold.order_state().as_str() || last.ends_with("CreateEvent"),
                "subscribers know that {resource} {id} is {}, not {last}",
                fold.order_state()
            );
        }
    }

    /// Whether documents that follow from the last record are still to be written.
    fn is_owed(&self, id: &FulfilmentId) -> bool {
        self.store.get(&keys::owed(id)).unwrap().is_some()
    }

    /// A journal that is read again folds to the same state.
    pub(super) fn assert_replay(&self) {
        let mut open = Vec::new();
        for (id, fold) in &self.folds {
            let read = read_fulfilment(&self.store, id).unwrap().unwrap();
            assert_same(&read, fold, "the state after replay is the state before");
            if !fold.is_ended() || self.is_owed(id) {
                open.push(format!("o/{id}"));
            }
        }
        open.sort();
        assert_eq!(
            self.keys(keys::OPEN),
            open,
            "the open fulfilments are listed, and nothing else"
        );
        let mut held: Vec<String> =
            self.held().iter().map(|(_, reservation)| reservation_key(reservation)).collect();
        held.sort();
        assert_eq!(
            self.keys(keys::RESERVATIONS),
            held,
            "what tasks hold is held, and nothing else"
        );
    }

    /// Unfinished records leave no pieces.
    pub(super) fn assert_no_stray_pieces(&self) {
        assert_eq!(self.keys(keys::CUT), Vec::<String>::new(), "no record is under way");
        for piece in self.keys(keys::RECORD_PIECES) {
            let (of, _) = piece.rsplit_once('/').unwrap();
            let record = of.replacen("g/j/", "j/", 1);
            let is_there = self.store.get(record.as_bytes()).unwrap().is_some();
            assert!(is_there, "{piece} is a piece of a record");
        }
    }

    /// Resources that are reserved in the inventory are held by a task.
    pub(super) fn assert_inventory(&self) {
        let id = |reservation: &Reservation| {
            format!("{}.{}", reservation.pool, reservation.value.replace('/', "_"))
        };
        let held: BTreeSet<String> =
            self.held().iter().map(|(_, reservation)| id(reservation)).collect();
        let resources = Scan::prefix(keys::documents("resource"), usize::MAX);
        for (_, document) in self.store.scan(&resources).unwrap() {
            let document = Document::read(&document).unwrap().body;
            let id = document["id"].as_str().unwrap();
            let is_pooled = id.starts_with("vlan.") || id.starts_with("port.");
            if is_pooled && document["resourceStatus"] == "reserved" {
                assert!(held.contains(id), "{id} is reserved without a holder");
            }
        }
    }

    /// The reservations of tasks, by their journals.
    pub(super) fn held(&self) -> Vec<(&FulfilmentId, &Reservation)> {
        let is_over = |state: &TaskState| {
            state.is_done() || matches!(state, TaskState::GivenUp { released: true, .. })
        };
        let mut undone = self.undone(is_over);
        undone.retain(|key| !self.left_keys.contains(*key));
        let mut held: Vec<_> =
            self.left.iter().map(|(id, reservation)| (id, reservation)).collect();
        for (id, fold) in &self.folds {
            for (index, state) in fold.tasks().iter().enumerate() {
                if !undone.contains(fold.idempotency_key(TaskId::at(index)).as_str()) {
                    held.extend(reservations_of(state).iter().map(|reservation| (id, reservation)));
                }
            }
        }
        held
    }

    /// Whether another order has undone, or may have undone, the work of a key.
    pub(super) fn is_undone_by_other(&self, key: &str) -> bool {
        self.undone(|state| !matches!(state, TaskState::Pending)).contains(key)
    }

    /// The keys of prior work that tasks in such a state undo.
    fn undone(&self, is_so: impl Fn(&TaskState) -> bool) -> BTreeSet<&str> {
        let mut keys = BTreeSet::new();
        for fold in self.folds.values() {
            for (task, state) in fold.plan().tasks.iter().zip(fold.tasks()) {
                if let (Work::Undo(made), true) = (&task.work, is_so(state)) {
                    keys.insert(made.key.as_str());
                }
            }
        }
        keys
    }
}

fn reservation_key(reservation: &Reservation) -> String {
    String::from_utf8(keys::reservation(&reservation.pool, reservation.index)).unwrap()
}
