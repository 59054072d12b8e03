//! What the tests of the host share: guests, a store, and a way to call.
#![allow(dead_code, reason = "each test file uses its own part")]

pub(crate) mod element;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock};

use engine::documents::Document;
use engine::pools::Pools;
use engine::store::{Appended, Batch, Direction, Epoch, Error, Fact, Scan, Store};
use engine::worker::{Call, Operation, Report, Worker};
use host::compile::Program;
use host::{Grants, Host, Installed, Options};
use model::{Digest, Failure, FulfilmentId, Outcome, PluginId, Pool, TaskId, Values};
use serde_json::{Map, Value};
use tmf::time::Timestamp;

pub(crate) mod secure;

/// The bytes of a guest under `tests/guests`; all of them are built once.
pub(crate) fn guest(name: &str) -> Vec<u8> {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let folder = FOLDER.get_or_init(build);
    std::fs::read(folder.join(format!("guest_{name}.wasm"))).unwrap()
}

fn build() -> PathBuf {
    // The tests run from `target/<profile>/deps`.
    let target = std::env::current_exe().unwrap().ancestors().nth(3).unwrap().to_owned();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let folders = std::fs::read_dir(root.join("tests/guests")).unwrap();
    let guests = folders.map(|folder| {
        let name = folder.unwrap().file_name().into_string().unwrap();
        format!("guest-{name}")
    });
    let status = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .current_dir(root)
        .args(["build", "--quiet", "--profile", "plugin", "--target", "wasm32-wasip2"])
        .args(guests.flat_map(|guest| ["-p".to_owned(), guest]))
        .arg("--target-dir")
        .arg(&target)
        .status()
        .unwrap();
    assert!(status.success(), "the guests do not build");
    target.join("wasm32-wasip2/plugin")
}

/// A component with a manifest of this world in a custom section of its own.
pub(crate) fn with_world(component: &[u8], id: &str, world: &str, rest: &str) -> Vec<u8> {
    let manifest = format!(
        "schema = 1\nid = \"{id}\"\nversion = \"0.1.0\"\nworld = \"{world}\"\nsummary = \"Test\"\n{rest}"
    );
    with_section(component, manifest.as_bytes())
}

/// A component with this manifest in a custom section of its own.
pub(crate) fn with_section(component: &[u8], manifest: &[u8]) -> Vec<u8> {
    const NAME: &[u8] = b"ferrule:plugin-manifest";
    let mut content = vec![u8::try_from(NAME.len()).unwrap()];
    content.extend(NAME);
    content.extend(manifest);
    let mut bytes = component.to_vec();
    bytes.push(0);
    let mut size = content.len();
    while size >= 0x80 {
        bytes.push(u8::try_from(size & 0x7f).unwrap() | 0x80);
        size >>= 7;
    }
    bytes.push(u8::try_from(size).unwrap());
    bytes.extend(content);
    bytes
}

/// Grants as `ferrule.toml` has them.
pub(crate) fn grants(id: &str, toml: &str) -> BTreeMap<PluginId, Grants> {
    [(PluginId::new(id), toml::from_str(toml).unwrap())].into()
}

/// A host with what it was made of.
pub(crate) struct Bench {
    pub(crate) host: Host,
    pub(crate) pools: Pools,
    pub(crate) store: Arc<Shelf>,
    pub(crate) cache: tempfile::TempDir,
}

impl Bench {
    pub(crate) fn new(grants: BTreeMap<PluginId, Grants>) -> Self {
        Self::with(grants, |_| {})
    }

    pub(crate) fn with(
        grants: BTreeMap<PluginId, Grants>,
        change: impl FnOnce(&mut Options),
    ) -> Self {
        let (pools, store) = (Pools::default(), Arc::new(Shelf::default()));
        let cache = tempfile::tempdir().unwrap();
        let shelf: Arc<dyn Store> = Arc::<Shelf>::clone(&store);
        let mut options = Options::new(shelf, pools.clone(), cache.path());
        options.grants = grants;
        options.instances = 16;
        options.compiler = compiler();
        change(&mut options);
        Self { host: Host::new(options).unwrap(), pools, store, cache }
    }

    /// Installs the misbehaving guest as a step that may reserve and read.
    pub(crate) async fn misbehave(rest: &str) -> (Self, Installed) {
        let bench = Self::new(grants("misbehave", &format!("{READS}{rest}")));
        let bytes = with_world(&guest("misbehave"), "misbehave", "step", "");
        let installed = bench.host.install(bytes).await.unwrap();
        (bench, installed)
    }

    pub(crate) async fn run(&self, digest: &Digest, input: Value) -> Report {
        self.host.run(call(digest, Operation::Run, input)).await
    }
}

/// The program that compiles plugins: the host's own.
pub(crate) fn compiler() -> Program {
    Program { path: env!("CARGO_BIN_EXE_ferrule-compile").into(), arguments: Vec::new() }
}

/// What the misbehaving guest needs to be granted.
pub(crate) const READS: &str = "inventory = [\"service\"]\npools = [\"test-*\"]\n";

/// A call of a plugin with this input.
pub(crate) fn call(digest: &Digest, operation: Operation, input: Value) -> Call {
    Call {
        fulfilment: FulfilmentId::new("F-1"),
        task: TaskId(3),
        name: "RFS-VLAN.activate".into(),
        attempt: 1,
        idempotency_key: "F-1.3".into(),
        callback: "F-1.3.0123".into(),
        operation,
        plugin: PluginId::new("any"),
        digest: digest.clone(),
        spec: "RFS-VLAN".into(),
        action: "add".into(),
        characteristics: [("speed", serde_json::json!(200))].into_iter().collect(),
        replaces: None,
        input: object(input),
        timeout_ms: 20_000,
        at: Timestamp(0),
        trace: None,
    }
}

pub(crate) fn object(value: Value) -> Map<String, Value> {
    let Value::Object(map) = value else { panic!("not an object: {value}") };
    map
}

/// The outputs of a call that is done.
pub(crate) fn outputs(report: &Report) -> Value {
    let Outcome::Done(outputs) = &report.outcome else { panic!("not done: {report:?}") };
    Value::Object(outputs.clone())
}

/// The failure of a call that failed.
pub(crate) fn failed(report: &Report) -> &Failure {
    let Outcome::Failed(failure) = &report.outcome else { panic!("not failed: {report:?}") };
    failure
}

/// A store that holds what a test puts on it.
#[derive(Debug, Default)]
pub(crate) struct Shelf(Mutex<BTreeMap<Vec<u8>, Vec<u8>>>);

impl Shelf {
    pub(crate) fn put(&self, key: Vec<u8>, body: serde_json::Value) {
        let document = Document { revision: 1, since: Timestamp(0), body };
        self.0.lock().unwrap().insert(key, document.to_bytes());
    }
}

impl Store for Shelf {
    fn append(&self, _batch: Batch) -> Appended {
        Appended::pending().1
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.0.lock().unwrap().get(key).cloned())
    }

    fn scan(&self, scan: &Scan) -> Result<Vec<Fact>, Error> {
        let facts = self.0.lock().unwrap();
        let mut found: Vec<Fact> = facts
            .iter()
            .filter(|(key, _)| key.starts_with(&scan.prefix))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        if scan.direction == Direction::Backward {
            found.reverse();
        }
        found.truncate(scan.limit);
        Ok(found)
    }

    fn claim(&self) -> Result<Epoch, Error> {
        Ok(Epoch(1))
    }

    fn changed(&self) -> tokio::sync::watch::Receiver<u64> {
        tokio::sync::watch::channel(0).1
    }

    fn settled(&self) -> engine::store::Settled {
        engine::store::Settled::now()
    }
}

/// A pool of the numbers from 1 to this one.
pub(crate) fn pool(name: &str, len: u32) -> Pool {
    Pool {
        id: model::PoolId::new(name),
        resource: model::SpecId::new("R"),
        characteristic: "value".into(),
        values: Values::pattern(&format!("{{1..{len}}}")).unwrap(),
    }
}
