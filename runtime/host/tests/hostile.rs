//! Plugins that mean harm, each with what becomes of its call or its installation.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::time::{Duration, Instant};

use host::InstallError;
use host::compile::{CompileLimits, Setting};
use model::{BOUNDS, FailureClass, Outcome};
use serde_json::{Value, json};

use support::{Bench, READS, failed, grants, guest, outputs, with_world};

#[path = "support/bombs.rs"]
mod bombs;
mod support;

const TIGHT: &str = "limits = { cpu-ms = 60, memory-mib = 8, wall-ms = 5000 }";

/// A call that is stopped is stopped within this, whatever the machine does beside.
const SOON: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn loops_in_the_guest_and_in_calls_of_the_host_are_stopped() {
    let (bench, installed) = Bench::misbehave(TIGHT).await;
    for behaviour in ["loop", "loop-log", "loop-config", "loop-print"] {
        let began = Instant::now();
        let report = bench.run(&installed.digest, json!({ "do": behaviour })).await;
        assert_eq!(failed(&report).code.as_str(), "PLUGIN_CPU", "{behaviour}");
        assert!(began.elapsed() < SOON, "{behaviour}");
        let log: usize = report.log.iter().map(String::len).sum();
        assert!(log <= 65 * 1024, "{behaviour}: {log} bytes of log");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_loop_before_the_call_is_stopped() {
    let bench = Bench::new(grants("starter", TIGHT));
    let bytes = with_world(&guest("starter"), "starter", "validator", "");
    let installed = bench.host.install(bytes).await.unwrap();
    let report = bench.run(&installed.digest, json!({})).await;
    assert_eq!(failed(&report).code.as_str(), "PLUGIN_CPU");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recursion_ends_with_the_stack() {
    let (bench, installed) = Bench::misbehave(TIGHT).await;
    let report = bench.run(&installed.digest, json!({ "do": "recurse" })).await;
    assert_eq!(failed(&report).code.as_str(), "PLUGIN_TRAPPED");
}

/// S1: what is written must be readable again.
#[tokio::test]
async fn outputs_that_are_deep_or_large_are_refused_with_the_limit() {
    let (bench, installed) = Bench::misbehave("").await;
    for (input, said) in [
        (json!({ "do": "deep", "count": 32 }), "33 levels, the limit is 32"),
        (json!({ "do": "deep", "count": 124 }), "125 levels, the limit is 32"),
        (json!({ "do": "deep", "count": 100_000 }), "100001 levels, the limit is 32"),
        (json!({ "do": "huge", "count": 300_000 }), "300000 bytes, the limit is 262144"),
        (json!({ "do": "huge", "count": 3_000_000 }), "more than 2048 KiB in one piece"),
        (json!({ "do": "values", "count": 12_000 }), "the limit is 20000"),
    ] {
        let report = bench.run(&installed.digest, input.clone()).await;
        assert_eq!(failed(&report).code.as_str(), "PLUGIN_ANSWER", "{input}");
        assert_eq!(failed(&report).class, FailureClass::Operator, "{input}");
        assert!(failed(&report).message.contains(said), "{input}: {}", failed(&report).message);
    }
    let report = bench.run(&installed.digest, json!({ "do": "deep", "count": 31 })).await;
    assert_eq!(model::bounds::depth(&outputs(&report)), 32);
}

/// S11: codes, messages and logs of failures are cut.
#[tokio::test]
async fn failures_and_logs_are_cut() {
    let (bench, installed) = Bench::misbehave("").await;
    let input = json!({ "do": "long-failure", "count": 200_000 });
    let report = bench.run(&installed.digest, input).await;
    let failure = failed(&report);
    assert!(
        failure.code.as_str().len() <= BOUNDS.code_bytes_max,
        "{}",
        failure.code.as_str().len()
    );
    assert!(failure.message.len() <= BOUNDS.message_bytes_max, "{}", failure.message.len());
    assert!(!failure.message.contains('\u{1b}'));
    assert!(failure.retry_after_ms.unwrap() <= BOUNDS.retry_after_ms_max);
    assert!(report.log.iter().map(String::len).sum::<usize>() <= 65 * 1024);
    let report =
        bench.run(&installed.digest, json!({ "do": "long-log", "count": 3_000_000 })).await;
    assert!(report.log.iter().map(String::len).sum::<usize>() <= 65 * 1024);
    let report = bench.run(&installed.digest, json!({ "do": "many-keys", "count": 33 })).await;
    assert_eq!(failed(&report).code.as_str(), "PLUGIN_ANSWER");
}

/// A key of another is not refused here: the engine knows who waits under it.
#[tokio::test]
async fn a_key_of_another_reaches_the_engine_as_it_is() {
    let (bench, installed) = Bench::misbehave("").await;
    let report = bench.run(&installed.digest, json!({ "do": "wait", "keys": ["F-9:1"] })).await;
    let Outcome::Waiting(wait) = &report.outcome else { panic!("{report:?}") };
    assert_eq!(wait.keys, ["F-9:1"]);
}

/// S18: settings reach guests in clear, and nothing else.
#[tokio::test]
async fn settings_are_masked_wherever_a_guest_shows_them() {
    const SECRET: &str = "hunter\\\"2/zwölf";
    let config = format!("[config]\ntoken = {}", toml_text(SECRET));
    let (bench, installed) = Bench::misbehave(&config).await;
    for place in ["outputs", "failure", "key", "trap"] {
        let input = json!({ "do": "show", "name": "token", "where": place });
        let report = bench.run(&installed.digest, input).await;
        let shown = format!("{:?}\n{}", report.outcome, report.log.join("\n"));
        assert!(!shown.contains("zw") && !shown.contains("hunter"), "{place}: {shown}");
        match place {
            "outputs" => assert_eq!(outputs(&report)["it"], "[setting token]"),
            "failure" => assert_eq!(failed(&report).code.as_str(), "E_[setting token]"),
            "key" => assert_eq!(failed(&report).code.as_str(), "PLUGIN_SHOWS_SETTING"),
            _ => assert_eq!(failed(&report).code.as_str(), "PLUGIN_TRAPPED"),
        }
    }
}

/// Names of reservations are kept in the journal as they are.
#[tokio::test]
async fn a_reservation_under_a_setting_or_a_long_name_is_refused() {
    let config = format!("{READS}config = {{ token = \"s3cr3t-value\" }}");
    let bench = Bench::new(grants("alloc", &config));
    bench.pools.define(support::pool("test-vlan", 9));
    let bytes = with_world(&guest("misbehave"), "alloc", "allocator", "");
    let installed = bench.host.install(bytes).await.unwrap();
    for (name, code) in
        [("x-s3cr3t-value".to_owned(), "PLUGIN_SHOWS_SETTING"), ("x".repeat(257), "NAME_TOO_LONG")]
    {
        let report = bench.run(&installed.digest, json!({ name: "test-vlan" })).await;
        assert_eq!(failed(&report).code.as_str(), code);
    }
    assert_eq!(bench.pools.finish(&model::FulfilmentId::new("F-1"), model::TaskId(3)).len(), 0);
}

fn toml_text(text: &str) -> String {
    // JSON escapes what TOML does.
    Value::from(text).to_string()
}

fn limits(memory_mib: u32, cpu_s: u32, wall_s: u32) -> CompileLimits {
    CompileLimits { compile_memory_mib: memory_mib, compile_cpu_s: cpu_s, compile_wall_s: wall_s }
}

async fn refused(bench: &Bench, bytes: &[u8]) -> InstallError {
    bench.host.install(bytes.to_vec()).await.unwrap_err()
}

/// S5: what compiling takes is bounded, whatever the bytes are.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_compile_bomb_is_stopped_at_each_limit_and_remembered() {
    let bomb = bombs::with_module(&guest("pure"), &bombs::compile_bomb());
    let bomb = with_world(&bomb, "pure", "validator", "");
    for (limits, setting, key) in [
        (limits(8_000, 1, 120), Setting::Cpu, "compile-cpu-s"),
        (limits(300, 60, 120), Setting::Memory, "compile-memory-mib"),
        (limits(8_000, 60, 1), Setting::Wall, "compile-wall-s"),
    ] {
        let bench = Bench::with([].into(), |options| options.compile_limits = limits);
        let began = Instant::now();
        let error = refused(&bench, &bomb).await;
        assert!(began.elapsed() < SOON, "{error}");
        let InstallError::CompileLimit { setting: found, memory, .. } = &error else {
            panic!("{error}: {error:?}")
        };
        assert_eq!(*found, setting, "{error}");
        assert!(error.to_string().contains(key), "{error}");
        // It is remembered: the second time it costs nothing.
        let began = Instant::now();
        assert_eq!(refused(&bench, &bomb).await.to_string(), error.to_string());
        assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
        assert!(memory.exists());
        // Others are taken in all the same.
        let other = with_world(&guest("pure"), "other", "validator", "");
        if setting == Setting::Memory {
            bench.host.install(other).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_compiler_that_is_given_up_ends() {
    let bomb = bombs::with_module(&guest("pure"), &bombs::compile_bomb());
    let bomb = with_world(&bomb, "pure", "validator", "");
    let bench = Bench::with([].into(), |options| options.compile_limits = limits(8_000, 60, 60));
    let installing = tokio::time::timeout(Duration::from_millis(500), bench.host.install(bomb));
    assert!(installing.await.is_err(), "the bomb is none");
    // The next turn comes at once.
    let other = with_world(&guest("pure"), "other", "validator", "");
    tokio::time::timeout(SOON, bench.host.install(other)).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_compiler_that_cannot_be_run_refuses_nothing_for_good() {
    let bench = Bench::with([].into(), |options| options.compiler.path = "/nonexistent".into());
    let bytes = with_world(&guest("pure"), "pure", "validator", "");
    let error = refused(&bench, &bytes).await;
    assert!(matches!(error, InstallError::Compiler(_)) && error.is_passing(), "{error}");
}

/// A file that is cut off or changed anywhere is refused or loaded: no panic, no hang, no abort.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damaged_files_are_refused_or_taken_in() {
    let whole = with_world(&guest("pure"), "pure", "validator", "");
    let bench = Bench::new([].into());
    let mut dice = bombs::Dice(7);
    for round in 0..60 {
        let mut bytes = whole.clone();
        if round % 3 == 0 {
            bytes.truncate(dice.below(whole.len()));
        }
        for _ in 0..dice.below(8) {
            let (at, bit) = (dice.below(bytes.len().max(1)), dice.below(8));
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << bit;
            }
        }
        let installed = tokio::time::timeout(SOON, bench.host.install(bytes)).await.unwrap();
        if let Ok(installed) = installed {
            // What still compiles may do anything but harm.
            let running = bench.run(&installed.digest, json!({ "order": {} }));
            tokio::time::timeout(SOON, running).await.unwrap();
        }
    }
    bench.host.install(whole).await.unwrap();
}

/// S2: a component may have no more memories, tables and instances than its share of the pool.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_memories_tables_and_instances_do_not_harm_others() {
    let bench = Bench::new(grants("misbehave", READS));
    let neighbour = with_world(&guest("misbehave"), "misbehave", "step", "");
    let neighbour = bench.host.install(neighbour).await.unwrap();
    let module = wat::parse_str("(module (memory 1) (table 100 funcref))").unwrap();
    for count in [4, 16, 80] {
        let mut bytes = guest("pure");
        for _ in 0..count {
            bytes = bombs::with_module(&bytes, &module);
        }
        let bytes = with_world(&bytes, &format!("many-{count}"), "validator", "");
        let Ok(many) = bench.host.install(bytes).await else { continue };
        let calls = (0..32).map(|_| bench.run(&many.digest, json!({ "order": {} })));
        let calls = futures_util::future::join_all(calls);
        let own = async {
            for _ in 0..10 {
                outputs(&bench.run(&neighbour.digest, json!({ "do": "environment" })).await);
            }
        };
        tokio::time::timeout(SOON, async { tokio::join!(calls, own) }).await.unwrap();
    }
}
