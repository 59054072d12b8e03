//! The guests under `tests/guests`, built, and given a manifest.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::guests::{name, packages};
use crate::world::repository;

/// The bytes of a guest; all of them are built once.
pub(crate) fn guest(name: &str) -> Vec<u8> {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let folder = FOLDER.get_or_init(build);
    std::fs::read(folder.join(format!("guest_{name}.wasm"))).unwrap()
}

fn build() -> PathBuf {
    let guests = packages(&repository().join("tests/guests"));
    let target = Path::new(env!("CARGO_BIN_EXE_ferrule")).ancestors().nth(2).unwrap();
    let status = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .current_dir(repository())
        .args(["build", "--quiet", "--profile", "plugin", "--target", "wasm32-wasip2"])
        .args(guests.iter().flat_map(|guest| ["-p".to_owned(), name(guest)]))
        .arg("--target-dir")
        .arg(target)
        .status()
        .unwrap();
    assert!(status.success(), "the guests do not build");
    target.join("wasm32-wasip2/plugin")
}

/// A component with a manifest of this world in a custom section of its own.
pub(crate) fn with_world(component: &[u8], id: &str, world: &str) -> Vec<u8> {
    with_id(component, id, "0.1.0", world)
}

/// The same with another version.
pub(crate) fn with_id(component: &[u8], id: &str, version: &str, world: &str) -> Vec<u8> {
    const NAME: &[u8] = b"ferrule:plugin-manifest";
    let manifest = format!(
        "schema = 1\nid = \"{id}\"\nversion = \"{version}\"\nworld = \"{world}\"\nsummary = \"Test\"\n"
    );
    let mut content = vec![u8::try_from(NAME.len()).unwrap()];
    content.extend(NAME);
    content.extend(manifest.as_bytes());
    let mut bytes = component.to_vec();
    bytes.push(0);
    // The size in LEB128.
    let mut size = content.len();
    while size >= 0x80 {
        bytes.push(u8::try_from(size & 0x7f).unwrap() | 0x80);
        size >>= 7;
    }
    bytes.push(u8::try_from(size).unwrap());
    bytes.extend(content);
    bytes
}
