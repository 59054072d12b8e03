//! The simulated network: what it was told to fail at, and what really happened to it.

use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::{Http, Process};

/// The elements, behind one address. Clones share the process.
#[derive(Clone)]
pub(crate) struct Network {
    pub(crate) http: Http,
    _process: Arc<Process>,
}

/// How often a write was called, and how often it changed something.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Effect {
    pub(crate) element: String,
    pub(crate) operation: String,
    pub(crate) key: String,
    pub(crate) called: u64,
    pub(crate) applied: u64,
}

impl Network {
    /// Starts the elements, all well.
    pub(crate) async fn start(folder: &Path) -> Self {
        let arguments = ["simnet".to_string(), "--listen".into(), "127.0.0.1:0".into()];
        let started = Process::start("simnet", &arguments, folder).await;
        let (process, url) = started.expect("the network starts");
        Self { http: Http::new(&url), _process: Arc::new(process) }
    }

    /// What `ferrule.toml` grants the shipped plugins, so that they reach the elements.
    pub(crate) async fn grants(&self) -> String {
        let elements = self.http.get("/_elements").await;
        let config = |plugin: &str, is_ours: &dyn Fn(&str) -> bool, suffix: &str| {
            let base = &self.http.base;
            let mut text =
                format!("[plugins.{plugin}]\nhttp = [\"{base}\"]\n[plugins.{plugin}.config]\n");
            for element in elements.as_array().unwrap() {
                let name = element["name"].as_str().unwrap();
                if is_ours(element["dialect"].as_str().unwrap()) {
                    text.push_str(&format!("\"element.{name}\" = \"{base}/{name}{suffix}\"\n"));
                }
            }
            text
        };
        let rest = config("rest-activator", &|dialect| dialect != "json-rpc", "");
        let rpc = config("jsonrpc-activator", &|dialect| dialect == "json-rpc", "/rpc");
        let checks = "[plugins.order-checks]\n\
            inventory = [\"customer\", \"customerBill\", \"product\", \"productOrder\"]\n";
        format!("{rest}\n{rpc}\n[plugins.pool-allocator]\npools = [\"*\"]\n{checks}")
    }

    /// Arms these faults instead of those before.
    pub(crate) async fn fail(&self, faults: Value) {
        let sent = self.http.send("PUT", "/_faults", &[], faults.to_string()).await.unwrap();
        assert_eq!(sent.status, 200, "{}", sent.text);
    }

    /// Everything is well again.
    pub(crate) async fn heal(&self) {
        let sent = self.http.send("DELETE", "/_faults", &[], "").await.unwrap();
        assert_eq!(sent.status, 200, "{}", sent.text);
    }

    /// Every write that was ever tried.
    pub(crate) async fn effects(&self) -> Vec<Effect> {
        serde_json::from_value(self.http.get("/_effects").await).unwrap()
    }

    /// What every element holds now.
    pub(crate) async fn state(&self) -> Vec<Value> {
        let mut all = Vec::new();
        for element in self.http.get("/_elements").await.as_array().unwrap() {
            let name = element["name"].as_str().unwrap();
            for entry in self.http.get(&format!("/_state/{name}")).await.as_array().unwrap() {
                let mut entry = entry.clone();
                entry["element"] = name.into();
                all.push(entry);
            }
        }
        all
    }
}
