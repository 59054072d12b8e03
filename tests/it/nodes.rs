//! Two nodes on one PostgreSQL, behind a proxy that leads to the one that is ready: however the one that leads
//! ends, the other carries on, nothing acknowledged is lost, and nothing is done twice.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::database::Database;
use crate::kill::{check_one_each, troubles};
use crate::world::{
    Books, Clients, Http, Network, Process, Settings, eventually, ferrule, led_on, next_port,
    pack_order, serving,
};

/// Orders in flight at one time.
const IN_FLIGHT: usize = 20;

/// Records between two failures, over all orders.
const RECORDS: u64 = 150;

const ORDERS: [&str; 4] =
    ["superfibre/gpon", "superfibre/static-ip", "mobile-4g/new-number", "triple-play/nested"];

struct Nodes {
    /// By the proxy.
    http: Http,
    network: Network,
    nodes: Vec<Node>,
    database: Database,
    folder: TempDir,
}

/// A node with an address, a data folder and a log of its own.
struct Node {
    http: Http,
    arguments: Vec<String>,
    folder: PathBuf,
    process: Option<Process>,
}

impl Node {
    fn start(&mut self) {
        self.process = Some(Process::begin("serve", &self.arguments, &self.folder, &[]));
    }

    fn signal(&self, signal: &str) {
        let id = self.process.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    /// The status of a path; 0 if it does not answer.
    async fn status(&self, path: &str) -> u16 {
        let asked = self.http.send("GET", path, &[], "");
        match tokio::time::timeout(Duration::from_secs(2), asked).await {
            Ok(Ok(answer)) => answer.status,
            Ok(Err(_)) | Err(_) => 0,
        }
    }
}

impl Nodes {
    /// Starts two nodes; `None` if there is no PostgreSQL.
    async fn start() -> Option<Self> {
        let database = Database::start()?;
        let folder = tempfile::tempdir().unwrap();
        let network = Network::start(folder.path()).await;
        let grants = network.grants().await;
        let proxy = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", proxy.local_addr().unwrap());
        let mut nodes = Vec::new();
        for name in ["a", "b"] {
            let folder = folder.path().join(name);
            std::fs::create_dir(&folder).unwrap();
            let store = format!("store = {:?}\npublic-url = {url:?}\n", database.url());
            let tail = format!("[postgres]\nnode = {name:?}\n");
            std::fs::write(folder.join("ferrule.toml"), format!("{store}{grants}\n{tail}"))
                .unwrap();
            let address = format!("127.0.0.1:{}", next_port());
            let arguments = serving(&folder, &Settings::default(), &address).await;
            let http = Http::new(&format!("http://{address}"));
            nodes.push(Node { http, arguments, folder, process: None });
        }
        let addresses: Vec<Http> = nodes.iter().map(|node| node.http.clone()).collect();
        tokio::spawn(led_on(proxy, addresses));
        let mut nodes = Self { http: Http::new(&url), network, nodes, database, folder };
        nodes.nodes[0].start();
        nodes.leads(0).await;
        nodes.nodes[1].start();
        nodes.stands_by(1).await;
        Some(nodes)
    }

    async fn leads(&self, node: usize) {
        let node = &self.nodes[node];
        eventually("it leads", async || (node.status("/readyz").await == 200).then_some(())).await;
        let led = async || {
            let answer = self.http.send("GET", "/readyz", &[], "").await.ok()?;
            (answer.status == 200).then_some(())
        };
        eventually("the proxy leads to it", led).await;
    }

    async fn stands_by(&self, node: usize) {
        let node = &self.nodes[node];
        let is_standby = async || {
            let stands =
                node.status("/healthz").await == 200 && node.status("/readyz").await == 503;
            stands.then_some(())
        };
        eventually("it stands by", is_standby).await;
    }

    /// Everything that was acknowledged was delivered, once.
    async fn check(&self, clients: Clients) {
        clients.stop_ordering();
        let ids = clients.all_ended().await;
        assert!(ids.len() >= IN_FLIGHT);
        let books = Books::read(&self.http, &self.network).await;
        check_one_each(&books.of("productOrder").values().collect::<Vec<_>>(), &ids);
        ids.values().for_each(|id| books.check_delivered(id));
        books.check_once();
        books.check_pools();
        books.check_outbox();
    }

    /// Ends all nodes.
    async fn end(&mut self) {
        for node in &mut self.nodes {
            if let Some(process) = node.process.take() {
                process.kill().await;
            }
        }
    }
}

#[expect(clippy::print_stdout, reason = "the output shows how long it took")]
fn report(failure: &str, taken: Duration) {
    println!("{failure}: another node leads after {:.1} s", taken.as_secs_f64());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_killed_is_taken_over_from_and_nothing_is_lost_or_done_twice() {
    let Some(mut nodes) = Nodes::start().await else { return };
    nodes.network.fail(troubles()).await;
    let clients = Clients::begin(&nodes.http, ORDERS.map(pack_order).to_vec(), IN_FLIGHT);
    for kill in 0..4 {
        let (leading, other) = (kill % 2, (kill + 1) % 2);
        clients.see_records(RECORDS).await;
        let began = Instant::now();
        nodes.nodes[leading].process.take().unwrap().kill().await;
        nodes.leads(other).await;
        report("killed", began.elapsed());
        nodes.nodes[leading].start();
        nodes.stands_by(leading).await;
    }
    nodes.check(clients).await;
}

/// It would go on where it was, though another one leads by then.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_stands_still_for_longer_than_its_lease_is_fenced_and_ends() {
    let Some(mut nodes) = Nodes::start().await else { return };
    let clients = Clients::begin(&nodes.http, ORDERS.map(pack_order).to_vec(), IN_FLIGHT);
    for still in 0..2 {
        let (leading, other) = (still % 2, (still + 1) % 2);
        clients.see_records(RECORDS).await;
        nodes.nodes[leading].signal("-STOP");
        nodes.leads(other).await;
        let led = nodes.database.run("SELECT node FROM ferrule.lease");
        assert_eq!(led, ["a", "b"][other]);
        clients.see_records(RECORDS / 2).await;
        nodes.nodes[leading].signal("-CONT");
        let log = nodes.nodes[leading].process.take().unwrap().failed().await;
        assert!(log.contains("another node"), "{log}");
        nodes.nodes[leading].start();
        nodes.stands_by(leading).await;
    }
    nodes.check(clients).await;
}

/// A restart of the database is borne by the node that leads, or taken over from.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_crashes_loses_no_order() {
    let Some(mut nodes) = Nodes::start().await else { return };
    let clients = Clients::begin(&nodes.http, ORDERS.map(pack_order).to_vec(), IN_FLIGHT);
    for _ in 0..3 {
        clients.see_records(RECORDS).await;
        tokio::task::block_in_place(|| {
            nodes.database.crash();
            nodes.database.go_on();
        });
    }
    clients.see_records(RECORDS).await;
    nodes.check(clients).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_is_copied_into_a_database_and_back_and_goes_on_there() {
    let Some(mut nodes) = Nodes::start().await else { return };
    let clients = Clients::begin(&nodes.http, ORDERS.map(pack_order).to_vec(), 4);
    clients.see_records(200).await;
    clients.stop_ordering();
    let ids = clients.all_ended().await;
    let url = nodes.database.url();
    let data = nodes.folder.path().join("copied");
    let (there, back) = (["--from", &url, "--to", data.to_str().unwrap()], "other");
    let copy = async |arguments: &[&str]| ferrule(&[&["store", "copy"], arguments].concat()).await;
    let led = copy(&there).await;
    assert!(!led.ok && led.err.contains("leads the store: stop all of its nodes"), "{}", led.err);
    nodes.end().await;
    // Its lease goes on for a while.
    let copied = eventually("the lease has ended", async || {
        let copied = copy(&there).await;
        copied.ok.then_some(copied.out)
    });
    let copied = copied.await;
    let again = copy(&there).await;
    assert!(again.err.contains("there is a store in"), "{}", again.err);
    let config = nodes.folder.path().join("back.toml");
    std::fs::write(&config, format!("store = {url:?}\n[postgres]\nschema = {back:?}\n")).unwrap();
    let config = config.to_str().unwrap();
    let from = ["--config", config, "--from", data.to_str().unwrap(), "--to", &url];
    let returned = copy(&from).await;
    assert_eq!(returned.out, copied, "{}", returned.err);
    let full = copy(&from).await;
    assert!(full.err.contains("has facts already"), "{}", full.err);
    let verified = ferrule(&["store", "verify", "--config", config]).await;
    assert!(verified.ok && verified.out.contains(" 0 faults"), "{verified:?}");
    for node in &mut nodes.nodes[..1] {
        let toml = node.folder.join("ferrule.toml");
        let text = std::fs::read_to_string(&toml).unwrap();
        let text = text.replace("[postgres]\n", &format!("[postgres]\nschema = {back:?}\n"));
        std::fs::write(toml, text).unwrap();
        node.start();
    }
    let refused = nodes.nodes[0].process.take().unwrap().failed().await;
    assert!(refused.contains("belongs to the store"), "{refused}");
    std::fs::remove_file(nodes.nodes[0].folder.join("data/store-name")).unwrap();
    nodes.nodes[0].start();
    nodes.leads(0).await;
    let books = Books::read(&nodes.http, &nodes.network).await;
    let orders: Vec<&Value> = books.of("productOrder").values().collect();
    check_one_each(&orders, &ids);
    ids.values().for_each(|id| books.check_delivered(id));
}
