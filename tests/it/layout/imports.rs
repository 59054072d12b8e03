//! Which modules import which. A module may use what lies above it (its parents) and below it (its
//! children); two that lie side by side may use each other in one direction only.

use std::collections::{BTreeMap, BTreeSet};

use syn::visit::{self, Visit};

use super::source::Source;

type Module = Vec<String>;

/// What each module imports of those beside it.
type Edges = BTreeMap<Module, BTreeSet<Module>>;

/// The circles of modules that lie side by side, each with the imports that make it.
pub(super) fn cycles(sources: &[Source]) -> Vec<String> {
    let modules: BTreeSet<&Module> = sources.iter().map(|source| &source.module).collect();
    let mut edges = Edges::new();
    let mut places: BTreeMap<(Module, Module), Vec<String>> = BTreeMap::new();
    for source in sources {
        for path in &source.imports {
            let Some(target) = longest(path, &modules) else { continue };
            let shared =
                source.module.iter().zip(&target).take_while(|(one, other)| one == other).count();
            // One lies within the other.
            if shared == source.module.len() || shared == target.len() {
                continue;
            }
            let cut = |module: &Module| module[..=shared].to_vec();
            let (from, to) = (cut(&source.module), cut(&target));
            edges.entry(from.clone()).or_default().insert(to.clone());
            let place = format!("{} uses {}", source.path, path.join("::"));
            places.entry((from, to)).or_default().push(place);
        }
    }
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for module in edges.keys() {
        let circle: BTreeSet<&Module> = reachable(module, &edges)
            .into_iter()
            .filter(|other| reachable(other, &edges).contains(module))
            .collect();
        if circle.contains(module) && seen.insert(circle.clone()) {
            let names: Vec<String> = circle.iter().map(|module| module.join("::")).collect();
            let inside =
                |(from, to): &&(Module, Module)| circle.contains(from) && circle.contains(to);
            let imports = places.keys().filter(inside).flat_map(|edge| &places[edge]);
            let imports: Vec<String> = imports.map(|place| format!("    {place}")).collect();
            found.push(format!("{}\n{}", names.join(" <-> "), imports.join("\n")));
        }
    }
    found
}

/// What a file of a module imports, from the root of the crate.
pub(super) fn of(module: &Module, syntax: &syn::File) -> BTreeSet<Module> {
    let mut paths = Paths { module, found: BTreeSet::new() };
    paths.visit_file(syntax);
    paths.found
}

/// What can be reached from a module by one import at least.
fn reachable<'a>(from: &Module, edges: &'a Edges) -> BTreeSet<&'a Module> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&Module> = edges.get(from).into_iter().flatten().collect();
    while let Some(module) = open.pop() {
        if reached.insert(module) {
            open.extend(edges.get(module).into_iter().flatten());
        }
    }
    reached
}

/// The module that a path leads into.
fn longest(path: &[String], modules: &BTreeSet<&Module>) -> Option<Module> {
    (1..=path.len())
        .rev()
        .map(|length| path[..length].to_vec())
        .find(|start| modules.contains(start))
}

/// The paths of a file that begin with `crate` or `super`, from the root of the crate.
struct Paths<'a> {
    module: &'a Module,
    found: BTreeSet<Module>,
}

impl Paths<'_> {
    fn add(&mut self, path: &[String]) {
        let ups = path.iter().take_while(|segment| *segment == "super").count();
        let base = match path.first().map(String::as_str) {
            Some("crate") => self.module[..1].to_vec(),
            Some("super") => self.module[..self.module.len().saturating_sub(ups).max(1)].to_vec(),
            Some(_) | None => return,
        };
        let rest = path[ups.max(1)..].iter().filter(|segment| *segment != "self").cloned();
        self.found.insert(base.into_iter().chain(rest).collect());
    }

    fn add_tree(&mut self, tree: &syn::UseTree, before: &mut Vec<String>) {
        match tree {
            syn::UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.add_tree(&path.tree, before);
                before.pop();
            }
            syn::UseTree::Group(group) => {
                group.items.iter().for_each(|tree| self.add_tree(tree, before));
            }
            syn::UseTree::Name(name) => {
                self.add(&[before.clone(), vec![name.ident.to_string()]].concat());
            }
            syn::UseTree::Rename(name) => {
                self.add(&[before.clone(), vec![name.ident.to_string()]].concat());
            }
            syn::UseTree::Glob(_) => self.add(&before.clone()),
        }
    }
}

impl<'ast> Visit<'ast> for Paths<'_> {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.add_tree(&item.tree, &mut Vec::new());
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<String> =
            path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.add(&segments);
        visit::visit_path(self, path);
    }

    // Modules within a file are of tests, or are small.
    fn visit_item_mod(&mut self, _: &'ast syn::ItemMod) {}
}
