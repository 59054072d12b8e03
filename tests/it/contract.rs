//! The reference page of the contract is made of its text, so that none changes without the other.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "the page has words for what the contract uses"
)]

use std::fmt::Write as _;

use wit_parser::{
    Docs, Function, Interface, InterfaceId, PackageId, Resolve, Stability, Type, TypeDef,
    TypeDefKind, WorldItem, WorldKey,
};

use crate::reference::hold;
use crate::world::repository;

/// A package of WIT with its definitions.
struct Contract {
    resolve: Resolve,
    package: PackageId,
}

impl Contract {
    fn read() -> Self {
        let mut resolve = Resolve::default();
        let folder = tempfile::tempdir().unwrap();
        // The folder has earlier versions too, each a package of its own.
        for file in std::fs::read_dir(repository().join("wit")).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_some_and(|kind| kind == "wit") {
                std::fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
            }
        }
        let (package, _) = resolve.push_dir(folder.path()).unwrap();
        Self { resolve, package }
    }

    fn page(&self) -> String {
        let package = &self.resolve.packages[self.package];
        let mut page = format!(
            "# Contract with plugins: reference\n\n\
             Made of `wit/*.wit`, with `FERRULE_BLESS=1`. [`wit/README.md`](../../wit/README.md) explains the roles, \
             [`wit/CONTRACT.md`](../../wit/CONTRACT.md) what may change. The package is `{}`.\n\n## Worlds\n",
            package.name
        );
        for world in package.worlds.values() {
            let world = &self.resolve.worlds[*world];
            writeln!(page, "\n### World `{}`\n\n{}", world.name, text(&world.docs)).unwrap();
            writeln!(page, "Since {}.\n", since(&world.stability)).unwrap();
            for (title, items) in [("imports", &world.imports), ("exports", &world.exports)] {
                // An interface that only has types is imported without being called.
                let names: Vec<String> = items
                    .iter()
                    .filter(|(_, item)| !matches!(item, WorldItem::Interface { id, .. } if self.interface(*id).functions.is_empty()))
                    .map(|(key, _)| self.link(key))
                    .collect();
                if !names.is_empty() {
                    writeln!(page, "- {title}: {}", names.join(", ")).unwrap();
                }
            }
        }
        page.push_str("\n## Interfaces\n");
        for id in package.interfaces.values() {
            self.add_interface(self.interface(*id), &mut page);
        }
        page
    }

    fn interface(&self, id: InterfaceId) -> &Interface {
        &self.resolve.interfaces[id]
    }

    fn link(&self, key: &WorldKey) -> String {
        let name = match key {
            WorldKey::Name(name) => name.clone(),
            WorldKey::Interface(id) => self.interface(*id).name.clone().unwrap(),
        };
        format!("[`{name}`](#interface-{name})")
    }

    fn add_interface(&self, interface: &Interface, page: &mut String) {
        let name = interface.name.as_deref().unwrap();
        writeln!(page, "\n### Interface `{name}`\n\n{}", text(&interface.docs)).unwrap();
        writeln!(page, "Since {}.", since(&interface.stability)).unwrap();
        for (name, function) in &interface.functions {
            let signature = self.signature(function);
            writeln!(
                page,
                "\n#### `{name}`\n\n```wit\n{name}: {signature}\n```\n\n{}",
                text(&function.docs)
            )
            .unwrap();
        }
        for (name, id) in &interface.types {
            let defined = &self.resolve.types[*id];
            // A name that is used from another interface is explained there.
            if !matches!(defined.kind, TypeDefKind::Type(Type::Id(_))) {
                self.add_type(name, defined, page);
            }
        }
    }

    fn add_type(&self, name: &str, defined: &TypeDef, page: &mut String) {
        let rows: Vec<(&str, Option<Type>, &Docs)> = match &defined.kind {
            TypeDefKind::Record(record) => record
                .fields
                .iter()
                .map(|field| (&*field.name, Some(field.ty), &field.docs))
                .collect(),
            TypeDefKind::Enum(all) => {
                all.cases.iter().map(|case| (&*case.name, None, &case.docs)).collect()
            }
            TypeDefKind::Variant(variant) => {
                variant.cases.iter().map(|case| (&*case.name, case.ty, &case.docs)).collect()
            }
            _ => Vec::new(),
        };
        let kind = match &defined.kind {
            TypeDefKind::Record(_) => "record".into(),
            TypeDefKind::Enum(_) => "enum".into(),
            TypeDefKind::Variant(_) => "variant".into(),
            other => self.kind(other),
        };
        writeln!(page, "\n#### {kind} `{name}`\n\n{}", text(&defined.docs)).unwrap();
        if rows.is_empty() {
            return;
        }
        page.push_str("| name | type | |\n|---|---|---|\n");
        for (name, ty, docs) in rows {
            let ty = ty.map(|ty| format!("`{}`", self.name(&ty))).unwrap_or_default();
            writeln!(page, "| `{name}` | {ty} | {} |", text(docs).replace('\n', " ").trim())
                .unwrap();
        }
    }

    fn signature(&self, function: &Function) -> String {
        let parameters =
            function.params.iter().map(|one| format!("{}: {}", one.name, self.name(&one.ty)));
        let parameters = parameters.collect::<Vec<_>>().join(", ");
        match &function.result {
            Some(result) => format!("func({parameters}) -> {}", self.name(result)),
            None => format!("func({parameters})"),
        }
    }

    fn name(&self, ty: &Type) -> String {
        let Type::Id(id) = ty else { return format!("{ty:?}").to_lowercase() };
        let defined = &self.resolve.types[*id];
        defined.name.clone().unwrap_or_else(|| self.kind(&defined.kind))
    }

    fn kind(&self, kind: &TypeDefKind) -> String {
        let optional = |ty: &Option<Type>| ty.map_or_else(|| "_".to_owned(), |ty| self.name(&ty));
        match kind {
            TypeDefKind::Option(ty) => format!("option<{}>", self.name(ty)),
            TypeDefKind::List(ty) => format!("list<{}>", self.name(ty)),
            TypeDefKind::Result(result) => {
                format!("result<{}, {}>", optional(&result.ok), optional(&result.err))
            }
            TypeDefKind::Type(ty) => self.name(ty),
            other => panic!("the page has no words for {other:?}"),
        }
    }
}

/// A comment as a paragraph.
fn text(docs: &Docs) -> String {
    docs.contents.as_deref().map(|text| format!("{}\n", text.trim())).unwrap_or_default()
}

fn since(stability: &Stability) -> String {
    match stability {
        Stability::Stable { since, .. } => since.to_string(),
        Stability::Unknown | Stability::Unstable { .. } => panic!("`@since` is missing"),
    }
}

#[test]
fn the_page_of_the_contract_is_made_of_its_text() {
    hold(&repository().join("docs/reference/plugin-contract.md"), &Contract::read().page());
}

/// The documents of the contract name each version that the host serves, with the components that prove it.
#[test]
fn the_promise_names_the_served_versions() {
    let promise = std::fs::read_to_string(repository().join("wit/CONTRACT.md")).unwrap();
    let folders = std::fs::read_dir(repository().join("runtime/host/tests")).unwrap();
    let names = folders.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let kept: Vec<String> = names.filter(|name| name.starts_with("contract-")).collect();
    assert_eq!(kept.len(), 2, "{kept:?}");
    for folder in kept {
        assert!(promise.contains(&format!("runtime/host/tests/{folder}")), "{folder}");
    }
    let contract = Contract::read();
    let current = contract.resolve.packages[contract.package].name.to_string();
    assert!(promise.contains(&current), "{current}");
}
