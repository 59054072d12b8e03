//! Carries a fulfilment on after an input: applies events, asks what is due, and gathers what must
//! be written before it may be done.

use std::sync::Arc;

use model::plan::Work;
use model::{
    Changes, Document, Due, Event, Failure, FailureClass, Fulfilment, Hold, Outcome, Record,
    TaskId, TaskState, Timestamp,
};
use serde_json::json;

use super::entry::{Direction, Entry};
use super::{After, Answer, Core, Durability, Published, Step};
use crate::keys;
use crate::store::Put;
use crate::store::documents::{Change, Expected};
use crate::worker::{Call, Manner, Nature};

/// Outcomes of pure tasks that may share a commit, so that a long run of them is not lost whole.
const UNWRITTEN_MAX: usize = 256;

/// What one settling has gathered.
#[derive(Default)]
struct Gathered {
    /// Calls that wait for the commit.
    calls: Vec<Call>,
    /// Calls of pure plugins.
    pure: Vec<Call>,
    /// Holds to write and to remove.
    taken: Vec<Hold>,
    freed: Vec<Hold>,
    /// Resources that were taken back with what had made them.
    ended: Vec<Document>,
    /// Callbacks that were kept and are now delivered.
    delivered: Vec<String>,
    /// Something happened that must be on disk now.
    must_write: bool,
}

impl<R> Core<R> {
    /// Applies events to a fulfilment, does what follows, and puts it back.
    pub(super) fn advance(
        &mut self,
        now: Timestamp,
        mut entry: Entry<R>,
        events: Vec<Event>,
        mut step: Step<R>,
    ) -> Step<R> {
        let mut gathered = Gathered::default();
        gathered.must_write |= !step.recorded.is_empty();
        let mut recorded = std::mem::take(&mut step.recorded);
        entry.unwritten.append(&mut recorded);
        self.apply(now, &mut entry, events, &mut gathered);
        self.settle(now, &mut entry, &mut gathered);
        self.write(now, &mut entry, gathered, &mut step);
        let id = entry.fulfilment.id.clone();
        if entry.fulfilment.is_ended() && entry.unwritten.is_empty() {
            self.unclaim(&id, &entry.fulfilment.plan);
            if let Some(time) = entry.wake_at {
                self.timers.remove(&(time, id));
            }
            return step;
        }
        self.set_timer(now, &mut entry);
        self.open.insert(id, entry);
        step
    }

    fn set_timer(&mut self, now: Timestamp, entry: &mut Entry<R>) {
        let wake_at = entry.fulfilment.wake_at(now);
        if wake_at == entry.wake_at {
            return;
        }
        if let Some(time) = entry.wake_at {
            self.timers.remove(&(time, entry.fulfilment.id.clone()));
        }
        if let Some(time) = wake_at {
            self.timers.insert((time, entry.fulfilment.id.clone()));
        }
        entry.wake_at = wake_at;
    }

    /// Applies events and follows what they mean for pools and callbacks.
    fn apply(
        &mut self,
        now: Timestamp,
        entry: &mut Entry<R>,
        events: Vec<Event>,
        gathered: &mut Gathered,
    ) {
        for event in events {
            let fulfilment = Arc::make_mut(&mut entry.fulfilment);
            if let Event::Undone { task } = &event {
                gathered.freed.extend(fulfilment.tasks[task.index()].yielded().holds);
                gathered.ended.extend(fulfilment.ending(*task));
            }
            if let Some(task) = event.task() {
                self.stop_waiting(fulfilment, task);
            }
            if let Err(error) = fulfilment.apply(now, &event) {
                // Events come from decisions over this very state, so this is a bug of ours. The
                // fulfilment stays as it was, and is not carried on by this event.
                tracing::error!(fulfilment = %fulfilment.id, %error, "event refused");
                continue;
            }
            match &event {
                Event::Succeeded { task, holds, .. } => {
                    gathered.taken.extend(holds.iter().cloned());
                    if let Work::TakeBack(made) = fulfilment.work(*task) {
                        gathered.freed.extend(made.holds.iter().cloned());
                    }
                }
                Event::Waiting { task, attempt, wait, .. } => {
                    for key in &wait.keys {
                        let waiter = (fulfilment.id.clone(), *task, *attempt);
                        self.waiting.insert(key.clone(), waiter);
                    }
                }
                Event::Submitted { .. }
                | Event::Planned { .. }
                | Event::Held { .. }
                | Event::Rejected { .. }
                | Event::Started { .. }
                | Event::CalledBack { .. }
                | Event::Retrying { .. }
                | Event::Failed { .. }
                | Event::Reopened { .. }
                | Event::Unwinding { .. }
                | Event::Cancelling { .. }
                | Event::CancelRefused { .. }
                | Event::Patched { .. }
                | Event::Endangered { .. }
                | Event::UndoRetrying { .. }
                | Event::UndoFailed { .. }
                | Event::Undone { .. }
                | Event::Ended { .. } => {}
            }
            gathered.must_write |= !matches!(event, Event::Succeeded { .. });
            entry.unwritten.push(event);
        }
    }

    fn stop_waiting(&mut self, fulfilment: &Fulfilment, task: TaskId) {
        if let Some(TaskState::Waiting { wait, .. }) = fulfilment.tasks.get(task.index()) {
            for key in &wait.keys {
                let waiter = self.waiting.get(key);
                if waiter.is_some_and(|(id, own, _)| *id == fulfilment.id && *own == task) {
                    self.waiting.remove(key);
                }
            }
        }
    }

    /// Does what is due until nothing new becomes due without waiting for something.
    fn settle(&mut self, now: Timestamp, entry: &mut Entry<R>, gathered: &mut Gathered) {
        loop {
            let events = self.early_answers(entry, gathered);
            let mut changed = !events.is_empty();
            self.apply(now, entry, events, gathered);
            for due in entry.fulfilment.due(now) {
                let events = self.carry_out(now, entry, due, gathered);
                changed |= !events.is_empty();
                let turned = events.iter().any(|event| event.task().is_none());
                self.apply(now, entry, events, gathered);
                if turned {
                    // What was due forward is not due any more once it unwinds.
                    break;
                }
            }
            if !changed {
                return;
            }
        }
    }

    /// Answers that came before anyone waited for them.
    fn early_answers(&mut self, entry: &Entry<R>, gathered: &mut Gathered) -> Vec<Event> {
        if self.early.is_empty() {
            return Vec::new();
        }
        let mut events = Vec::new();
        for (task, attempt, wait_keys) in entry.fulfilment.waits() {
            let found = wait_keys.iter().find(|key| self.early.contains_key(*key));
            if let Some(payload) = found.and_then(|key| self.early.remove(key)) {
                gathered.delivered.extend(found.cloned());
                events.extend(entry.fulfilment.called_back(task, attempt, payload));
            }
        }
        events
    }

    /// Turns what is due into calls, or into events where no call is needed.
    fn carry_out(
        &mut self,
        now: Timestamp,
        entry: &mut Entry<R>,
        due: Due,
        gathered: &mut Gathered,
    ) -> Vec<Event> {
        let fulfilment = Arc::clone(&entry.fulfilment);
        let (task, attempt, manner) = match due {
            Due::End(end) => return vec![Event::Ended { end }],
            Due::Alert(alert) => return vec![Event::Endangered { alert }],
            Due::Expire { task, attempt } => return fulfilment.expire(task, attempt, now),
            Due::Run { task, attempt, again: false } => (task, attempt, Manner::Run),
            Due::Run { task, attempt, again: true } | Due::Recover { task, attempt } => {
                (task, attempt, Manner::Recover)
            }
            Due::Resume { task, attempt, payload } => (task, attempt, Manner::Resume { payload }),
            Due::Undo { task, attempt, outputs } => (task, attempt, Manner::Undo { outputs }),
        };
        if entry.under_way.contains_key(&task) {
            return Vec::new();
        }
        let undo = matches!(manner, Manner::Undo { .. });
        let manner = of_work(fulfilment.work(task), manner);
        let begins = matches!(
            fulfilment.tasks[task.index()],
            TaskState::Pending | TaskState::Retrying { .. }
        );
        let nature = self.nature(&fulfilment, task);
        if undo && (nature == Some(Nature::Pure) || !fulfilment.plan.step(task).undo) {
            return vec![Event::Undone { task }];
        }
        let takes_back = matches!(manner, Manner::Undo { .. }) && !undo;
        if takes_back && (nature == Some(Nature::Pure) || !fulfilment.plan.step(task).undo) {
            let done = Outcome::Done(serde_json::Map::new());
            return fulfilment.conclude(task, attempt, done, Vec::new(), now);
        }
        let call = self.call(&fulfilment, task, attempt, manner, now);
        let (nature, call) = match (nature, call) {
            (Some(nature), Ok(call)) => (nature, call),
            (None, _) => {
                return Self::cannot_call(
                    &fulfilment,
                    task,
                    attempt,
                    undo,
                    missing(&fulfilment, task),
                    now,
                );
            }
            (_, Err(failure)) => {
                return Self::cannot_call(&fulfilment, task, attempt, undo, failure, now);
            }
        };
        let direction = if undo { Direction::Back } else { Direction::Forward };
        entry.under_way.insert(task, direction);
        match nature {
            Nature::Pure if self.durability == Durability::Shared => {
                gathered.pure.push(call);
                Vec::new()
            }
            Nature::Pure => {
                gathered.calls.push(call);
                Vec::new()
            }
            Nature::External => {
                gathered.calls.push(call);
                if begins && !undo { vec![Event::Started { task, attempt }] } else { Vec::new() }
            }
        }
    }

    /// A call that cannot even be made counts as an attempt that failed.
    fn cannot_call(
        fulfilment: &Fulfilment,
        task: TaskId,
        attempt: u32,
        undo: bool,
        failure: Failure,
        now: Timestamp,
    ) -> Vec<Event> {
        let outcome = Outcome::Failed(failure);
        if undo {
            fulfilment.conclude_undo(task, attempt, outcome, now)
        } else {
            fulfilment.conclude(task, attempt, outcome, Vec::new(), now)
        }
    }

    fn nature(&self, fulfilment: &Fulfilment, task: TaskId) -> Option<Nature> {
        let plugin = &fulfilment.plan.step(task).plugin;
        self.worker.nature(fulfilment.plan.plugins.get(plugin)?)
    }

    fn call(
        &mut self,
        fulfilment: &Fulfilment,
        task: TaskId,
        attempt: u32,
        manner: Manner,
        now: Timestamp,
    ) -> Result<Call, Failure> {
        let plan = &fulfilment.plan;
        let step = plan.step(task);
        let Some(digest) = plan.plugins.get(&step.plugin) else {
            return Err(missing(fulfilment, task));
        };
        let item = plan.item_of(task);
        let work = fulfilment.work(task);
        let idempotency_key = match work {
            Work::TakeBack(made) => made.key.clone(),
            Work::Do | Work::Redo(_) => fulfilment.idempotency_key(task),
        };
        let input = match (work.before(), &manner) {
            (Some(made), Manner::Restore) => made.input.clone(),
            _ => fulfilment.input(task, &mut self.expressions)?,
        };
        Ok(Call {
            fulfilment: fulfilment.id.clone(),
            task,
            name: plan.task_name(task),
            attempt,
            idempotency_key,
            manner,
            plugin: step.plugin.clone(),
            digest: digest.clone(),
            spec: item.map(|item| item.spec.to_string()).unwrap_or_default(),
            action: item.map_or("add", |item| item.action.as_str()).into(),
            characteristics: item.map(|item| item.characteristics.clone()).unwrap_or_default(),
            input,
            timeout_ms: step.timeout_ms,
            at: now,
        })
    }

    /// Turns what was gathered into one commit, unless it may wait for the next.
    fn write(
        &mut self,
        now: Timestamp,
        entry: &mut Entry<R>,
        gathered: Gathered,
        step: &mut Step<R>,
    ) {
        let may_wait = self.durability == Durability::Shared
            && !gathered.must_write
            && step.waiting.is_none()
            && gathered.taken.is_empty()
            && gathered.freed.is_empty()
            && entry.under_way.len() > gathered.calls.len()
            && gathered.calls.is_empty()
            && entry.unwritten.len() < UNWRITTEN_MAX;
        step.now.extend(gathered.pure);
        if may_wait {
            entry.facts.append(&mut step.commit.writes);
            return;
        }
        let commit = &mut step.commit;
        commit.writes.append(&mut entry.facts);
        for hold in &gathered.taken {
            let holder = json!({ "fulfilment": entry.fulfilment.id, "value": hold.value });
            let bytes = holder.to_string().into_bytes();
            commit.writes.push((keys::hold(&hold.pool, hold.index), Some(bytes)));
        }
        for hold in &gathered.freed {
            commit.writes.push((keys::hold(&hold.pool, hold.index), None));
            // In memory it is free at once: whoever takes it now writes after this commit.
            self.pools.release(&hold.pool, hold.index);
        }
        for key in &gathered.delivered {
            commit.writes.push((keys::callback(key), None));
        }
        let events = std::mem::take(&mut entry.unwritten);
        if !events.is_empty() {
            // As the record will say; the events may have been applied a little earlier.
            Arc::make_mut(&mut entry.fulfilment).recorded(now, &events);
            let mut changes = entry.fulfilment.changes(&events, entry.order_state);
            let freed = gathered.freed.iter().map(|hold| entry.fulfilment.released(hold));
            changes.documents.extend(freed);
            changes.documents.extend(gathered.ended);
            entry.order_state = Some(entry.fulfilment.order_state());
            Self::write_changes(now, changes, step);
            Self::write_record(now, entry, events, step);
        }
        if let Some(reply) = step.waiting.take() {
            let answer = Answer::Fulfilment(Some(Arc::clone(&entry.fulfilment)));
            step.commit.then.push(After::Reply(reply, answer));
        }
        if entry.fulfilment.is_ended() {
            self.forget_callbacks(&entry.fulfilment, step);
            for reply in entry.awaiting_end.drain(..) {
                let answer = Answer::Fulfilment(Some(Arc::clone(&entry.fulfilment)));
                step.commit.then.push(After::Reply(reply, answer));
            }
        }
        step.commit.then.extend(gathered.calls.into_iter().map(After::Run));
    }

    fn write_record(now: Timestamp, entry: &mut Entry<R>, events: Vec<Event>, step: &mut Step<R>) {
        let fulfilment = Arc::make_mut(&mut entry.fulfilment);
        let number = fulfilment.records;
        fulfilment.records += 1;
        let record = Record::new(now, events);
        let writes = &mut step.commit.writes;
        writes.push((keys::journal(&fulfilment.id, number), Some(record.encode())));
        if fulfilment.is_ended() {
            writes.push((keys::open(&fulfilment.id), None));
        } else if number == 0 {
            writes.push((keys::open(&fulfilment.id), Some(Vec::new())));
        }
        step.commit.then.push(After::Publish(Published {
            fulfilment: fulfilment.id.clone(),
            number,
            record: Arc::new(record),
            state: Arc::clone(&entry.fulfilment),
        }));
    }

    /// Orders are what the fold says and nothing else; what others may change too is merged.
    fn write_changes(now: Timestamp, changes: Changes, step: &mut Step<R>) {
        step.commit.at = now;
        for document in changes.documents {
            let Document { resource, id, body } = document;
            step.commit.documents.push(match resource {
                "product" | "service" => Put::merge(resource, id, body),
                _ => Put::set(resource, id, body),
            });
        }
        let removed = changes.removed.into_iter();
        let removed = removed
            .map(|(resource, id)| Put::new(resource, id, Change::Remove, Expected::Anything));
        step.commit.documents.extend(removed);
    }

    /// Answers for a fulfilment that has ended will never be waited for.
    fn forget_callbacks(&mut self, fulfilment: &Fulfilment, step: &mut Step<R>) {
        if self.early.is_empty() {
            return;
        }
        let prefix = format!("{}:", fulfilment.id);
        let own: Vec<String> = self
            .early
            .range(prefix.clone()..)
            .take_while(|(key, _)| key.starts_with(&prefix))
            .map(|(key, _)| key.clone())
            .collect();
        for key in own {
            self.early.remove(&key);
            step.commit.writes.push((keys::callback(&key), None));
        }
    }
}

/// Which of a plugin's functions does the work of a task.
fn of_work(work: &Work, manner: Manner) -> Manner {
    match (work, manner) {
        (Work::TakeBack(made), _) => Manner::Undo { outputs: made.outputs.clone() },
        (Work::Redo(_), Manner::Undo { .. }) => Manner::Restore,
        (Work::Do | Work::Redo(_), manner) => manner,
    }
}

fn missing(fulfilment: &Fulfilment, task: TaskId) -> Failure {
    let plugin = &fulfilment.plan.step(task).plugin;
    let message = format!(
        "no plugin `{plugin}` is active in the version that this order was planned with: put its \
         .wasm into the plugins folder and retry"
    );
    Failure::new(FailureClass::Person, "PLUGIN_MISSING", message)
}
