//! What plugins that take all they can cost their neighbours: `cargo bench -p ferrule-host --bench
//! neighbours`. The neighbour is six calls of another plugin that does next to nothing, one after
//! another; beside it an echo over TCP stands for HTTP. All in one run, so that the ratios count.
//! `-- fill asleep` measures only the scenarios whose names have one of these words.
#![allow(clippy::unwrap_used, reason = "a benchmark may fail")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use engine::worker::{Operation, Worker};
use host::Host;
use model::Outcome;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use support::{Bench, call, grants, guest, with_world};

#[path = "../tests/support/mod.rs"]
mod support;

/// How long each scenario is measured.
const MEASURED: Duration = Duration::from_secs(5);
/// Between two sequences of the neighbour; orders do not come without a pause.
const PAUSE: Duration = Duration::from_millis(2);
const STEPS: usize = 6;

const HOSTILE: &str =
    "limits = { cpu-ms = 10000, wall-ms = 20000, memory-mib = 256, concurrency = 1024 }";

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::print_stdout, reason = "a benchmark prints what it measures")]
async fn main() {
    let ids = ["hostile", "hostile-b", "hostile-c"];
    let granted = ids.iter().flat_map(|id| grants(id, HOSTILE)).collect();
    let bench = Bench::with(granted, |options| options.instances = 256);
    let hostile = install(&bench, "greedy", "hostile", "step").await;
    let second = install(&bench, "greedy", "hostile-b", "step").await;
    let third = install(&bench, "greedy", "hostile-c", "step").await;
    let neighbour = install(&bench, "pure", "neighbour", "validator").await;
    let echo = echo().await;
    println!(
        "{:<28} {:>9} {:>9} {:>6} {:>9} {:>9} {:>6} {:>7}",
        "hostile", "p50", "p99", "ratio", "echo p50", "echo p99", "ratio", "count"
    );
    let quiet = measure(&bench.host, &neighbour, echo).await;
    print("none", &quiet, &quiet);
    let busy = json!({ "do": "loop" });
    let scenarios = [
        ("2 loops", vec![(&hostile, 2, busy.clone())]),
        ("8 loops", vec![(&hostile, 8, busy.clone())]),
        ("64 loops", vec![(&hostile, 64, busy.clone())]),
        ("260 loops", vec![(&hostile, 260, busy.clone())]),
        (
            "3 plugins of 100 loops",
            vec![
                (&hostile, 100, busy.clone()),
                (&second, 100, busy.clone()),
                (&third, 100, busy.clone()),
            ],
        ),
        ("8 of calls of 1 ms", vec![(&hostile, 8, json!({ "do": "work", "rounds": 1 }))]),
        ("8 loops of host calls", vec![(&hostile, 8, json!({ "do": "host" }))]),
        ("8 of naps and work", vec![(&hostile, 8, json!({ "do": "nap", "rounds": 1_000 }))]),
        ("4 of memory.fill, 200 MiB", vec![(&hostile, 4, json!({ "do": "fill", "mib": 200 }))]),
        ("4 of memory.fill, once", vec![(&hostile, 4, json!({ "do": "", "mib": 200 }))]),
        ("300 asleep", vec![(&hostile, 300, json!({ "do": "sleep", "ms": 15_000 }))]),
        (
            "all kinds at once",
            vec![
                (&hostile, 64, busy.clone()),
                (&second, 8, json!({ "do": "host" })),
                (&second, 8, json!({ "do": "nap", "rounds": 1_000 })),
                (&second, 100, json!({ "do": "sleep", "ms": 15_000 })),
                (&third, 4, json!({ "do": "fill", "mib": 200 })),
                (&third, 8, json!({ "do": "work", "rounds": 1 })),
            ],
        ),
    ];
    let wanted: Vec<String> =
        std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|word| name.contains(word));
    for (name, crowd) in scenarios.into_iter().filter(|(name, _)| is_wanted(name)) {
        let stop = Arc::new(AtomicBool::new(false));
        let crowd = crowd.into_iter().flat_map(|(digest, width, input)| {
            let run =
                || bother(bench.host.clone(), digest.clone(), input.clone(), Arc::clone(&stop));
            (0..width).map(|_| run()).collect::<Vec<_>>()
        });
        let crowd: Vec<_> = crowd.collect();
        tokio::time::sleep(Duration::from_millis(500)).await;
        print(name, &measure(&bench.host, &neighbour, echo).await, &quiet);
        stop.store(true, Ordering::Relaxed);
        for one in crowd {
            one.abort();
            let _ended = one.await;
        }
    }
    print("none, again", &measure(&bench.host, &neighbour, echo).await, &quiet);
}

async fn install(bench: &Bench, name: &str, id: &str, world: &str) -> model::Digest {
    bench.host.install(with_world(&guest(name), id, world, "")).await.unwrap().digest
}

/// One caller of a plugin that takes all it can, until it is told to stop.
fn bother(
    host: Host,
    digest: model::Digest,
    input: Value,
    stop: Arc<AtomicBool>,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        let call = call(&digest, Operation::Run, input);
        while !stop.load(Ordering::Relaxed) {
            host.run(call.clone()).await;
        }
    })
}

struct Measured {
    neighbour: Vec<Duration>,
    echo: Vec<Duration>,
}

/// Sequences of the neighbour, with the echo beside it. A sequence that has not ended when the time
/// is up counts with the time it has taken so far.
async fn measure(host: &Host, digest: &model::Digest, echo: std::net::SocketAddr) -> Measured {
    let until = Instant::now() + MEASURED;
    let host = host.clone();
    let call = call(digest, Operation::Run, json!({ "order": {} }));
    let neighbour = sample(until, move || {
        let (host, call) = (host.clone(), call.clone());
        async move {
            for _ in 0..STEPS {
                let report = tokio::spawn(host.run(call.clone())).await.unwrap();
                assert!(matches!(report.outcome, Outcome::Done(_)), "{report:?}");
            }
        }
    });
    let ping = sample(until, move || async move {
        let mut stream = TcpStream::connect(echo).await.unwrap();
        stream.write_all(b"ping").await.unwrap();
        let mut answer = [0; 4];
        stream.read_exact(&mut answer).await.unwrap();
    });
    let (neighbour, ping) = tokio::join!(tokio::spawn(neighbour), tokio::spawn(ping));
    Measured { neighbour: neighbour.unwrap(), echo: ping.unwrap() }
}

async fn sample<F: Future<Output = ()>>(
    until: Instant,
    mut once: impl FnMut() -> F,
) -> Vec<Duration> {
    let mut times = Vec::new();
    while Instant::now() < until {
        let began = Instant::now();
        let patience = MEASURED.max(until - began);
        let _in_time = tokio::time::timeout(patience, once()).await;
        times.push(began.elapsed());
        tokio::time::sleep(PAUSE).await;
    }
    times.sort_unstable();
    times
}

/// Answers four bytes with the same.
async fn echo() -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut bytes = [0; 4];
                if stream.read_exact(&mut bytes).await.is_ok() {
                    let _sent = stream.write_all(&bytes).await;
                }
            });
        }
    });
    address
}

#[expect(clippy::print_stdout, reason = "a benchmark prints what it measures")]
fn print(name: &str, found: &Measured, quiet: &Measured) {
    let ms = |times: &[Duration], percent: usize| {
        times[(times.len() * percent / 100).min(times.len() - 1)].as_secs_f64() * 1_000.0
    };
    let ratio = |times: &[Duration], quiet: &[Duration]| ms(times, 99) / ms(quiet, 99);
    println!(
        "{name:<28} {:>9.2} {:>9.2} {:>6.2} {:>9.2} {:>9.2} {:>6.2} {:>7}",
        ms(&found.neighbour, 50),
        ms(&found.neighbour, 99),
        ratio(&found.neighbour, &quiet.neighbour),
        ms(&found.echo, 50),
        ms(&found.echo, 99),
        ratio(&found.echo, &quiet.echo),
        found.neighbour.len(),
    );
}
