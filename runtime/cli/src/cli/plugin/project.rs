//! The project of a plugin: a folder with its manifest and with what the tools of its language need.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use host::Manifest;
use host::folder::shown;

use super::Inspector;
use super::imports;
use super::language::Language;
use crate::cli::{Usage, say};
use crate::repository::write_whole;

/// The file with the manifest.
const MANIFEST: &str = "plugin.toml";

/// The folder that plugins are built into.
const BUILT: &str = "dist";

/// The project of a plugin.
#[derive(Debug)]
pub(super) struct Project {
    root: PathBuf,
    language: Language,
}

impl Project {
    /// Whether a folder has a manifest, and so is meant to be a project.
    pub(super) fn is_at(folder: &Path) -> bool {
        folder.join(MANIFEST).is_file()
    }

    pub(super) fn open(folder: &Path) -> Result<Self> {
        let unusable = |problem: &str| Usage(format!("`{}` {problem}", folder.display()));
        if !Self::is_at(folder) {
            return Err(unusable("is no project of a plugin: it has no `plugin.toml`").into());
        }
        let known = Language::of(folder);
        let language = known.ok_or_else(|| unusable("has no file of a language that is known"))?;
        Ok(Self { root: folder.into(), language })
    }

    /// Builds the plugin, inspects it, and only then puts it into `dist`.
    pub(super) async fn build(&self, inspector: &Inspector) -> Result<PathBuf> {
        let path = self.root.join(MANIFEST);
        let shown_path = path.display();
        let text = std::fs::read(&path).with_context(|| format!("cannot read `{shown_path}`"))?;
        let manifest =
            Manifest::parse(&text).with_context(|| format!("`{shown_path}` cannot be used"))?;
        imports::check(self.language, &self.root)?;
        let component = tokio::task::block_in_place(|| self.language.build(&self.root))?;
        let bytes = std::fs::read(&component)
            .with_context(|| format!("cannot read `{}`", component.display()))?;
        let plugin = match Manifest::of(bytes.clone()) {
            Ok(own) if own == manifest => bytes,
            Ok(_) | Err(_) => host::manifest::embed(&bytes, &text)?,
        };
        let folder = self.root.join(BUILT);
        let built = folder.join(format!("{}.wasm", manifest.id));
        let size = plugin.len();
        inspector
            .host
            .inspect(plugin.clone())
            .await
            .with_context(|| format!("`{}` is no plugin", component.display()))?;
        std::fs::create_dir_all(&folder)?;
        write_whole(&plugin, &built)
            .with_context(|| format!("cannot write `{}`", built.display()))?;
        let Manifest { id, version, world, .. } = &manifest;
        say(&format!("{}: {id} {version} ({world}), {size} bytes", shown(&built)))?;
        Ok(built)
    }
}
