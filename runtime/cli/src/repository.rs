//! The repository that this program was built from: its packs, and its plugins, which are built
//! from source where they are needed.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::cargo::{Cargo, TARGET};

/// A checkout of the repository.
#[derive(Clone, Debug)]
pub(crate) struct Repository {
    root: PathBuf,
}

impl Repository {
    /// Finds the checkout that we are in, or that the program was built in.
    pub(crate) fn find() -> Result<Self> {
        let here = std::env::current_dir().context("where are we?")?;
        let program = std::env::current_exe().unwrap_or_default();
        let above = here.ancestors().chain(program.ancestors());
        let mut roots = above
            .filter(|path| path.join("plugins/sdk").is_dir() && path.join("workflows").is_dir());
        let root = roots.next().context(
            "this is not a checkout of Ferrule: run it in the repository, or use `ferrule serve` \
             with --plugins and --workflows",
        )?;
        Ok(Self { root: root.into() })
    }

    pub(crate) fn workflows(&self) -> PathBuf {
        self.root.join("workflows")
    }

    /// An order of a pack, such as `superfibre/gpon`.
    pub(crate) fn order(&self, name: &str) -> Result<serde_json::Value> {
        let (pack, order) = name.split_once('/').context("a pack and an order")?;
        let path = self.workflows().join(pack).join("orders").join(format!("{order}.json"));
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("cannot read `{}`", path.display()))?;
        serde_json::from_str(&text).with_context(|| format!("`{}` is not JSON", path.display()))
    }

    /// The crates of the shipped plugins: each folder with a `plugin.toml`.
    pub(crate) fn plugin_crates(&self) -> Result<Vec<String>> {
        let folder = self.root.join("plugins");
        let entries = std::fs::read_dir(&folder)
            .with_context(|| format!("cannot read `{}`", folder.display()))?;
        let mut crates: Vec<String> = entries
            .flatten()
            .filter(|entry| entry.path().join("plugin.toml").is_file())
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect();
        crates.sort();
        Ok(crates)
    }

    /// Builds the shipped plugins if they have changed and returns their folder.
    pub(crate) fn build_plugins(&self) -> Result<PathBuf> {
        let crates = self.plugin_crates()?;
        let cargo = Cargo::new(&self.root);
        cargo.add_target()?;
        cargo.build("plugin", &crates)?;
        let built = self.target().join(TARGET).join("plugin");
        let folder = self.target().join("plugins");
        std::fs::create_dir_all(&folder)?;
        for name in &crates {
            let file = format!("{}.wasm", name.replace('-', "_"));
            let (from, to) = (built.join(&file), folder.join(format!("{name}.wasm")));
            let bytes = std::fs::read(&from);
            let copied = bytes.and_then(|bytes| write_whole(&bytes, &to));
            copied.with_context(|| format!("cannot copy `{}`", from.display()))?;
        }
        Ok(folder)
    }

    fn target(&self) -> PathBuf {
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| self.root.join("target"), PathBuf::from)
    }
}

/// Writes a file unless it is the same; others never see half of it.
pub(crate) fn write_whole(bytes: &[u8], to: &Path) -> std::io::Result<()> {
    if to.is_file() && std::fs::read(to).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    let part = to.with_extension(format!("{}.part", std::process::id()));
    let written = std::fs::write(&part, bytes).and_then(|()| std::fs::rename(&part, to));
    written.inspect_err(|_| drop(std::fs::remove_file(&part)))
}
