//! The provider of the tests, as a process: the npm package `oidc-provider`.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;
use tokio::process::{Child, Command};
use tokio::sync::OnceCell;

use crate::project::has;
use crate::world::{Http, eventually, next_port, repository};

/// The packages, installed once.
static PACKAGES: OnceCell<PathBuf> = OnceCell::const_new();

pub(super) struct Provider {
    pub(super) issuer: String,
    port: u16,
    ferrule: String,
    process: Option<Child>,
}

/// Whether the tests of logins can run here.
pub(super) fn is_possible() -> bool {
    has("node") && has("npm")
}

impl Provider {
    /// Starts a provider that knows a server by its URL.
    pub(super) async fn start(ferrule: &str) -> Self {
        let port = next_port();
        let issuer = format!("http://localhost:{port}");
        let mut provider = Self { issuer, port, ferrule: ferrule.into(), process: None };
        provider.run().await;
        provider
    }

    /// Starts it again, with other keys and without its sessions.
    pub(super) async fn run(&mut self) {
        let folder = PACKAGES.get_or_init(install).await;
        let child = Command::new("node")
            .arg("provider.mjs")
            .args([self.port.to_string(), self.ferrule.clone()])
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let http = Http::new(&self.issuer);
        eventually("the provider answers", async || {
            let answer = http.send("GET", "/.well-known/openid-configuration", &[], "").await;
            answer.is_ok_and(|answer| answer.status == 200).then_some(())
        })
        .await;
        self.process = Some(child);
    }

    pub(super) async fn stop(&mut self) {
        self.process.take().unwrap().kill().await.unwrap();
    }

    /// Spoils the next ID token.
    pub(super) async fn spoil(&self, fault: &str) {
        let path = format!("/control/fault?is={}", fault.replace(' ', "%20"));
        let answer = Http::new(&self.issuer).send("GET", &path, &[], "").await.unwrap();
        assert_eq!(answer.status, 200);
    }

    /// A logout token with other claims or headers.
    pub(super) async fn logout_token(&self, with: &Value) -> String {
        let with = with.to_string();
        let with: String = with.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let path = format!("/control/logout-token?with={with}");
        Http::new(&self.issuer).send("GET", &path, &[], "").await.unwrap().text
    }
}

/// Installs the packages in the versions of the lock, in the target folder.
async fn install() -> PathBuf {
    let source = repository().join("tests/it/login");
    let target = Path::new(env!("CARGO_BIN_EXE_ferrule")).ancestors().nth(2).unwrap();
    let folder = target.join("oidc-provider");
    std::fs::create_dir_all(&folder).unwrap();
    let lock = std::fs::read(source.join("package-lock.json")).unwrap();
    let marker = folder.join("installed");
    for file in ["package.json", "package-lock.json", "provider.mjs"] {
        std::fs::copy(source.join(file), folder.join(file)).unwrap();
    }
    if std::fs::read(&marker).is_ok_and(|installed| installed == lock) {
        return folder;
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"]).current_dir(&folder);
    let done = npm.output().await.unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    std::fs::write(marker, lock).unwrap();
    folder
}
