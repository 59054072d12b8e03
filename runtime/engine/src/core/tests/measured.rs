//! What is kept of what a worker measured.

use serde_json::Map;

use super::super::*;
use super::stage::Stage;
use crate::limits::EXCHANGES_BYTES_MAX;
use crate::store::{Fact, Scan, Store as _};
use crate::telemetry::{Exchange, Exchanges, Figures, Message};

fn exchange(url: String) -> Exchange {
    Exchange {
        after_us: 0,
        took_us: 1,
        method: "GET".into(),
        url,
        request: Message::default(),
        status: None,
        answer: None,
        failure: Some("ConnectionRefused".into()),
    }
}

fn report(operation: &str, kept: Vec<Exchange>) -> Report {
    let figures = Figures { operation: operation.into(), took_us: 7, ..Figures::default() };
    let telemetry =
        Telemetry { figures, exchanges: Exchanges { kept, dropped: 0 }, sent: Vec::new() };
    let report = Report::new(Outcome::Done(Map::new()), Vec::new());
    Report { telemetry: Some(telemetry), ..report }
}

fn facts(stage: &Stage, prefix: Vec<u8>) -> Vec<Fact> {
    stage.store.scan(&Scan::prefix(prefix, 9)).unwrap()
}

fn id() -> FulfilmentId {
    FulfilmentId::new("f")
}

#[test]
fn figures_of_tasks_that_share_a_commit_are_one_short_fact() {
    let mut stage = Stage::new(Durability::Shared);
    stage.task("check");
    stage.task("rate needs check");
    stage.task("olt needs rate, external");
    stage.line("submit");
    stage.reported("check", 1, report("run", Vec::new()));
    assert!(facts(&stage, keys::telemetries(&id())).is_empty(), "it waits for the commit");
    stage.now = stage.now.plus_ms(5);
    stage.reported("rate", 1, report("run", Vec::new()));
    let kept = facts(&stage, keys::telemetries(&id()));
    assert_eq!(kept.len(), 1);
    let (key, bytes) = &kept[0];
    assert_eq!(String::from_utf8_lossy(key), "m/f/000000003e8000.0.1");
    let whole = r#"[[4096000,0,1,"d","run",7,0,0],[20480,1,1,"d","run",7,0,0]]"#;
    assert_eq!(String::from_utf8_lossy(bytes), whole);
    let read = Attempt::read(bytes).unwrap();
    let ended = |attempt: &Attempt| (attempt.at.at().0, attempt.task);
    assert_eq!(
        read.iter().map(ended).collect::<Vec<_>>(),
        [(1_000, TaskId(0)), (1_005, TaskId(1))]
    );
    assert!(facts(&stage, keys::all_exchanges(&id())).is_empty(), "there were none");
}

#[test]
fn exchanges_are_kept_with_the_outcome_and_no_more_than_fit() {
    let mut stage = Stage::new(Durability::Shared);
    stage.task("olt, external");
    stage.line("submit");
    let long = || exchange("u".repeat(EXCHANGES_BYTES_MAX / 2 - 100));
    stage.reported("olt", 1, report("run", vec![long(), long(), long()]));
    let kept = facts(&stage, keys::all_exchanges(&id()));
    let read: Exchanges = serde_json::from_slice(&kept[0].1).unwrap();
    assert_eq!((kept.len(), read.kept.len(), read.dropped), (1, 2, 1));
    assert_eq!(read.kept[0], long());
    let attempt = &Attempt::read(&facts(&stage, keys::telemetries(&id()))[0].1).unwrap()[0];
    assert_eq!(attempt.exchanges(&id()), kept[0].0, "the figures lead to the exchanges");
    // A call that ends after its fulfilment is not kept.
    stage.reported("olt", 1, report("run", vec![long()]));
    assert_eq!(facts(&stage, keys::all_exchanges(&id())).len(), 1);
}

/// The clock of the stage stands still.
#[test]
fn calls_of_one_attempt_in_one_millisecond_are_all_kept() {
    let mut stage = Stage::new(Durability::Shared);
    stage.task("olt, external");
    stage.line("submit");
    for operation in ["run", "resume", "resume"] {
        let wait = model::Wait { keys: vec!["f:0".into()], timeout_ms: 5_000 };
        let kept = vec![exchange(operation.into())];
        let report = Report { outcome: Outcome::Waiting(wait), ..report(operation, kept) };
        stage.reported("olt", 1, Report { log: vec![operation.into()], ..report });
        stage.line("callback olt");
    }
    let figures = facts(&stage, keys::telemetries(&id()));
    let attempts: Vec<Attempt> =
        figures.iter().flat_map(|(_, bytes)| Attempt::read(bytes).unwrap()).collect();
    assert_eq!(attempts.len(), 3);
    for (attempt, operation) in attempts.iter().zip(["run", "resume", "resume"]) {
        assert_eq!(attempt.figures.operation, operation);
        let log = stage.store.get(&attempt.log(&id())).unwrap().unwrap();
        assert_eq!(String::from_utf8(log).unwrap(), format!("[{operation:?}]"));
        let bytes = stage.store.get(&attempt.exchanges(&id())).unwrap().unwrap();
        let exchanges: Exchanges = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(exchanges.kept[0].url, operation);
    }
}

#[test]
fn an_answer_that_the_engine_refuses_is_kept_as_a_failure() {
    let mut stage = Stage::new(Durability::Shared);
    stage.task("first, external");
    stage.task("second, external");
    stage.line("submit");
    for name in ["first", "second"] {
        let wait = model::Wait { keys: vec!["one".into()], timeout_ms: 5_000 };
        let report = Report { outcome: Outcome::Waiting(wait), ..report("run", Vec::new()) };
        stage.reported(name, 1, report);
    }
    let endings = facts(&stage, keys::telemetries(&id()))
        .iter()
        .map(|(_, bytes)| Attempt::read(bytes).unwrap()[0].ending.clone())
        .collect::<Vec<_>>();
    assert_eq!(endings, [Ending::Waiting, Ending::Failed("CALLBACK_KEY_TAKEN".into())]);
}
