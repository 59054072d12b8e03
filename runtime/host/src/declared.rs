//! What a component declares of instances, memories and tables, counted as often as it instantiates
//! them. It is known from its bytes, so what declares too much is refused before it is compiled.

use wasmparser::{
    BinaryReaderError, ComponentAlias, ComponentExternalKind, ComponentInstance,
    ComponentOuterAliasKind, ComponentTypeRef, ElementItems, Encoding, Instance, Parser, Payload,
};

use crate::error::InstallError;
use crate::limits::{CORE_INSTANCES_MAX, INSTANCE_BYTES_MAX, MEMORIES_MAX, TABLES_MAX};

/// Max bytes that the host keeps of one import, function or global of a core instance.
const ENTRY_BYTES: u64 = 40;
/// The same of a core instance itself.
const INSTANCE_BYTES: u64 = 1 << 10;

/// What one instance of something takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Declared {
    core_instances: u64,
    memories: u64,
    tables: u64,
    entries: u64,
}

/// A component that is being read.
#[derive(Debug, Default)]
struct Open {
    total: Declared,
    /// The core modules and components that it can instantiate, by index; `None` is one that comes
    /// from elsewhere.
    modules: Vec<Option<Declared>>,
    components: Vec<Option<Declared>>,
}

impl Declared {
    /// Counts what a component declares.
    #[expect(clippy::wildcard_enum_match_arm, reason = "a component has 30 kinds of sections")]
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, InstallError> {
        let mut components: Vec<Open> = Vec::new();
        let mut module: Option<Self> = None;
        let mut last = Self::default();
        for payload in Parser::new(0).parse_all(bytes) {
            let payload = payload.map_err(InstallError::Malformed)?;
            if let Some(open) = &mut module {
                if matches!(payload, Payload::End(_)) {
                    let done = module.take();
                    components.last_mut().into_iter().for_each(|open| open.modules.push(done));
                } else {
                    open.add_section(payload).map_err(bad)?;
                }
                continue;
            }
            match payload {
                Payload::Version { encoding: Encoding::Component, .. } => {
                    components.push(Open::default());
                }
                Payload::Version { encoding: Encoding::Module, .. } => {
                    module = Some(Self { core_instances: 1, ..Self::default() });
                }
                Payload::End(_) => {
                    last = components.pop().map(|open| open.total).unwrap_or_default();
                    components
                        .last_mut()
                        .into_iter()
                        .for_each(|open| open.components.push(Some(last)));
                }
                payload => Open::add_section(&mut components, payload)?,
            }
        }
        Ok(last)
    }

    /// Refuses what declares more than an instance may have.
    pub(crate) fn check(self) -> Result<Self, InstallError> {
        let kib = |bytes: usize| (bytes >> 10) as u64;
        let limits = [
            ("core instances", self.core_instances, u64::from(CORE_INSTANCES_MAX)),
            ("linear memories", self.memories, u64::from(MEMORIES_MAX)),
            ("tables", self.tables, u64::from(TABLES_MAX)),
            (
                "KiB of imports, functions and globals",
                kib(self.instance_bytes()),
                kib(INSTANCE_BYTES_MAX),
            ),
        ];
        match limits.into_iter().find(|(_, count, max)| count > max) {
            Some((what, count, max)) => Err(InstallError::TooMany { what, count, max }),
            None => Ok(self),
        }
    }

    fn add(&mut self, more: Self) {
        self.core_instances = self.core_instances.saturating_add(more.core_instances);
        self.memories = self.memories.saturating_add(more.memories);
        self.tables = self.tables.saturating_add(more.tables);
        self.entries = self.entries.saturating_add(more.entries);
    }

    /// What the host keeps of an instance, beside its memories and tables.
    pub(crate) fn instance_bytes(self) -> usize {
        let bytes = self.entries.saturating_mul(ENTRY_BYTES);
        let bytes = bytes.saturating_add(self.core_instances.saturating_mul(INSTANCE_BYTES));
        usize::try_from(bytes).unwrap_or(usize::MAX)
    }

    /// Adds a section of a core module. A function counts where it can be referred to, which takes
    /// an export or an element.
    #[expect(clippy::wildcard_enum_match_arm, reason = "a module has 20 kinds of sections")]
    fn add_section(&mut self, section: Payload<'_>) -> Result<(), BinaryReaderError> {
        let entries = match section {
            Payload::MemorySection(section) => {
                self.memories += u64::from(section.count());
                section.count()
            }
            Payload::TableSection(section) => {
                self.tables += u64::from(section.count());
                section.count()
            }
            Payload::ImportSection(section) => section.count(),
            Payload::GlobalSection(section) => section.count(),
            Payload::ExportSection(section) => section.count(),
            Payload::ElementSection(section) => {
                for element in section {
                    self.entries += u64::from(match element?.items {
                        ElementItems::Functions(items) => items.count(),
                        ElementItems::Expressions(_, items) => items.count(),
                    });
                }
                0
            }
            _ => 0,
        };
        self.entries += u64::from(entries);
        Ok(())
    }
}

impl Open {
    /// Adds what a section of the innermost component instantiates, or can.
    #[expect(clippy::wildcard_enum_match_arm, reason = "a component has 30 kinds of sections")]
    fn add_section(open: &mut [Self], section: Payload<'_>) -> Result<(), InstallError> {
        match section {
            Payload::InstanceSection(section) => {
                for instance in section {
                    if let Instance::Instantiate { module_index, .. } = instance.map_err(bad)? {
                        instantiate(open, module_index, |open| &open.modules)?;
                    }
                }
            }
            Payload::ComponentInstanceSection(section) => {
                for instance in section {
                    let instance = instance.map_err(bad)?;
                    if let ComponentInstance::Instantiate { component_index, .. } = instance {
                        instantiate(open, component_index, |open| &open.components)?;
                    }
                }
            }
            Payload::ComponentAliasSection(section) => {
                for alias in section {
                    let alias = alias.map_err(bad)?;
                    alias_of(open, &alias);
                }
            }
            Payload::ComponentImportSection(section) => {
                for import in section {
                    let kind = match import.map_err(bad)?.ty {
                        ComponentTypeRef::Module(_) => ComponentExternalKind::Module,
                        ComponentTypeRef::Component(_) => ComponentExternalKind::Component,
                        _ => continue,
                    };
                    push(open, kind, None);
                }
            }
            Payload::ComponentExportSection(section) => {
                // What is exported has a new index beside the one that it had.
                for export in section {
                    let export = export.map_err(bad)?;
                    let known = known(open, 0, export.kind, export.index);
                    push(open, export.kind, known);
                }
            }
            _ => {}
        }
        Ok(())
    }
}

fn bad(error: BinaryReaderError) -> InstallError {
    InstallError::Malformed(error)
}

fn instantiate(
    open: &mut [Open],
    index: u32,
    of: impl Fn(&Open) -> &Vec<Option<Declared>>,
) -> Result<(), InstallError> {
    let Some(open) = open.last_mut() else { return Ok(()) };
    // An index that there is not is left to the compiler to refuse.
    let Some(found) = of(open).get(index as usize).copied() else { return Ok(()) };
    let Some(declared) = found else { return Err(InstallError::Foreign) };
    open.total.add(declared);
    Ok(())
}

fn alias_of(open: &mut [Open], alias: &ComponentAlias<'_>) {
    match *alias {
        ComponentAlias::InstanceExport { kind, .. } => push(open, kind, None),
        ComponentAlias::Outer { kind, count, index } => {
            let kind = match kind {
                ComponentOuterAliasKind::CoreModule => ComponentExternalKind::Module,
                ComponentOuterAliasKind::Component => ComponentExternalKind::Component,
                ComponentOuterAliasKind::CoreType | ComponentOuterAliasKind::Type => return,
            };
            let known = known(open, count, kind, index);
            push(open, kind, known);
        }
        ComponentAlias::CoreInstanceExport { .. } => {}
    }
}

/// A module or component by its index, this far out.
fn known(open: &[Open], outward: u32, kind: ComponentExternalKind, index: u32) -> Option<Declared> {
    let place = open.len().checked_sub(outward as usize + 1)?;
    let open = open.get(place)?;
    let known =
        if kind == ComponentExternalKind::Module { &open.modules } else { &open.components };
    known.get(index as usize).copied().flatten()
}

/// Gives a module or component the next index of the innermost component.
fn push(open: &mut [Open], kind: ComponentExternalKind, declared: Option<Declared>) {
    let Some(open) = open.last_mut() else { return };
    match kind {
        ComponentExternalKind::Module => open.modules.push(declared),
        ComponentExternalKind::Component => open.components.push(declared),
        ComponentExternalKind::Func
        | ComponentExternalKind::Value
        | ComponentExternalKind::Type
        | ComponentExternalKind::Instance => {}
    }
}

#[cfg(test)]
mod tests;
