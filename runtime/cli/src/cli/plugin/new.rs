//! `ferrule plugin new`: the project of a plugin, outside this repository.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use host::{ManifestError, Role};
use tempfile::TempDir;

use super::generate::{self, Description};
use super::language::Language;
use super::template::{self, File, Names};
use crate::cli::{Usage, say};

#[derive(Debug, Args)]
pub(crate) struct New {
    /// The id of the plugin, such as `acme-olt`.
    id: String,
    /// Its world in the contract.
    #[arg(long, value_parser = world(), default_value = "activator")]
    world: Role,
    /// The language to write it in.
    #[arg(long, value_enum, default_value = "rust")]
    lang: Language,
    /// The folder to make; that of the id by default.
    #[arg(long, value_name = "DIR")]
    path: Option<PathBuf>,
    /// Make an adapter for an API of this description: OpenAPI 3.0 or 3.1, or Swagger 2.0, as JSON or YAML.
    #[arg(long, value_name = "FILE", group = "description")]
    openapi: Option<PathBuf>,
    /// Make an adapter for an API of this collection of Postman, v2.1.
    #[arg(long, value_name = "FILE", group = "description")]
    postman: Option<PathBuf>,
    /// The operations of the API, by id or as `METHOD /path`; without it they are listed.
    #[arg(long, value_name = "NAMES", value_delimiter = ',', requires = "description")]
    operations: Vec<String>,
}

/// Reads the name of a world.
fn world() -> impl TypedValueParser<Value = Role> {
    PossibleValuesParser::new(Role::ALL.map(Role::world)).try_map(|name| {
        let found = Role::ALL.into_iter().find(|role| role.world() == name);
        found.ok_or("no world has this name")
    })
}

/// Makes the project as a whole, or nothing.
pub(super) fn run(new: New) -> Result<()> {
    let New { id, world, lang, path, openapi, postman, operations } = new;
    if !host::manifest::is_id(&id) {
        return Err(Usage(ManifestError::Id(id).to_string()).into());
    }
    let names = Names { id: &id, role: world };
    let folder = path.unwrap_or_else(|| PathBuf::from(&id));
    if folder.symlink_metadata().is_ok() {
        let message = format!("`{}` exists: name another folder with --path", folder.display());
        return Err(Usage(message).into());
    }
    let openapi = openapi.map(Description::Openapi);
    let files = match openapi.or_else(|| postman.map(Description::Postman)) {
        Some(_) if world != Role::Activator => {
            return Err(Usage("an adapter of an API has the world `activator`".into()).into());
        }
        Some(description) => generate::files(&description, &operations, lang, names)?,
        None => template::files(lang, names),
    };
    write(&folder, &files, lang).with_context(|| format!("cannot make `{}`", folder.display()))?;
    let folder = folder.display();
    let (role, lang, tests) = (names.role, lang.name(), lang.unit_tests());
    say(&format!(
        "{folder}: the world `{role}` in {lang}\n\n  cd {folder}\n  {tests}\n  ferrule plugin build"
    ))
}

/// Writes files to a folder, which appears when it has all of them.
fn write(folder: &Path, files: &[File], language: Language) -> Result<()> {
    let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or_else(|| Path::new("."));
    std::fs::create_dir_all(parent)?;
    let part = TempDir::with_prefix_in(".ferrule-new-", parent)?;
    let root = part.path().join("project");
    for file in files {
        let path = root.join(&file.path);
        std::fs::create_dir_all(path.parent().unwrap_or(&root))?;
        std::fs::write(path, &file.text)?;
    }
    language.prepare(&root)?;
    std::fs::rename(&root, folder)?;
    Ok(())
}
