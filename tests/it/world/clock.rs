//! The clock of a server that a test sets: the shim in `tests/shims/clock` reads it from a file.

use std::fs;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use tokio::sync::OnceCell;

use super::repository;

/// A clock that can be set forward.
pub(crate) struct Clock {
    file: PathBuf,
    library: PathBuf,
}

/// The shim, built once.
async fn library() -> &'static PathBuf {
    static BUILT: OnceCell<PathBuf> = OnceCell::const_new();
    BUILT.get_or_init(|| async { build() }).await
}

fn build() -> PathBuf {
    let target = Path::new(env!("CARGO_BIN_EXE_ferrule")).ancestors().nth(2).unwrap();
    let status = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .current_dir(repository())
        .args(["build", "--quiet", "-p", "shim-clock", "--target-dir"])
        .arg(target)
        .status()
        .unwrap();
    assert!(status.success(), "the shim does not build");
    target.join("debug/libshim_clock.so")
}

impl Clock {
    /// A clock that shows this, in milliseconds since 1970.
    pub(crate) async fn begin(folder: &Path, ms: i64) -> Self {
        let clock = Self { file: folder.join("clock"), library: library().await.clone() };
        fs::write(&clock.file, ms.to_ne_bytes()).unwrap();
        clock
    }

    /// What a program has to find in its environment.
    pub(crate) fn environment(&self) -> Vec<(&'static str, PathBuf)> {
        vec![("LD_PRELOAD", self.library.clone()), ("FERRULE_CLOCK", self.file.clone())]
    }

    /// Sets it. The server's own clock follows forward, never back, and goes on from there.
    pub(crate) fn set(&self, ms: i64) {
        let file = fs::File::options().write(true).open(&self.file).unwrap();
        file.write_all_at(&ms.to_ne_bytes(), 0).unwrap();
    }
}
