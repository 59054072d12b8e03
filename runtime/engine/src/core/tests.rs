//! Each test is a script of what comes in, and what goes out after each line of it.

use std::fmt::Write as _;
use std::pin::Pin;

use model::plan::{OnFailure, Retry, Step as PlanStep, Task, Work};
use model::{
    Digest, Failure, FailureClass, Kind, Outcome, Plan, PluginId, Pool, PoolId, Record, SpecId,
    Values, Wait,
};
use serde_json::{Map, json};

use super::*;
use crate::store::{Memory, Store};
use crate::worker::{Call, Manner, Nature, Resolved};

/// Plays a script on the fulfilment `f`. Tasks come first: `task b needs a, external`; one that is
/// called `port` takes a value out of a pool. Then what comes in, a line each: `submit`, `done a`,
/// `fail a retry|reject`, `wait a`, `callback a`, `undone a`, `reopen`, `tick 50`, `restart`.
fn play(durability: Durability, script: &str) -> String {
    let mut stage = Stage::new(durability);
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        match line.strip_prefix("task ") {
            Some(task) => stage.task(task),
            None => stage.line(line),
        }
    }
    stage.log
}

struct Stage {
    core: Core<&'static str>,
    store: Memory,
    pools: Pools,
    durability: Durability,
    plan: Plan,
    now: Timestamp,
    log: String,
}

/// Plugins whose names say what they can do.
struct Plugins;

impl Worker for Plugins {
    fn resolve(&self, _plugin: &PluginId) -> Option<Resolved> {
        None
    }

    fn nature(&self, digest: &Digest) -> Option<Nature> {
        Some(if digest.as_str() == "pure" { Nature::Pure } else { Nature::External })
    }

    fn run(&self, _call: Call) -> Pin<Box<dyn Future<Output = Report> + Send>> {
        Box::pin(std::future::pending())
    }
}

impl Stage {
    fn new(durability: Durability) -> Self {
        let (store, now) = (Memory::new(), Timestamp(1_000));
        let pools = pools();
        let (core, _) =
            Core::recover(&store, Arc::new(Plugins), pools.clone(), durability, now).unwrap();
        let mut plan = Plan::default();
        for name in ["pure", "external"] {
            plan.plugins.insert(PluginId::new(name), Digest::new(name));
        }
        Self { core, store, pools, durability, plan, now, log: String::new() }
    }

    fn task(&mut self, line: &str) {
        let (line, plugin) = match line.split_once(", ") {
            Some((line, _)) => (line, "external"),
            None => (line, "pure"),
        };
        let (name, needs) = line.split_once(" needs ").unwrap_or((line, ""));
        let needs = needs.split(" and ").filter(|need| !need.is_empty());
        let needs = needs.map(|need| self.named(need)).collect();
        let step = u32::try_from(self.plan.steps.len()).unwrap();
        self.plan.tasks.push(Task { item: None, step, needs, not_before: None, work: Work::Do });
        self.plan.steps.push(PlanStep {
            workflow: "play".into(),
            step: name.into(),
            plugin: PluginId::new(plugin),
            input: Value::Null,
            timeout_ms: 1_000,
            retry: Retry { attempts: 2, first_ms: 1_000, max_ms: 1_000 },
            on_failure: OnFailure::Hold,
            undo: true,
            no_return: false,
        });
    }

    fn named(&self, name: &str) -> TaskId {
        TaskId::at(self.plan.steps.iter().position(|step| step.step == name).unwrap())
    }

    fn line(&mut self, line: &str) {
        writeln!(self.log, "{line}").unwrap();
        let words: Vec<&str> = line.split(' ').collect();
        let f = FulfilmentId::new("f");
        match *words.as_slice() {
            ["submit"] => self.submit("f"),
            ["submit", "again"] => self.submit("g"),
            ["done", name] => self.finished(name, Outcome::Done(Map::new()), false),
            ["fail", name, class] => {
                let retry = class == "retry";
                let class = if retry { FailureClass::Retry } else { FailureClass::Reject };
                let failure = Failure::new(class, "CODE", "as the script says");
                self.finished(name, Outcome::Failed(failure), false);
            }
            ["wait", name] => {
                let keys = vec![format!("f:{}", self.named(name))];
                self.finished(name, Outcome::Waiting(Wait { keys, timeout_ms: 5_000 }), false);
            }
            ["undone", name] => self.finished(name, Outcome::Done(Map::new()), true),
            ["callback", name] => {
                let key = format!("f:{}", self.named(name));
                self.input(Input::Callback { key, payload: json!({}), reply: "element" });
            }
            ["reopen"] => self.input(Input::Reopen { fulfilment: f, reply: "person" }),
            ["get"] => self.input(Input::Get { fulfilment: f, reply: "client" }),
            ["tick", ms] => {
                self.now = self.now.plus_ms(ms.parse().unwrap());
                let steps = self.core.wake(self.now);
                self.steps(steps);
            }
            ["restart"] => {
                self.pools = pools();
                let (worker, pools) = (Arc::new(Plugins), self.pools.clone());
                let (core, steps) =
                    Core::recover(&self.store, worker, pools, self.durability, self.now).unwrap();
                self.core = core;
                self.steps(steps);
            }
            _ => panic!("cannot read `{line}`"),
        }
    }

    fn submit(&mut self, id: &str) {
        let kind = Kind::Run { workflow: "play".into() };
        let id = FulfilmentId::new(id);
        let fulfilment = Box::new(Fulfilment::new(id, kind, json!({}), self.now));
        let events = vec![Event::Planned { plan: Arc::new(self.plan.clone()) }];
        let submission = Some("client-key".to_string());
        self.input(Input::Submit { fulfilment, events, submission, reply: "client" });
    }

    /// A call ends: the one that is the current attempt.
    fn finished(&mut self, name: &str, outcome: Outcome, undo: bool) {
        let task = self.named(name);
        let fulfilment = FulfilmentId::new("f");
        if name == "port" && !undo {
            self.pools.reserve(&fulfilment, task, &PoolId::new("ports"), "").unwrap();
        }
        let attempt = match self.core.fulfilments().next().map(|open| &open.tasks[task.index()]) {
            Some(TaskState::Running { attempt } | TaskState::CalledBack { attempt, .. }) => {
                *attempt
            }
            Some(TaskState::Retrying { attempt, .. }) if !undo => attempt + 1,
            _ => 1,
        };
        let report = Report { outcome, log: Vec::new() };
        self.input(Input::Finished { fulfilment, task, attempt, report });
    }

    fn input(&mut self, input: Input<&'static str>) {
        let step = self.core.handle(self.now, input);
        self.steps(vec![step]);
    }

    fn steps(&mut self, steps: Vec<Step<&'static str>>) {
        for step in steps {
            for call in &step.now {
                self.say("now call", &called(call));
            }
            for document in &step.commit.documents {
                self.say(&format!("write d/{}/{}", document.resource, document.id), "");
            }
            let (batch, then) = step.commit.split(self.core.epoch());
            for (key, value) in batch.iter().flat_map(|batch| &batch.writes) {
                let key = std::str::from_utf8(key).unwrap();
                match value {
                    Some(bytes) if key.starts_with("j/") => {
                        let record = Record::decode(bytes).unwrap();
                        let names: Vec<&str> = record.events.iter().map(Event::name).collect();
                        self.say(&format!("write {key}"), &names.join(", "));
                    }
                    Some(_) => self.say(&format!("write {key}"), ""),
                    None => self.say(&format!("remove {key}"), ""),
                }
            }
            if let Some(batch) = batch {
                drop(self.store.append(batch));
            }
            for after in then {
                match after {
                    After::Run(call) => self.say("then call", &called(&call)),
                    After::Reply(asker, Answer::Fulfilment(Some(fulfilment))) => {
                        self.say(&format!("then tell {asker}"), fulfilment.phase.name());
                    }
                    After::Reply(asker, Answer::Submitted(id)) => {
                        self.say(&format!("then tell {asker}"), &format!("of {id}"));
                    }
                    After::Reply(asker, answer) => {
                        self.say(&format!("then tell {asker}"), &format!("{answer:?}"));
                    }
                    After::Publish(_) => {}
                }
            }
        }
    }

    fn say(&mut self, what: &str, of: &str) {
        writeln!(self.log, "{}", format!("    {what} {of}").trim_end()).unwrap();
    }
}

fn called(call: &Call) -> String {
    let manner = match &call.manner {
        Manner::Run => "run",
        Manner::Recover => "recover",
        Manner::Resume { .. } => "resume",
        Manner::Undo { .. } => "undo",
        Manner::Restore => "restore",
    };
    let name = call.name.trim_start_matches("play.");
    format!("{manner} {name} #{} by {}", call.attempt, call.idempotency_key)
}

fn pools() -> Pools {
    let pools = Pools::default();
    pools.define(Pool {
        id: PoolId::new("ports"),
        resource: SpecId::new("RS-PORT"),
        characteristic: "port".into(),
        values: Values::pattern("{1..3}").unwrap(),
    });
    pools
}

const SCRIPT: &str = "
    task check
    task rate needs check
    task olt needs rate, external
    submit
    done check
    done rate
    done olt
";

#[test]
fn pure_tasks_share_a_commit() {
    insta::assert_snapshot!(play(Durability::Shared, SCRIPT), @r"
    submit
        now call run check #1 by f:0
        write k/client-key
        write j/f/00000000 submitted, planned
        write o/f
        then tell client running
    done check
        now call run rate #1 by f:1
    done rate
        write j/f/00000001 succeeded, succeeded, started
        then call run olt #1 by f:2
    done olt
        write j/f/00000002 succeeded, ended
        remove o/f
    ");
}

#[test]
fn each_step_can_be_on_disk_before_the_next() {
    insta::assert_snapshot!(play(Durability::EachStep, SCRIPT), @r"
    submit
        write k/client-key
        write j/f/00000000 submitted, planned
        write o/f
        then tell client running
        then call run check #1 by f:0
    done check
        write j/f/00000001 succeeded
        then call run rate #1 by f:1
    done rate
        write j/f/00000002 succeeded, started
        then call run olt #1 by f:2
    done olt
        write j/f/00000003 succeeded, ended
        remove o/f
    ");
}

#[test]
fn what_runs_beside_an_element_shares_its_commit_unless_someone_looks() {
    insta::assert_snapshot!(play(Durability::Shared, "
        task olt, external
        task check
        submit
        done check
        get
        done olt
    "), @r"
    submit
        now call run check #1 by f:1
        write k/client-key
        write j/f/00000000 submitted, planned, started
        write o/f
        then tell client running
        then call run olt #1 by f:0
    done check
    get
        write j/f/00000001 succeeded
        then tell client running
    done olt
        write j/f/00000002 succeeded, ended
        remove o/f
    ");
}

#[test]
fn what_was_done_is_undone_in_reverse_and_what_it_held_is_free() {
    insta::assert_snapshot!(play(Durability::Shared, "
        task port
        task olt needs port, external
        task cpe needs olt, external
        submit
        done port
        done olt
        fail cpe reject
        undone cpe
        undone olt
    "), @r"
    submit
        now call run port #1 by f:0
        write k/client-key
        write j/f/00000000 submitted, planned
        write o/f
        then tell client running
    done port
        write h/ports/000000000000
        write j/f/00000001 succeeded, started
        then call run olt #1 by f:1
    done olt
        write j/f/00000002 succeeded, started
        then call run cpe #1 by f:2
    fail cpe reject
        write j/f/00000003 failed, unwinding
        then call undo cpe #1 by f:2
    undone cpe
        write j/f/00000004 undone
        then call undo olt #1 by f:1
    undone olt
        write d/resource/ports.1
        remove h/ports/000000000000
        write j/f/00000005 undone, undone, ended
        remove o/f
    ");
}

#[test]
fn what_failed_is_tried_again_by_time_and_by_a_person() {
    insta::assert_snapshot!(play(Durability::Shared, "
        task olt, external
        task cpe needs olt, external
        submit
        fail olt retry
        tick 1000
        fail olt retry
        reopen
    "), @r"
    submit
        write k/client-key
        write j/f/00000000 submitted, planned, started
        write o/f
        then tell client running
        then call run olt #1 by f:0
    fail olt retry
        write j/f/00000001 retrying
    tick 1000
        write j/f/00000002 started
        then call recover olt #2 by f:0
    fail olt retry
        write j/f/00000003 failed
    reopen
        write j/f/00000004 reopened, started
        then tell person Reopened(Some(1))
        then call recover olt #3 by f:0
    ");
}

#[test]
fn an_answer_may_come_before_anyone_waits_and_twice() {
    insta::assert_snapshot!(play(Durability::Shared, "
        task olt, external
        submit
        callback olt
        wait olt
        callback olt
        done olt
        callback olt
    "), @r"
    submit
        write k/client-key
        write j/f/00000000 submitted, planned, started
        write o/f
        then tell client running
        then call run olt #1 by f:0
    callback olt
        write c/f:0
        then tell element Callback(Kept)
    wait olt
        remove c/f:0
        write j/f/00000001 waiting, calledBack
        then call resume olt #1 by f:0
    callback olt
        write c/f:0
        then tell element Callback(Kept)
    done olt
        write j/f/00000002 succeeded, ended
        remove o/f
        remove c/f:0
    callback olt
        then tell element Callback(Ignored)
    ");
}

#[test]
fn an_answer_that_does_not_come_has_the_element_asked_again() {
    insta::assert_snapshot!(play(Durability::Shared, "
        task olt, external
        submit
        wait olt
        restart
        tick 5000
        tick 1000
    "), @r"
    submit
        write k/client-key
        write j/f/00000000 submitted, planned, started
        write o/f
        then tell client running
        then call run olt #1 by f:0
    wait olt
        write j/f/00000001 waiting
    restart
    tick 5000
        write j/f/00000002 retrying
    tick 1000
        write j/f/00000003 started
        then call recover olt #2 by f:0
    ");
}

#[test]
fn a_second_submission_under_one_key_is_told_of_the_first() {
    insta::assert_snapshot!(play(Durability::Shared, "
        task olt, external
        submit
        submit again
    "), @r"
    submit
        write k/client-key
        write j/f/00000000 submitted, planned, started
        write o/f
        then tell client running
        then call run olt #1 by f:0
    submit again
        then tell client of f
    ");
}

#[test]
fn after_a_restart_what_was_begun_is_recovered_and_what_was_not_is_run() {
    insta::assert_snapshot!(play(Durability::Shared, "
        task olt, external
        task check
        task cpe needs olt, external
        submit
        done check
        restart
        done olt
        restart
    "), @r"
    submit
        now call run check #1 by f:1
        write k/client-key
        write j/f/00000000 submitted, planned, started
        write o/f
        then tell client running
        then call run olt #1 by f:0
    done check
    restart
        now call run check #1 by f:1
        then call recover olt #1 by f:0
    done olt
        write j/f/00000001 succeeded, started
        then call run cpe #1 by f:2
    restart
        now call run check #1 by f:1
        then call recover cpe #1 by f:2
    ");
}
