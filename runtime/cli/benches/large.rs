//! What an order of many lines costs others: `cargo bench -p ferrule --bench large [LINES]`. Small runs of
//! six steps, one after another, are timed alone and beside the order, which adds the lines and then
//! deletes them; memory is that of the whole server. All in one run, so that the ratios count.
#![allow(clippy::unwrap_used, reason = "a benchmark may fail")]
#![expect(clippy::print_stdout, reason = "a benchmark prints what it measures")]

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use server::Server;

#[path = "common/http.rs"]
mod http;
#[path = "common/server.rs"]
mod server;

/// The lines of the order, if no other number is given.
const LINES: usize = 10_000;
/// Small runs that are timed alone.
const ALONE: usize = 300;

const ORDERS: &str = "/tmf-api/productOrderingManagement/v4/productOrder";
const SMALL: &str = "/orchestration/v1/workflows/six-steps/runs?wait=100s";

fn main() {
    let lines = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(LINES);
    let server = Measured(Server::start(&PACKS, ""));
    let alone = (0..ALONE).map(|_| server.small()).collect();
    let quiet = Spread::of(alone);
    println!(
        "{:<8} {:>8} {:>9} {:>9} {:>9} {:>7} {:>9}",
        "", "whole", "p50", "p99", "max", "ratio", "kB/line"
    );
    quiet.print("alone", &quiet, None);
    let added: Vec<Value> = (1..=lines)
        .map(|id| {
            let offering = json!({ "id": "PO-LINE" });
            json!({ "id": id.to_string(), "action": "add", "quantity": 1, "product": {}, "productOffering": offering })
        })
        .collect();
    let id = server.beside("add", &quiet, &added);
    let deleted: Vec<Value> = (1..=lines)
        .map(|line| {
            let product = json!({ "id": format!("{id}-{line}") });
            json!({ "id": line.to_string(), "action": "delete", "quantity": 1, "product": product })
        })
        .collect();
    server.beside("delete", &quiet, &deleted);
}

/// How long small runs took.
struct Spread(Vec<Duration>);

impl Spread {
    fn of(mut times: Vec<Duration>) -> Self {
        times.sort();
        Self(times)
    }

    fn at(&self, percent: usize) -> f64 {
        let place = (self.0.len() * percent / 100).min(self.0.len() - 1);
        self.0[place].as_secs_f64() * 1_000.0
    }

    fn print(&self, what: &str, quiet: &Self, order: Option<(Duration, f64)>) {
        let (whole, kilobytes) = order.unwrap_or_default();
        println!(
            "{what:<8} {:>6.1} s {:>6.1} ms {:>6.1} ms {:>6.1} ms {:>7.1} {kilobytes:>9.1}",
            whole.as_secs_f64(),
            self.at(50),
            self.at(99),
            self.at(100),
            self.at(99) / quiet.at(99),
        );
    }
}

/// The packs of the small runs, and of the large order.
const PACKS: [(&str, &str); 2] = [("bench", "workflows/bench"), ("large", "tests/it/size")];

/// The server, as this benchmark uses it.
struct Measured(Server);

impl Measured {
    /// Makes a small run, to its end.
    fn small(&self) -> Duration {
        let began = Instant::now();
        let (_, run) = self.0.client.post(SMALL, &json!({})).expect("the server answers");
        assert_eq!(run["state"], "completed", "{run}");
        began.elapsed()
    }

    /// Has an order carried out, and small runs beside it all the while; gives its id.
    fn beside(&self, what: &str, quiet: &Spread, lines: &[Value]) -> String {
        let (over, peak) = (AtomicBool::new(false), AtomicU64::new(0));
        let before = self.memory();
        let (times, id, whole) = std::thread::scope(|scope| {
            let small = scope.spawn(|| {
                let mut times = Vec::new();
                while !over.load(Ordering::Relaxed) {
                    times.push(self.small());
                }
                times
            });
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    peak.fetch_max(self.memory(), Ordering::Relaxed);
                    std::thread::sleep(Duration::from_millis(10));
                }
            });
            let began = Instant::now();
            let order = json!({ "productOrderItem": lines });
            let (status, order) = self.0.client.post(ORDERS, &order).expect("the server answers");
            assert_eq!(status, 201, "{order}");
            let id = order["id"].as_str().unwrap().to_string();
            let path = format!("{ORDERS}/{id}?fields=state");
            loop {
                let (_, order) = self.0.client.get(&path).expect("the server answers");
                match order["state"].as_str().unwrap() {
                    "completed" => break,
                    "acknowledged" | "inProgress" => std::thread::sleep(Duration::from_millis(100)),
                    other => panic!("the order is {other}"),
                }
            }
            over.store(true, Ordering::Relaxed);
            (small.join().unwrap(), id, began.elapsed())
        });
        let grown = peak.into_inner().saturating_sub(before);
        let kilobytes = grown as f64 / lines.len() as f64 / 1_000.0;
        Spread::of(times).print(what, quiet, Some((whole, kilobytes)));
        id
    }

    /// The bytes of memory that the server has.
    fn memory(&self) -> u64 {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", self.0.process.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.split_whitespace().next().unwrap().parse::<u64>().unwrap() * 1_024
    }
}
