//! A server that is measured, with a folder of its own.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::http::Client;

/// A server; it ends with the value.
pub(crate) struct Server {
    pub(crate) process: Child,
    pub(crate) client: Client,
    _folder: tempfile::TempDir,
}

impl Server {
    /// Starts a server with the plugins `noop` and `hasher`, packs (each a name and its folder in the
    /// repository), and settings.
    pub(crate) fn start(packs: &[(&str, &str)], settings: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ferrule = env!("CARGO_BIN_EXE_ferrule");
        let built = Command::new(ferrule).args(["plugin", "build"]).output().unwrap();
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        let plugins = String::from_utf8(built.stdout).unwrap();
        std::fs::create_dir(folder.path().join("plugins")).unwrap();
        for name in ["noop.wasm", "hasher.wasm"] {
            let built = Path::new(plugins.trim()).join(name);
            std::fs::copy(built, folder.path().join("plugins").join(name)).unwrap();
        }
        for (name, from) in packs {
            copy(from, &folder.path().join("workflows").join(name));
        }
        std::fs::write(folder.path().join("ferrule.toml"), settings).unwrap();
        let listen = Client::free();
        let process = Command::new(ferrule)
            .args(["serve", "--config", "ferrule.toml", "--listen", &listen, "--data", "data"])
            .args(["--plugins", "plugins", "--workflows", "workflows"])
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self { process, client: Client::new(listen), _folder: folder };
        while server.client.get("/readyz").is_none_or(|(status, _)| status != 200) {
            std::thread::sleep(Duration::from_millis(50));
        }
        server
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

fn copy(from: &str, to: &Path) {
    let repository = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    std::fs::create_dir_all(to).unwrap();
    for file in std::fs::read_dir(repository.join(from)).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}
