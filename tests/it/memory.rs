//! Clients that want too much: the memory of the server stays within what its settings say, others
//! are answered all the while, and those who are refused are told when to come back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::{JoinHandle, JoinSet};

use crate::world::{Answer, Http, Request, Settings, World};

const MIB: u64 = 1 << 20;

/// What is set: see `[limits]`.
const BODIES_MIB: u64 = 64;
const CALLBACKS_MIB: u64 = 8;
const ORDERS_MIB: u64 = 32;

/// What the store may keep in memory besides.
const STORE_MIB: u64 = 8;

/// The ratio of a document's size in memory to its bytes, with the slack of an allocator.
const FACTOR: u64 = 6;

/// Health is answered in this time, on a machine that is busy with tests.
const HEALTH: Duration = Duration::from_secs(2);

/// A world with a line of `[limits]`.
async fn limited(line: &str) -> World {
    World::with(Settings { tail: format!("[limits]\n{line}\n"), ..Settings::default() }).await
}

/// Looks at the health and the memory of a server until it is told to stop.
struct Watch {
    stop: Arc<AtomicBool>,
    watching: JoinHandle<Duration>,
}

impl Watch {
    fn begin(http: &Http) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (http, stopped) = (http.clone(), Arc::clone(&stop));
        let watching = tokio::spawn(async move {
            let mut longest = Duration::ZERO;
            while !stopped.load(Ordering::Relaxed) {
                let began = Instant::now();
                let answer = http.ask(&Request::get("/healthz")).await.expect("health is answered");
                assert_eq!(answer.status, 200, "{}", answer.text);
                longest = longest.max(began.elapsed());
                tokio::task::yield_now().await;
            }
            longest
        });
        Self { stop, watching }
    }

    async fn end(self) {
        self.stop.store(true, Ordering::Relaxed);
        let longest = self.watching.await.unwrap();
        assert!(longest < HEALTH, "health took {longest:?}");
    }
}

/// Memory grew by no more than what a budget allows.
fn check_growth(world: &World, before: u64, budget_mib: u64, what: &str) {
    let grown = world.process().memory().saturating_sub(before) / MIB;
    let allowed = budget_mib * FACTOR;
    assert!(grown <= allowed, "{what} took {grown} MiB, and may take {allowed}");
}

fn check_refusal(answer: &Answer, setting: &str) {
    assert!(matches!(answer.status, 429 | 503), "{}: {}", answer.status, answer.text);
    let after = answer.headers.get("retry-after").and_then(|after| after.to_str().ok());
    let seconds = after.and_then(|after| after.parse::<u64>().ok());
    assert!(seconds.is_some_and(|seconds| seconds > 0), "{after:?}: {}", answer.text);
    assert!(answer.text.contains(setting), "it does not name `{setting}`: {}", answer.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_never_end_take_no_more_than_their_budget() {
    const CLIENTS: usize = 100;
    const BYTES: usize = 9 << 20;
    let world = limited(&format!("bodies-mib = {BODIES_MIB}")).await;
    let before = world.process().memory();
    let watch = Watch::begin(&world.http);
    let host = world.http.base.strip_prefix("http://").unwrap().to_string();
    let path = tmf::table::path("individual");
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        let (host, path) = (host.clone(), path.to_string());
        clients.spawn(async move {
            let mut stream = TcpStream::connect(&host).await.unwrap();
            let head = format!(
                "POST {path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n\
                 content-length: {}\r\n\r\n[\"",
                BYTES + 1_000
            );
            stream.write_all(head.as_bytes()).await.unwrap();
            let piece = vec![b'x'; 64 << 10];
            let (mut sent, mut answer) = (0, Vec::new());
            let (mut reader, mut writer) = stream.into_split();
            // The client sends as fast as the server reads, and reads the answers meanwhile.
            let sending = async {
                while sent < BYTES && writer.write_all(&piece).await.is_ok() {
                    sent += piece.len();
                }
            };
            let hearing = async {
                reader.read_to_end(&mut answer).await.ok();
            };
            tokio::select! {
                () = sending => {}
                () = hearing => {}
            }
            (reader, writer, String::from_utf8_lossy(&answer).into_owned())
        });
    }
    let clients = clients.join_all().await;
    check_growth(&world, before, BODIES_MIB, "bodies that never end");
    let refused: Vec<&String> =
        clients.iter().map(|(_, _, answer)| answer).filter(|answer| !answer.is_empty()).collect();
    assert!(!refused.is_empty(), "none of {CLIENTS} bodies of {BYTES} bytes is refused");
    for answer in refused {
        let head = answer.to_lowercase();
        assert!(head.starts_with("http/1.1 503") || head.starts_with("http/1.1 429"), "{answer}");
        assert!(head.contains("retry-after:") && answer.contains("bodies-mib"), "{answer}");
    }
    // Once they are gone others are taken again.
    drop(clients);
    crate::world::eventually("a body is taken again", async || {
        let person = json!({ "givenName": "Ann", "familyName": "Walker" });
        (world.http.post(path, &person).await.status == 201).then_some(())
    })
    .await;
    watch.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn early_callbacks_take_no_more_than_their_budget() {
    const PAYLOAD: usize = 60 << 10;
    let mut world = limited(&format!("callbacks-kept-mib = {CALLBACKS_MIB}")).await;
    let before = world.process().memory();
    let watch = Watch::begin(&world.http);
    let post = async |number: usize, bytes: usize| {
        let path = format!("/orchestration/v1/callbacks/rest-activator/early-{number}");
        let body = json!({ "filler": "x".repeat(bytes) });
        world.http.ask(&Request::post(&path, &body)).await.unwrap()
    };
    // One that is too large is refused for good.
    let large = post(0, 9 << 20).await;
    assert!(matches!(large.status, 400 | 413 | 422), "{}: {}", large.status, large.text);
    let mut refused = None;
    for number in 0..usize::try_from(4 * CALLBACKS_MIB * MIB).unwrap() / PAYLOAD {
        let answer = post(number, PAYLOAD).await;
        if answer.status != 202 {
            refused = Some(answer);
            break;
        }
    }
    check_refusal(&refused.expect("no callback is refused"), "callbacks-kept");
    check_growth(&world, before, CALLBACKS_MIB + 16, "early callbacks");
    watch.end().await;
    // Stored documents are read from the disk when needed, not into memory at the start.
    world.kill().await;
    world.restart().await;
    check_growth(&world, before, CALLBACKS_MIB + 16, "early callbacks after a restart");
}

#[tokio::test(flavor = "multi_thread")]
async fn open_orders_take_no_more_than_their_budget() {
    const DOCUMENT: usize = 2 << 20;
    let line = format!("open-orders-mib = {ORDERS_MIB}\nstore-cache-mib = {STORE_MIB}");
    let world = limited(&line).await;
    // Their calls are never answered, so that none of them only waits.
    world.network.fail(json!([{ "fault": "timeout" }])).await;
    let before = world.process().memory();
    let watch = Watch::begin(&world.http);
    let runs = "/orchestration/v1/workflows/six-external/runs";
    let run = Request::post(runs, &json!({ "filler": "x".repeat(DOCUMENT) }));
    let mut refused = None;
    for _ in 0..4 * ORDERS_MIB * MIB / DOCUMENT as u64 {
        let answer = world.http.ask(&run).await.unwrap();
        if answer.status != 201 {
            refused = Some(answer);
            break;
        }
    }
    check_refusal(&refused.expect("no order is refused"), "open-orders");
    check_growth(&world, before, ORDERS_MIB, "open orders");
    watch.end().await;
}

/// The open orders that have left memory.
async fn absent(world: &World) -> u64 {
    let metrics = world.http.send("GET", "/metrics", &[], "").await.unwrap().text;
    let gauge = metrics.lines().find(|line| line.starts_with("ferrule_open_fulfilments_asleep"));
    let (_, value) = gauge.and_then(|line| line.rsplit_once(' ')).expect("it is counted");
    value.parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_that_wait_leave_memory_and_are_found_again() {
    const DOCUMENT: usize = 1 << 20;
    let line = format!("orders-in-memory-mib = 4\nstore-cache-mib = {STORE_MIB}");
    let mut world = limited(&line).await;
    let before = world.process().memory();
    let watch = Watch::begin(&world.http);
    // Each waits for its first answer; it comes when the network is told to give it.
    world.network.fail(json!([{ "fault": "async", "delayMs": 600_000 }])).await;
    let runs = "/orchestration/v1/workflows/six-external/runs";
    let run = Request::post(runs, &json!({ "filler": "x".repeat(DOCUMENT) }));
    let mut waiting = Vec::new();
    for _ in 0..2 * ORDERS_MIB {
        let answer = world.http.ask(&run).await.unwrap();
        assert_eq!(answer.status, 201, "{}", answer.text);
        waiting.push(crate::world::text(&answer.body["id"]));
    }
    watch.end().await;
    for _ in 0..2 {
        crate::world::eventually("they leave memory", async || {
            (absent(&world).await >= 2 * ORDERS_MIB - 8).then_some(())
        })
        .await;
        check_growth(&world, before, 4 + STORE_MIB, "orders that wait");
        world.kill().await;
        world.restart().await;
    }
    for id in &waiting {
        let shown = world.http.get(&format!("/orchestration/v1/fulfilments/{id}")).await;
        assert_eq!(shown["state"], "running", "{shown:#}");
    }
    let path = format!("/orchestration/v1/runs/{}/cancel", waiting[0]);
    let answer = world.http.post(&path, &json!({})).await;
    assert!(matches!(answer.status, 200..=202), "{}", answer.text);
    let mut events = world.http.events(&waiting[0], None).await.unwrap();
    loop {
        let sent = events.next().await.unwrap().expect("it is cancelled");
        if sent.data.to_string().contains("cancelling") {
            break;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn exports_that_no_one_reads_do_not_stop_plugins() {
    const EXPORTS: usize = 600;
    let world = limited("exports = 4").await;
    let filler = "x".repeat(20_000);
    let rows = (0..2_000).map(|row| {
        let product = json!({ "id": format!("P-{row}"), "name": filler, "status": "active" });
        format!("{product}\n")
    });
    let path = "/orchestration/v1/imports/many?resource=product";
    let headers = [("content-type", "application/x-ndjson")];
    let sent = world.http.send("PUT", path, &headers, rows.collect::<String>()).await.unwrap();
    assert_eq!(sent.status, 200, "{}", sent.text);
    let before = world.process().memory();
    let watch = Watch::begin(&world.http);
    let host = world.http.base.strip_prefix("http://").unwrap().to_string();
    let mut stalled = Vec::new();
    let mut refused = 0;
    for _ in 0..EXPORTS {
        let mut stream = TcpStream::connect(&host).await.unwrap();
        let line = "GET /orchestration/v1/exports/product HTTP/1.1\r\n";
        stream.write_all(format!("{line}host: {host}\r\n\r\n").as_bytes()).await.unwrap();
        let mut status = [0; 12];
        stream.read_exact(&mut status).await.unwrap();
        match &status[9..] {
            b"200" => stalled.push(stream),
            b"429" | b"503" => refused += 1,
            other => panic!("{}", String::from_utf8_lossy(other)),
        }
    }
    assert!(refused > 0, "all of {EXPORTS} exports begin");
    // A plugin that calls an element looks up its name, and runs.
    let runs = "/orchestration/v1/workflows/six-external/runs?wait=60s";
    let ran = world.http.post(runs, &json!({})).await;
    assert_eq!((ran.status, &ran.body["state"]), (200, &json!("completed")), "{}", ran.text);
    check_growth(&world, before, BODIES_MIB, "exports that no one reads");
    watch.end().await;
    drop(stalled);
}
