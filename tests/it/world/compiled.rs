//! What a first server compiled of the shipped plugins, for the servers of all other tests: most of the time of a test went
//! into compiling them once more.

use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tokio::sync::OnceCell;

use super::{Settings, World, copy, eventually, plugins_dir};

/// Where a server keeps what it compiled, in its data.
pub(super) const KEPT: &str = "plugins";

/// What was compiled of the shipped plugins.
pub(super) async fn shipped() -> PathBuf {
    static FOLDER: OnceCell<TempDir> = OnceCell::const_new();
    let folder = FOLDER.get_or_init(|| async {
        let plugins = wasm_files(&plugins_dir().await);
        kept_by(World::made(Settings::default(), None).await, plugins).await
    });
    folder.await.path().join(KEPT)
}

/// What a server compiled, once it has done so for this many plugins. The server ends.
pub(crate) async fn kept_by(mut world: World, plugins: usize) -> TempDir {
    eventually("the plugins are compiled", async || {
        let artefacts = std::fs::read_dir(world.data().join(KEPT).join("artefacts")).ok()?;
        let done = artefacts.flatten().filter(|entry| is_whole(&entry.path()));
        (done.count() >= plugins).then_some(())
    })
    .await;
    world.end().await;
    let kept = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    copy(&world.data().join(KEPT), &kept.path().join(KEPT));
    kept
}

fn wasm_files(folder: &Path) -> usize {
    let files = std::fs::read_dir(folder).unwrap().flatten();
    files
        .filter(|file| file.path().extension().is_some_and(|extension| extension == "wasm"))
        .count()
}

fn is_whole(path: &Path) -> bool {
    path.extension().is_none_or(|extension| extension != "tmp")
}
