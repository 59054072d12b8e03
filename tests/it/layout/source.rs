//! The sources of the runtime without their tests, parsed.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use syn::visit::{self, Visit};

use super::imports;
use crate::world::repository;

/// A file of the runtime.
pub(super) struct Source {
    /// Its path below `runtime`.
    pub(super) path: String,
    /// Its module, such as `["model", "plan", "view"]`.
    pub(super) module: Vec<String>,
    /// The modules and items that it imports, from the root of the crate.
    pub(super) imports: BTreeSet<Vec<String>>,
    /// The functions that take or return a JSON value or map.
    pub(super) untyped: Vec<String>,
    text: String,
}

/// Every file of the runtime that is no test, parsed once for all tests.
pub(super) static SOURCES: LazyLock<Vec<Source>> = LazyLock::new(sources);

fn sources() -> Vec<Source> {
    let mut found = Vec::new();
    let crates = std::fs::read_dir(repository().join("runtime")).unwrap();
    for folder in crates.map(|entry| entry.unwrap().path()) {
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        for root in ["lib.rs", "main.rs"] {
            let file = folder.join("src").join(root);
            if file.is_file() {
                add(&file, &folder.join("src"), vec![name.clone()], &mut found);
            }
        }
    }
    assert!(found.len() > 300, "{} files were found", found.len());
    found
}

/// Adds a file and the modules that it declares, unless they are for tests.
fn add(file: &Path, folder: &Path, module: Vec<String>, found: &mut Vec<Source>) {
    let text = std::fs::read_to_string(file).unwrap();
    let syntax =
        syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    for item in &syntax.items {
        let syn::Item::Mod(child) = item else { continue };
        if child.content.is_some() || is_for_tests(&child.attrs) {
            continue;
        }
        let name = child.ident.to_string();
        let below = folder.join(&name);
        let own: PathBuf = below.with_extension("rs");
        let path = if own.is_file() { own } else { below.join("mod.rs") };
        add(&path, &below, [module.clone(), vec![name]].concat(), found);
    }
    let root = repository().join("runtime");
    let path = file.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
    let imports = imports::of(&module, &syntax);
    found.push(Source { path, module, imports, untyped: untyped(&syntax), text });
}

fn is_for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        syn::Meta::List(list) if list.path.is_ident("cfg") => list.tokens.to_string() == "test",
        syn::Meta::List(_) | syn::Meta::Path(_) | syn::Meta::NameValue(_) => false,
    })
}

impl Source {
    /// The crate and the first module below it.
    pub(super) fn area(&self) -> String {
        self.module.iter().take(2).cloned().collect::<Vec<_>>().join("::")
    }

    /// The lines that are not blank.
    pub(super) fn lines(&self) -> usize {
        self.text.lines().filter(|line| !line.trim().is_empty()).count()
    }

    /// How often something is cloned.
    pub(super) fn clones(&self) -> usize {
        self.text.matches(".clone()").count()
    }
}

fn untyped(syntax: &syn::File) -> Vec<String> {
    let mut functions = Untyped(Vec::new());
    functions.visit_file(syntax);
    functions.0
}

struct Untyped(Vec<String>);

impl<'ast> Visit<'ast> for Untyped {
    fn visit_signature(&mut self, signature: &'ast syn::Signature) {
        let mut names = Names { is_untyped: false };
        names.visit_signature(signature);
        if names.is_untyped {
            self.0.push(signature.ident.to_string());
        }
    }
}

struct Names {
    is_untyped: bool,
}

impl<'ast> Visit<'ast> for Names {
    fn visit_type_path(&mut self, path: &'ast syn::TypePath) {
        let last = path.path.segments.last().map(|segment| segment.ident.to_string());
        self.is_untyped |= matches!(last.as_deref(), Some("Value" | "Map"));
        visit::visit_type_path(self, path);
    }
}
