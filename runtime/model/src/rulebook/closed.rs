//! Packs that are left out because they have mistakes. Products that earlier versions of them sold
//! still exist, so their specifications are known: no order may touch them until the packs are mended.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Rulebook;
use crate::codes::FailureCode;
use crate::id::{Digest, SpecId};
use crate::outcome::{Failure, FailureClass};
use crate::pack::{Diagnostic, Names, Pack};

/// A pack that is left out.
#[derive(Clone, Debug, PartialEq)]
pub struct LeftOut {
    /// Its name; that of its folder if it cannot be read.
    pub name: String,
    /// Its folder.
    pub folder: String,
    /// What is wrong with it.
    pub diagnostics: Vec<Diagnostic>,
    /// The version of it that was in use last, if there is one: what that delivered is billed and
    /// rated by it, and its pools stay.
    pub kept: Option<Digest>,
}

/// The entities of packs that are left out.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Closed {
    packs: Vec<LeftOut>,
    specs: BTreeMap<SpecId, usize>,
    workflows: BTreeMap<String, usize>,
}

impl LeftOut {
    /// Why it is left out, in a line.
    pub fn reason(&self) -> String {
        let mut wrong = self.diagnostics.iter().filter(|found| found.is_error());
        let Some(first) = wrong.next() else { return "it cannot be read".into() };
        let Diagnostic { file, line, column, message, .. } = first;
        let more = match wrong.count() {
            0 => String::new(),
            more => format!(" (and {more} more)"),
        };
        format!("{file}:{line}:{column}: {message}{more}")
    }

    fn failure(&self, what: &str) -> Failure {
        let message = format!(
            "{what} belongs to the pack `{}`, which is left out: {}; mend it and start the server \
             again, then retry",
            self.name,
            self.reason()
        );
        Failure::new(FailureClass::Operator, FailureCode::PackLeftOut, message)
    }
}

impl Rulebook {
    /// The same rules, with packs that are left out, each with what belongs to it. A kept version of
    /// one is among the packs already. An entity that a pack in use has too is
    /// that pack's.
    #[must_use]
    pub fn without(self, packs: Vec<(LeftOut, Names)>) -> Self {
        let mut closed = Closed::default();
        let is_kept = |name: &str| packs.iter().any(|(p, _)| p.kept.is_some() && p.name == name);
        let open: Vec<&Pack> = self.packs().filter(|pack| !is_kept(&pack.name)).collect();
        let has_spec = |id: &SpecId| open.iter().any(|pack| pack.catalog.has(id));
        let has_workflow = |name: &str| open.iter().any(|pack| pack.workflows.contains_key(name));
        for (index, (_, names)) in packs.iter().enumerate() {
            let taken = |id: &SpecId| names.entities.contains(id) && has_spec(id);
            let specs = names.entities.iter().chain(&names.ruled).filter(|id| !taken(id));
            for spec in specs {
                closed.specs.entry(spec.clone()).or_insert(index);
            }
            for workflow in names.workflows.iter().filter(|name| !has_workflow(name)) {
                closed.workflows.entry(workflow.clone()).or_insert(index);
            }
        }
        closed.packs = packs.into_iter().map(|(pack, _)| pack).collect();
        Self { closed: Arc::new(closed), ..self }
    }

    /// The packs that are left out.
    pub fn left_out(&self) -> &[LeftOut] {
        &self.closed.packs
    }

    /// Whether a pack among these is the kept version of one that is left out.
    pub fn is_kept(&self, name: &str) -> bool {
        self.closed.packs.iter().any(|pack| pack.name == name && pack.kept.is_some())
    }

    /// Why no order may touch a specification or an offering, if so.
    pub(crate) fn closed(&self, id: &SpecId) -> Option<Failure> {
        let pack = self.closed.packs.get(*self.closed.specs.get(id)?)?;
        Some(pack.failure(&format!("`{id}`")))
    }

    /// Why a workflow cannot be run, if its pack is left out.
    pub fn closed_workflow(&self, name: &str) -> Option<Failure> {
        let pack = self.closed.packs.get(*self.closed.workflows.get(name)?)?;
        Some(pack.failure(&format!("the workflow `{name}`")))
    }
}
