//! Callbacks: the tasks that wait for them, and those that arrived before their task asked for them.
//! The bodies of kept callbacks are on disk; their names, sizes and expiries are here.

use std::collections::BTreeMap;

use model::plan::{UNDO, Work};
use model::{
    BOUNDS, Event, Failure, FailureClass, FailureCode, Fulfilment, FulfilmentId, Phase, TaskId,
    TaskState, Wait,
};
use tmf::time::Timestamp;

use super::entry::Entry;
use super::timers::Timers;
use super::{Answer, Callback, Core, Recalled, Received, Step};
use crate::keys;
use crate::limits::{CALLBACK_NAME_BYTES_MAX, Limits};
use crate::store::Write;

/// Callbacks that expired and are removed in one commit.
const EXPIRED_AT_ONCE: usize = 256;

/// The form of a head, its first byte.
const HEAD_FORM: u8 = 1;

/// The size and the expiry of a kept callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) until: Timestamp,
    pub(super) bytes: u64,
}

/// The callbacks that are kept.
#[derive(Debug, Default)]
pub(super) struct Kept {
    heads: BTreeMap<String, Head>,
    expiries: Timers<String>,
    bytes: u64,
}

impl Head {
    /// The persisted form.
    pub(super) fn to_bytes(self) -> Vec<u8> {
        let mut bytes = vec![HEAD_FORM];
        bytes.extend(self.until.0.to_be_bytes());
        bytes.extend(self.bytes.to_be_bytes());
        bytes
    }

    /// Reads the persisted form; `None` if the bytes are anything else.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let (form, rest) = bytes.split_first()?;
        let (until, rest) = rest.split_first_chunk()?;
        let bytes = u64::from_be_bytes(rest.try_into().ok()?);
        let until = Timestamp(i64::from_be_bytes(*until));
        (*form == HEAD_FORM).then_some(Self { until, bytes })
    }
}

impl Kept {
    pub(super) fn count(&self) -> u64 {
        self.heads.len() as u64
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn contains(&self, name: &str) -> bool {
        self.heads.contains_key(name)
    }

    /// When the next one expires.
    pub(super) fn expires_at(&self) -> Option<Timestamp> {
        self.expiries.first()
    }

    pub(super) fn insert(&mut self, name: String, head: Head) {
        self.remove(&name);
        self.bytes += head.bytes;
        self.expiries.insert(head.until, name.clone());
        self.heads.insert(name, head);
    }

    /// Forgets one; whether it was there.
    fn remove(&mut self, name: &str) -> bool {
        let Some(head) = self.heads.remove(name) else { return false };
        self.bytes -= head.bytes;
        self.expiries.remove(head.until, name);
        true
    }

    /// Forgets the first one that has expired.
    fn pop_expired(&mut self, now: Timestamp) -> Option<String> {
        let name = self.expiries.pop_due(now)?;
        self.bytes -= self.heads.remove(&name).map_or(0, |head| head.bytes);
        Some(name)
    }

    /// Whether one more of this size is within the limits; it replaces a kept one of its name.
    fn has_room(&self, name: &str, bytes: u64, limits: &Limits) -> bool {
        let before = self.heads.get(name);
        let count = self.count() + u64::from(before.is_none());
        let total = self.bytes - before.map_or(0, |before| before.bytes) + bytes;
        count <= limits.callbacks_kept && total <= limits.callbacks_kept_bytes
    }

    /// Forgets those of the tasks of a fulfilment.
    fn remove_own(&mut self, id: &FulfilmentId) -> Vec<String> {
        // They begin with `id:`, and `;` follows `:`.
        let own = self.heads.extract_if(format!("{id}:")..format!("{id};"), |_, _| true);
        own.map(|(name, head)| {
            self.bytes -= head.bytes;
            self.expiries.remove(head.until, &name);
            name
        })
        .collect()
    }
}

/// The facts that keep a callback.
pub(super) fn keeping(name: &str, head: Head, body: Vec<u8>) -> [Write; 2] {
    [(keys::callback(name), Some(head.to_bytes())), (keys::callback_body(name), Some(body))]
}

/// The facts that remove a callback.
pub(super) fn removing(name: &str) -> [Write; 2] {
    [(keys::callback(name), None), (keys::callback_body(name), None)]
}

impl<R> Core<R> {
    /// How many callbacks are kept, and their bytes.
    pub fn callbacks_kept(&self) -> (u64, u64) {
        (self.kept.count(), self.kept.bytes())
    }

    /// When the next of them expires.
    #[cfg(test)]
    pub(crate) fn callbacks_expire_at(&self) -> Option<Timestamp> {
        self.kept.expires_at()
    }

    pub(super) fn callback(
        &mut self,
        now: Timestamp,
        Callback { name, payload }: Callback,
        reply: R,
    ) -> Step<R> {
        if BOUNDS.payload(&payload).is_err() || name.len() > CALLBACK_NAME_BYTES_MAX {
            return Step::answer(reply, Answer::Callback(Received::TooLarge));
        }
        if let Some((entry, task, attempt)) = self.remove_waiter(&name) {
            let events = entry.fulfilment.called_back(task, attempt, payload);
            let step = Step::answer(reply, Answer::Callback(Received::Delivered));
            return self.deliver(now, entry, events, &name, step);
        }
        if !self.may_be_awaited(&name) {
            return Step::answer(reply, Answer::Callback(Received::Ignored));
        }
        let body = payload.to_string().into_bytes();
        let bytes = body.len() as u64;
        if !self.kept.has_room(&name, bytes, &self.limits) {
            return Step::answer(reply, Answer::Callback(Received::TooMany));
        }
        let mut step = Step::answer(reply, Answer::Callback(Received::Kept));
        let head = Head { until: now.plus_ms(self.limits.callback_keep_ms), bytes };
        step.commit.writes.extend(keeping(&name, head, body));
        step.commit.audited = self.audited(now);
        self.kept.insert(name, head);
        step
    }

    /// The body of a kept callback was read, since a task waits for it.
    pub(super) fn recalled(
        &mut self,
        now: Timestamp,
        Recalled { name, payload }: Recalled,
    ) -> Step<R> {
        let name = name.as_str();
        let mut step = Step::default();
        let Some(payload) = payload else {
            // If it has expired meanwhile, nothing is wrong.
            if let Some((id, ..)) = self.waiting.get(name)
                && self.kept.remove(name)
            {
                tracing::error!(name, fulfilment = %id, "a kept callback cannot be read: dropped");
                self.unreadable += 1;
                step.commit.writes.extend(removing(name));
            }
            return step;
        };
        let Some((entry, task, attempt)) = self.remove_waiter(name) else { return step };
        let events = entry.fulfilment.called_back(task, attempt, payload);
        self.deliver(now, entry, events, name, step)
    }

    /// The open fulfilment whose task waits for a callback, removed, with the task and its attempt.
    fn remove_waiter(&mut self, name: &str) -> Option<(Entry<R>, TaskId, u32)> {
        let (id, task, attempt) = self.waiting.get(name)?;
        let (id, task, attempt) = (id.clone(), *task, *attempt);
        Some((self.take(&id)?, task, attempt))
    }

    /// Gives a task the callback of this name. If it is kept, it is removed with the commit that
    /// records it, and stays kept if its fulfilment is set aside instead.
    fn deliver(
        &mut self,
        now: Timestamp,
        entry: Entry<R>,
        events: Vec<Event>,
        name: &str,
        mut step: Step<R>,
    ) -> Step<R> {
        let id = entry.fulfilment.id().clone();
        if self.kept.contains(name) {
            step.commit.writes.extend(removing(name));
        }
        let step = self.advance(now, entry, events, step);
        if !self.set_aside.contains_key(&id) {
            self.kept.remove(name);
        }
        step
    }

    /// Removes some of the expired callbacks; `None` if there are none.
    pub(super) fn expire_callbacks(&mut self, now: Timestamp) -> Option<Step<R>> {
        let mut step = Step::default();
        let expired = (0..EXPIRED_AT_ONCE).map_while(|_| self.kept.pop_expired(now));
        step.commit.writes.extend(expired.flat_map(|name| removing(&name)));
        (!step.commit.is_empty()).then_some(step)
    }

    /// Answers for a fulfilment that has ended will never be waited for.
    pub(super) fn forget_callbacks(&mut self, id: &FulfilmentId, step: &mut Step<R>) {
        let own = self.kept.remove_own(id);
        step.commit.writes.extend(own.iter().flat_map(|name| removing(name)));
    }

    /// Notes that a task waits since an event. Answers with the name of a callback that is kept for
    /// it, if there is one.
    pub(super) fn wait_for(
        &mut self,
        fulfilment: &FulfilmentId,
        event: &Event,
        names: Vec<String>,
    ) -> Option<String> {
        let (Event::Waiting { task, attempt, .. } | Event::UndoWaiting { task, attempt, .. }) =
            event
        else {
            return None;
        };
        self.await_names(fulfilment, *task, *attempt, names)
    }

    /// Notes the names under which a task waits.
    pub(super) fn await_names(
        &mut self,
        fulfilment: &FulfilmentId,
        task: TaskId,
        attempt: u32,
        names: Vec<String>,
    ) -> Option<String> {
        let mut kept = None;
        for name in names {
            if let Some((other, of, _)) = self.waiting.get(&name)
                && (other, *of) != (fulfilment, task)
            {
                // A wait is refused if its key is taken, so no journal should have this.
                tracing::warn!(name, by = %other, %fulfilment, "two wait for a callback");
                continue;
            }
            if kept.is_none() && self.kept.contains(&name) {
                kept = Some(name.clone());
            }
            self.waiting.insert(name, (fulfilment.clone(), task, attempt));
        }
        kept
    }

    pub(super) fn stop_waiting(
        &mut self,
        id: &FulfilmentId,
        task: Option<TaskId>,
        names: &[String],
    ) {
        for name in names {
            let waiter = self.waiting.get(name);
            if waiter.is_some_and(|(own, of, _)| own == id && Some(*of) == task) {
                self.waiting.remove(name);
            }
        }
    }

    /// Why a task may not wait under the keys that its plugin names. The other task that waits under
    /// such a key gets a note.
    pub(super) fn wrong_keys(
        &self,
        fulfilment: &Fulfilment,
        task: TaskId,
        wait: &Wait,
        step: &mut Step<R>,
    ) -> Option<Failure> {
        let names: Vec<String> =
            wait.keys.iter().map(|key| fulfilment.callback_name(task, key)).collect();
        let is_name = |name: &String| name.len() <= CALLBACK_NAME_BYTES_MAX;
        let is_key = |key: &String| !key.is_empty();
        let is_bounded = (1..=BOUNDS.keys_max).contains(&names.len());
        if !is_bounded || !names.iter().all(is_name) || !wait.keys.iter().all(is_key) {
            let message = format!(
                "the plugin waits under {} keys: there must be 1 to {}, none empty, each \
                 with at most {CALLBACK_NAME_BYTES_MAX} bytes with the plugin's id; mend the \
                 plugin, then retry the task",
                names.len(),
                BOUNDS.keys_max,
            );
            return Some(Failure::new(FailureClass::Operator, FailureCode::CallbackKey, message));
        }
        for (key, name) in wait.keys.iter().zip(&names) {
            if let Some((other, of, attempt)) = self.waiting.get(name)
                && (other, *of) != (fulfilment.id(), task)
            {
                // Who reads this log may not know of another order.
                let who = match other == fulfilment.id() {
                    true => format!("task {task}"),
                    false => "a task of another order".into(),
                };
                let note = format!(
                    "host: {who} wanted to wait for the callback `{name}` too, and was refused"
                );
                step.commit.note(other, *of, *attempt, &note);
                return Some(taken(key, other, *of));
            }
            if let Some((other, of, _)) = own_name(key)
                && own_name(name).is_none()
                && self.is_known(&other, fulfilment)
            {
                return Some(taken(key, &other, of));
            }
        }
        None
    }

    /// Whether a fulfilment is open, this one included, or set aside.
    fn is_known(&self, id: &FulfilmentId, this: &Fulfilment) -> bool {
        id == this.id() || self.is_open(id) || self.set_aside.contains_key(id)
    }

    /// Whether a task may still wait for a callback. Only its own task may wait for one that is named
    /// after it; any task may wait for any other.
    fn may_be_awaited(&self, name: &str) -> bool {
        let Some((id, task, of)) = own_name(name) else {
            return true;
        };
        match self.open.get(&id) {
            Some(entry) => may_wait(&entry.fulfilment, task, of),
            None => self.set_aside.contains_key(&id),
        }
    }
}

fn taken(key: &str, other: &FulfilmentId, task: TaskId) -> Failure {
    let message = format!(
        "the callback `{key}` is that of task {task} of `{other}`: two tasks cannot wait for one \
         answer; retry this task when that one has its answer, or have the plugin wait under a key \
         of its own"
    );
    Failure::new(FailureClass::Operator, FailureCode::CallbackKeyTaken, message)
}

/// The subject of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    /// The work of a task.
    Work,
    /// Its undo, or that of prior work.
    Undo,
}

/// The task that a name of our making belongs to, `<fulfilment>:<task>`, or its undo.
pub(super) fn own_name(name: &str) -> Option<(FulfilmentId, TaskId, Of)> {
    let (name, of) = match name.strip_suffix(UNDO) {
        Some(name) => (name, Of::Undo),
        None => (name, Of::Work),
    };
    let (fulfilment, task) = name.rsplit_once(':')?;
    let is_ours = !fulfilment.contains('/') && task.bytes().all(|byte| byte.is_ascii_digit());
    let task = task.parse().ok().filter(|_| is_ours)?;
    Some((FulfilmentId::new(fulfilment), TaskId(task), of))
}

/// Whether a task may wait for an answer, now or later. One that is pending may: the answer can be there
/// before the call that asks for it has ended, and a pure one has no record until then.
fn may_wait(fulfilment: &Fulfilment, task: TaskId, of: Of) -> bool {
    let Some(state) = fulfilment.tasks().get(task.index()) else {
        return false;
    };
    let is_turned = fulfilment.is_turned(task);
    let undoes = matches!(fulfilment.work(task), Work::Undo(_));
    match (of, undoes) {
        (Of::Work, false) | (Of::Undo, true) => may_work(fulfilment, state, is_turned),
        (Of::Undo, false) => is_turned && may_undo(state),
        (Of::Work, true) => false,
    }
}

fn may_work(fulfilment: &Fulfilment, state: &TaskState, is_turned: bool) -> bool {
    match state {
        TaskState::Pending | TaskState::Retrying { .. } | TaskState::Failed { .. } => {
            *fulfilment.phase() == Phase::Running && !is_turned
        }
        TaskState::Running { .. } | TaskState::Waiting { .. } | TaskState::CalledBack { .. } => {
            true
        }
        TaskState::Done(_)
        | TaskState::Undoing { .. }
        | TaskState::UndoWaiting { .. }
        | TaskState::UndoCalledBack { .. }
        | TaskState::Stuck { .. }
        | TaskState::Undone
        | TaskState::GivenUp { .. } => false,
    }
}

fn may_undo(state: &TaskState) -> bool {
    match state {
        TaskState::Retrying { .. }
        | TaskState::Failed { .. }
        | TaskState::Done(_)
        | TaskState::Undoing { .. }
        | TaskState::UndoWaiting { .. }
        | TaskState::UndoCalledBack { .. }
        | TaskState::Stuck { .. } => true,
        TaskState::Pending
        | TaskState::Running { .. }
        | TaskState::Waiting { .. }
        | TaskState::CalledBack { .. }
        | TaskState::Undone
        | TaskState::GivenUp { .. } => false,
    }
}
