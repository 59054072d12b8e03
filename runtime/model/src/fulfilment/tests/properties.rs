//! Random plans, random fates. What must be true after every commit stands in [`History`].

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::history::{History, Policy, plan};
use super::*;
use crate::journal::Refusal;
use crate::operation::Direction;

/// A plan of up to eight tasks, of which each needs any of those before it and serves any of three
/// lines, or the whole order.
pub(super) fn plans() -> impl Strategy<Value = Vec<Policy>> {
    let kinds = (0..8_u8, 0..8_u8, 0..8_u8);
    let policy = (any::<u8>(), 1..4_u32, any::<bool>(), kinds, prop::option::of(0..5_000_i64));
    prop::collection::vec(policy, 1..8).prop_map(|policies| {
        let policies = policies.into_iter().enumerate();
        let policies = policies.map(|(index, (needs, attempts, hold, kinds, not_before))| {
            let (point_of_no_return, lines, undoes) = kinds;
            let needs = (0..index.min(8)).filter(|bit| needs & (1 << bit) != 0);
            Policy {
                needs: needs.map(TaskId::at).collect(),
                attempts,
                on_failure: if hold { OnFailure::Hold } else { OnFailure::RollBack },
                point_of_no_return: point_of_no_return == 0,
                not_before: not_before.map(Timestamp),
                lines: ["a", "b", "c"]
                    .iter()
                    .enumerate()
                    .filter(|(bit, _)| lines & (1 << bit) != 0)
                    .map(|(_, line)| (*line).into())
                    .collect(),
                undoes: undoes == 0,
            }
        });
        policies.collect()
    })
}

pub(super) fn named(policies: &[Policy]) -> Plan {
    let tasks = policies.iter().enumerate();
    plan(&tasks.map(|(index, policy)| (format!("t{index}"), policy.clone())).collect::<Vec<_>>())
}

/// The choices of a run; past the last one everything goes well.
struct Choices {
    choices: std::vec::IntoIter<u8>,
}

impl Choices {
    fn next(&mut self) -> Option<u8> {
        self.choices.next()
    }

    fn pick(&mut self, count: usize) -> usize {
        self.next().map_or(0, |choice| usize::from(choice) % count)
    }

    fn outcome(&mut self) -> Outcome {
        let failed = |class| Outcome::Failed(failure(class));
        match self.next().map(|choice| choice % 10) {
            Some(0) => failed("reject"),
            Some(1 | 2) => failed("person"),
            Some(3 | 4) => failed("retry"),
            Some(5 | 6) => Outcome::Waiting(Wait { keys: vec!["key".into()], timeout_ms: 700 }),
            _ => Outcome::Done(Map::new()),
        }
    }
}

pub(super) struct Run {
    pub(super) history: History,
    pub(super) now: Timestamp,
    choices_left: Choices,
    steps: u32,
    /// When someone wants to cancel.
    pub(super) cancel_at: Option<u32>,
    /// When an operator decides something, and what.
    decides: BTreeMap<u32, u8>,
}

impl Run {
    fn new(policies: &[Policy], choices: Vec<u8>) -> Self {
        Self::of_plan(named(policies), choices)
    }

    pub(super) fn of_plan(plan: Plan, choices: Vec<u8>) -> Self {
        Self {
            history: History::of_plan(plan),
            now: Timestamp(0),
            choices_left: Choices { choices: choices.into_iter() },
            steps: 0,
            cancel_at: None,
            decides: BTreeMap::new(),
        }
    }

    /// Runs to the end. Once the choices are used up a person mends what is held.
    fn finish(&mut self) {
        for _ in 0..1_000 {
            if self.history.fulfilment.is_ended() {
                return;
            }
            self.step();
        }
        panic!("it does not end: {:#?}", self.history.fulfilment.tasks);
    }

    pub(super) fn step(&mut self) {
        self.steps += 1;
        let state = &self.history.fulfilment;
        let due = state.due_at(self.now);
        let events = if self.cancel_at.take_if(|steps| self.steps == *steps).is_some() {
            state.cancel(request()).0
        } else if let Some(choice) = self.decides.remove(&self.steps) {
            self.decide(choice)
        } else if due.is_empty() {
            self.pass_time()
        } else {
            let due = due[self.choices_left.pick(due.len())].clone();
            self.do_due(&due)
        };
        self.history.commit(self.now, events).expect("what follows from what is due is legal");
    }

    /// An operator gives something up or did it by hand, which may be refused.
    fn decide(&self, choice: u8) -> Vec<Event> {
        let state = &self.history.fulfilment;
        let task = TaskId::at(usize::from(choice) % state.tasks.len().max(1));
        let name = state.plan.task_name(task);
        let subject = match (choice / 64, state.plan.items.first()) {
            (0, Some(item)) => Subject::Item(item.line.clone()),
            (1, _) => {
                let done = state.complete_by_hand(&name, Map::new(), decision());
                return done.unwrap_or_default();
            }
            (_, _) => Subject::Task(name),
        };
        state.give_up(&subject, choice.is_multiple_of(2), decision()).unwrap_or_default()
    }

    fn pass_time(&mut self) -> Vec<Event> {
        let state = &self.history.fulfilment;
        let waits: Vec<(TaskId, u32)> =
            state.waits().map(|(task, attempt, _)| (task, attempt)).collect();
        if let Some(&(task, attempt)) = waits.first()
            && self.choices_left.next().is_none_or(|choice| choice % 2 == 0)
        {
            return state.called_back(task, attempt, json!(true));
        }
        if state.is_held() {
            let reopened = state.retry();
            assert!(!reopened.is_empty(), "what is held can be reopened");
            return reopened;
        }
        self.now = state.wake_at(self.now).expect("what waits has a time to wake");
        Vec::new()
    }

    fn do_due(&mut self, due: &Due) -> Vec<Event> {
        let state = &self.history.fulfilment;
        match due {
            Due::Call { task, attempt, .. } | Due::Conclude { task, attempt, .. } => {
                let (task, attempt) = (*task, *attempt);
                match (state.direction(task), has_begun(state, task)) {
                    (Direction::Forward, false) if self.choices_left.pick(2) == 0 => {
                        vec![Event::Started { task, attempt }]
                    }
                    (Direction::Forward, _) => {
                        let outcome = self.choices_left.outcome();
                        state.conclude(task, attempt, outcome, Vec::new(), self.now)
                    }
                    (Direction::Backward, _) => {
                        state.conclude_undo(task, attempt, self.choices_left.outcome(), self.now)
                    }
                }
            }
            Due::Expire { task, attempt } => state.expire(*task, *attempt, self.now),
            Due::Alert(risk) => vec![Event::Alerted { risk: risk.clone() }],
            Due::End(end) => vec![Event::Ended { end: *end }],
        }
    }

    /// Everything succeeds, and each outcome comes twice.
    fn succeed_twice(&mut self) {
        for _ in 0..1_000 {
            let state = &self.history.fulfilment;
            match state.due_at(self.now).first() {
                Some(Due::Call { task, attempt, .. } | Due::Conclude { task, attempt, .. })
                    if begins(state, *task) =>
                {
                    let (task, attempt) = (*task, *attempt);
                    let done = || Outcome::Done(Map::new());
                    let events = state.conclude(task, attempt, done(), Vec::new(), self.now);
                    self.history.commit(self.now, events).unwrap();
                    let state = &self.history.fulfilment;
                    let again = state.conclude(task, attempt, done(), Vec::new(), self.now);
                    assert_eq!(again, Vec::new(), "an outcome that comes twice changes nothing");
                }
                Some(due) => {
                    let events = self.do_due(&due.clone());
                    self.history.commit(self.now, events).unwrap();
                }
                None if state.is_ended() => return,
                None => self.now = state.wake_at(self.now).expect("it waits for a time"),
            }
        }
        panic!("it does not end");
    }

    /// Everything succeeds but one task, which fails for good.
    fn succeed_but(&mut self, bad: TaskId) {
        for _ in 0..1_000 {
            let state = &self.history.fulfilment;
            let due = state.due_at(self.now);
            let events = match due.first() {
                Some(Due::Call { task, attempt, .. }) if begins(state, *task) => {
                    vec![Event::Started { task: *task, attempt: *attempt }]
                }
                Some(Due::Call { task, attempt, .. })
                    if *task == bad && state.direction(*task) == Direction::Forward =>
                {
                    let outcome = Outcome::Failed(failure("person"));
                    state.conclude(*task, *attempt, outcome, Vec::new(), self.now)
                }
                Some(due) => self.do_due(due),
                None if state.is_ended() => return,
                None => {
                    self.now = state.wake_at(self.now).expect("it waits for a time");
                    Vec::new()
                }
            };
            self.history.commit(self.now, events).unwrap();
        }
        panic!("it does not end");
    }
}

/// Whether an attempt at a task is under way.
fn has_begun(state: &Fulfilment, task: TaskId) -> bool {
    matches!(state.tasks[task.index()], TaskState::Running { .. } | TaskState::CalledBack { .. })
}

/// Whether what is due for a task is to begin an attempt at it.
fn begins(state: &Fulfilment, task: TaskId) -> bool {
    state.direction(task) == Direction::Forward && !has_begun(state, task)
}

/// Any event about any task, most of which cannot happen.
fn events() -> impl Strategy<Value = Event> {
    let parts = (0..22_u8, 0..9_u32, 0..4_u32);
    parts.prop_map(|(kind, task, attempt)| {
        let (task, failure, at) = (TaskId(task), failure("person"), Timestamp(5));
        let wait = Wait { keys: Vec::new(), timeout_ms: 1 };
        match kind {
            0 => Event::Started { task, attempt },
            1 => Event::Waiting { task, attempt, wait, until: at },
            2 => Event::CalledBack { task, attempt, payload: json!(1) },
            3 => Event::Succeeded { task, attempt, outputs: Map::new(), reservations: Vec::new() },
            4 => Event::Retrying { task, attempt, failure, at },
            5 => Event::Failed { task, attempt, failure },
            6 => Event::Retried { task },
            7 => Event::RollingBack { cause: failure, task: Some(task), decision: None },
            8 => Event::UndoRetrying { task, attempt, failure, at },
            9 => Event::UndoFailed { task, attempt, failure },
            10 => Event::Undone { task },
            11 => Event::Ended { end: End::Completed },
            12 => Event::Ended { end: End::Failed },
            13 => Event::Cancelling { request: request() },
            14 => {
                let refusal = Refusal::RollingBack { code: "BUSY".into() };
                Event::CancelRefused { request: request(), refusal }
            }
            15 => Event::Patched { patch: Map::new() },
            16 => Event::Ended { end: End::Cancelled },
            17 => Event::Ended { end: End::Partial },
            18 => {
                let lines = vec![ItemId(task.0)];
                Event::RollingBackLines { lines, cause: failure, task: None, decision: None }
            }
            19 => Event::UndoWaiting { task, attempt, wait, until: at },
            20 => Event::GivenUp { task, failure, released: false, decision: decision() },
            21 => Event::CompletedByHand { task, outputs: Map::new(), decision: decision() },
            _ => Event::Held { failure },
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_plan_ends_whatever_happens_to_it(
        policies in plans(),
        choices in prop::collection::vec(any::<u8>(), 0..150),
        cancel_at in prop::option::of(1..60_u32),
        decides in prop::collection::btree_map(1..80_u32, any::<u8>(), 0..5),
    ) {
        let mut run = Run::new(&policies, choices);
        run.cancel_at = cancel_at;
        run.decides = decides;
        run.finish();
        let state = &run.history.fulfilment;
        let is_over = |(index, task): (usize, &TaskState)| {
            let stays = state.turned.stays.contains(&TaskId::at(index));
            let (done, given_up) = (task.is_done(), matches!(task, TaskState::GivenUp { .. }));
            if state.is_turned(TaskId::at(index)) { task.is_clear() } else { done || given_up || stays }
        };
        prop_assert!(state.tasks.iter().enumerate().all(is_over));
        match &state.phase {
            Phase::Ended(End::Completed, None) => prop_assert!(state.failed.is_empty()),
            Phase::Ended(End::Partial, None) => {
                let delivered = |index| state.is_delivered(ItemId::at(index));
                prop_assert!((0..state.plan.items.len()).any(delivered));
                prop_assert!(!(0..state.plan.items.len()).all(delivered));
            }
            Phase::Ended(End::Failed | End::Rejected, Some(_)) | Phase::Ended(End::Cancelled, None) => {
                prop_assert!(state.turned.is_whole);
            }
            Phase::Ended(..)
            | Phase::Submitted
            | Phase::Held(_)
            | Phase::Running
            | Phase::RollingBack(_) => prop_assert!(false, "{:?}", state.phase),
        }
        prop_assert_eq!(state.due_at(Timestamp(i64::MAX)), Vec::new());
        prop_assert_eq!(state.wake_at(Timestamp(0)), None);
    }

    #[test]
    fn any_event_is_either_legal_or_changes_nothing(
        policies in plans(),
        choices in prop::collection::vec(any::<u8>(), 0..40),
        events in prop::collection::vec(events(), 1..40),
    ) {
        let mut run = Run::new(&policies, choices);
        for event in events {
            // `commit` asserts both: a refused event changes nothing, a legal one leaves a
            // fulfilment that is sound.
            let _refused = run.history.commit(run.now, vec![event]);
            if !run.history.fulfilment.is_ended() {
                run.step();
            }
        }
    }

    #[test]
    fn a_plan_whose_tasks_succeed_twice_completes(policies in plans()) {
        let mut run = Run::new(&policies, Vec::new());
        run.succeed_twice();
        prop_assert_eq!(&run.history.fulfilment.phase, &Phase::Ended(End::Completed, None));
    }

    #[test]
    fn whichever_task_fails_nothing_is_left_behind(policies in plans()) {
        let roll_back =
            |policy: &Policy| Policy {
                on_failure: OnFailure::RollBack,
                point_of_no_return: false,
                undoes: false,
                ..policy.clone()
            };
        let policies: Vec<Policy> = policies.iter().map(roll_back).collect();
        for bad in 0..policies.len() {
            let mut run = Run::new(&policies, Vec::new());
            run.succeed_but(TaskId::at(bad));
            let state = &run.history.fulfilment;
            let is_whole = state.phase == Phase::Ended(End::Failed, Some(failure("person")));
            prop_assert!(is_whole || state.phase == Phase::Ended(End::Partial, None));
            prop_assert_eq!(is_whole, state.tasks.iter().all(TaskState::is_clear));
            for (index, task) in state.plan.tasks.iter().enumerate() {
                let is_delivered = task.item.map_or(!is_whole, |item| state.is_delivered(item));
                prop_assert_eq!(is_delivered, state.tasks[index].is_done());
                prop_assert_eq!(!is_delivered, state.tasks[index].is_clear());
            }
        }
    }

    #[test]
    fn a_pause_grows_with_the_attempts_and_is_as_long_as_the_element_wants(
        attempt in 1..40_u32,
        wanted in prop::option::of(0..100_000_u64),
    ) {
        let policy = Policy {
            needs: Vec::new(),
            attempts: u32::MAX,
            on_failure: OnFailure::Hold,
            point_of_no_return: false,
            not_before: None,
            lines: BTreeSet::new(),
            undoes: false,
        };
        let mut state = History::of_plan(named(&[policy])).fulfilment;
        state.tasks[0] = TaskState::Running { attempt };
        let failure = Failure { retry_after_ms: wanted, ..failure("retry") };
        let outcome = Outcome::Failed(failure);
        let events = state.conclude(TaskId(0), attempt, outcome, Vec::new(), Timestamp(0));
        let [Event::Retrying { at, .. }] = events.as_slice() else {
            return Err(TestCaseError::fail("it is made again"));
        };
        let whole = 1_000_u64.saturating_mul(1 << (attempt - 1)).min(3_000);
        let pause = at.ms_since(Timestamp(0));
        prop_assert!(pause >= (whole / 2).max(wanted.unwrap_or(0)));
        prop_assert!(pause <= whole.max(wanted.unwrap_or(0)));
    }
}
