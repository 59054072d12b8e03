//! How long a call takes: `cargo bench -p ferrule-host`. A pure validator that does next to
//! nothing, one call after another on one thread, and then as many at a time as the pool has.
#![allow(clippy::unwrap_used, reason = "a benchmark may fail")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use engine::worker::{Operation, Worker};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use host::{Host, Installed};
use serde_json::json;

use support::{Bench, call, guest, outputs, with_world};

#[path = "../tests/support/mod.rs"]
mod support;

const CALLS: u32 = 20_000;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::print_stdout, reason = "a benchmark prints what it measures")]
async fn main() {
    let bench = Bench::with([].into(), |options| options.instances = 256);
    let bytes = with_world(&guest("pure"), "pure", "validator", "");
    let began = Instant::now();
    let installed = bench.host.install(bytes).await.unwrap();
    println!("install, compiled     {:>10.1?}", began.elapsed());
    for _ in 0..3 {
        let (wall, cpu) = one_by_one(&bench.host, &installed).await;
        println!("one call              {wall:>10.1?}, processor {cpu:>10.1?}");
        let (wall, cpu) = at_once(&bench.host, &installed, 64).await;
        println!("one call, 64 at once  {wall:>10.1?}, processor {cpu:>10.1?}");
    }
}

async fn one_by_one(host: &Host, installed: &Installed) -> (Duration, Duration) {
    let call = call(&installed.digest, Operation::Run, json!({ "order": {} }));
    let (began, cpu) = (Instant::now(), processor());
    for _ in 0..CALLS {
        outputs(&host.run(call.clone()).await);
    }
    (began.elapsed() / CALLS, (processor() - cpu) / CALLS)
}

async fn at_once(host: &Host, installed: &Installed, width: usize) -> (Duration, Duration) {
    let call = Arc::new(call(&installed.digest, Operation::Run, json!({ "order": {} })));
    let (began, cpu) = (Instant::now(), processor());
    let mut running = FuturesUnordered::new();
    for _ in 0..CALLS {
        if running.len() == width {
            running.next().await;
        }
        let (host, call) = (host.clone(), Arc::clone(&call));
        running.push(tokio::spawn(async move { host.run((*call).clone()).await }));
    }
    while running.next().await.is_some() {}
    (began.elapsed() / CALLS, (processor() - cpu) / CALLS)
}

/// The processor time of this process: a machine that is busy with others does not change it.
fn processor() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap())
}
