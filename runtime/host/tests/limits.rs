//! What a plugin that misbehaves can do: fail its own task, and nothing else.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::time::{Duration, Instant};

use engine::worker::{Operation, Worker};
use host::Host;
use model::FailureClass;
use serde_json::json;

use support::{Bench, call, failed, outputs};

mod support;

const TIGHT: &str = "limits = { cpu-ms = 60, memory-mib = 8, wall-ms = 5000 }";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_loop_is_stopped_when_its_processor_time_is_spent() {
    let (bench, installed) = Bench::misbehave(TIGHT).await;
    let report = bench.run(&installed.digest, json!({ "do": "loop" })).await;
    assert_eq!(failed(&report).code.as_str(), "PLUGIN_CPU");
    assert_eq!(failed(&report).class, FailureClass::Operator);
    // The next call is not the worse for it.
    let report = bench.run(&installed.digest, json!({ "do": "log", "count": 1 })).await;
    assert_eq!(report.log, ["info: line 0"]);
}

#[tokio::test]
async fn a_loop_lets_others_have_the_thread() {
    let (bench, installed) = Bench::misbehave("limits = { cpu-ms = 500 }").await;
    let looping = bench.run(&installed.digest, json!({ "do": "loop" }));
    let others = async {
        let mut turns = 0;
        loop {
            bench.run(&installed.digest, json!({ "do": "environment" })).await;
            turns += 1;
            tokio::task::yield_now().await;
            if turns == 5 {
                return turns;
            }
        }
    };
    tokio::pin!(looping);
    // On a single thread the others finish although the loop is still running.
    tokio::select! {
        report = &mut looping => panic!("the loop ended first: {report:?}"),
        turns = others => assert_eq!(turns, 5),
    }
    assert_eq!(failed(&looping.await).code.as_str(), "PLUGIN_CPU");
}

#[tokio::test]
async fn memory_is_limited() {
    let (bench, installed) = Bench::misbehave(TIGHT).await;
    let report = bench.run(&installed.digest, json!({ "do": "eat" })).await;
    assert_eq!(failed(&report).code.as_str(), "PLUGIN_MEMORY");
    assert_eq!(failed(&report).class, FailureClass::Operator);
}

#[tokio::test]
async fn a_plugin_that_sleeps_is_stopped_when_its_time_is_up() {
    let (bench, installed) = Bench::misbehave("limits = { wall-ms = 100 }").await;
    let began = Instant::now();
    let report = bench.run(&installed.digest, json!({ "do": "sleep", "count": 60_000 })).await;
    assert_eq!(failed(&report).code.as_str(), "PLUGIN_TIMEOUT");
    assert_eq!(failed(&report).class, FailureClass::Retry);
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn a_step_that_allows_less_time_than_the_plugin_has_is_obeyed() {
    let (bench, installed) = Bench::misbehave("").await;
    let mut call =
        call(&installed.digest, Operation::Run, json!({ "do": "sleep", "count": 60_000 }));
    call.timeout_ms = 50;
    assert_eq!(failed(&bench.host.run(call).await).code.as_str(), "PLUGIN_TIMEOUT");
}

#[tokio::test]
async fn a_trap_is_reported_with_the_last_log_lines_of_the_plugin() {
    let (bench, installed) = Bench::misbehave("").await;
    let report = bench.run(&installed.digest, json!({ "do": "trap" })).await;
    let failure = failed(&report);
    assert_eq!(failure.code.as_str(), "PLUGIN_TRAPPED");
    assert_eq!(failure.class, FailureClass::Operator);
    assert!(failure.message.contains("no port left on olt-1"), "{}", failure.message);
    assert!(report.log.iter().any(|line| line.starts_with("stderr: ")), "{:?}", report.log);
    let report = bench.run(&installed.digest, json!({ "do": "exit" })).await;
    assert_eq!(failed(&report).code.as_str(), "PLUGIN_TRAPPED");
}

#[tokio::test]
async fn the_log_is_capped() {
    let (bench, installed) = Bench::misbehave("").await;
    for what in ["log", "print"] {
        let report = bench.run(&installed.digest, json!({ "do": what, "count": 20_000 })).await;
        outputs(&report);
        let bytes: usize = report.log.iter().map(String::len).sum();
        assert!(bytes < 65 * 1024, "{bytes}");
        assert!(report.log.last().unwrap().starts_with("host: dropped "), "{what}");
    }
}

#[tokio::test]
async fn an_answer_that_is_too_long_is_refused() {
    let (bench, installed) = Bench::misbehave("").await;
    let report = bench.run(&installed.digest, json!({ "do": "huge", "count": 5 << 20 })).await;
    assert_eq!(failed(&report).code.as_str(), "PLUGIN_ANSWER");
    assert!(failed(&report).message.contains("2048 KiB"), "{}", failed(&report).message);
}

#[tokio::test]
async fn an_answer_that_is_not_json_is_refused() {
    let (bench, installed) = Bench::misbehave("").await;
    for text in ["", "{", "[]", "7", "{\"a\":NaN}"] {
        let report = bench.run(&installed.digest, json!({ "do": "text", "text": text })).await;
        assert_eq!(failed(&report).code.as_str(), "PLUGIN_ANSWER", "{text}");
    }
    for keys in [json!([]), json!([""]), json!(vec!["k"; 100])] {
        let report = bench.run(&installed.digest, json!({ "do": "wait", "keys": keys })).await;
        assert_eq!(failed(&report).code.as_str(), "PLUGIN_ANSWER");
    }
}

#[tokio::test]
async fn there_are_no_files_no_sockets_and_no_environment() {
    let (bench, installed) = Bench::misbehave("").await;
    for what in ["files", "socket"] {
        let report = bench.run(&installed.digest, json!({ "do": what })).await;
        assert!(outputs(&report)["error"].is_string(), "{what}: {report:?}");
    }
    let report = bench.run(&installed.digest, json!({ "do": "environment" })).await;
    assert_eq!(outputs(&report), json!({ "count": 0 }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_calls_than_a_plugin_may_have_wait_for_their_turn() {
    let (bench, installed) = Bench::misbehave("limits = { concurrency = 1, wall-ms = 300 }").await;
    let sleep = call(&installed.digest, Operation::Run, json!({ "do": "sleep", "count": 60_000 }));
    let first = bench.host.run(sleep.clone());
    let second = bench.host.run(sleep);
    let (first, second) = tokio::join!(first, second);
    let mut codes = [failed(&first).code.as_str(), failed(&second).code.as_str()];
    codes.sort_unstable();
    // The one that waited had the same end of its time, so it never ran or hardly did.
    assert!(codes.contains(&"PLUGIN_TIMEOUT"), "{codes:?}");
    assert!(codes.iter().all(|code| matches!(*code, "PLUGIN_TIMEOUT" | "PLUGIN_BUSY")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_calls_at_one_time_share_a_small_pool() {
    let (bench, installed) = Bench::misbehave("").await;
    let one = |host: Host, n: u32| {
        let input = json!({ "do": "text", "text": format!("{{\"n\":{n}}}") });
        let call = call(&installed.digest, Operation::Run, input);
        tokio::spawn(async move { host.run(call).await })
    };
    let running: Vec<_> = (0..200).map(|n| one(bench.host.clone(), n)).collect();
    for (n, report) in running.into_iter().enumerate() {
        assert_eq!(outputs(&report.await.unwrap()), json!({ "n": n }));
    }
}
