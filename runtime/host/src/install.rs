//! Installs a plugin: checks its imports against its grants, and links the compiled component. All
//! of it, or nothing changes.

use std::sync::Arc;

use engine::worker::Effects;
use model::{Digest, PluginId};
use tokio::sync::Semaphore;
use wasmtime::Engine;
use wasmtime::component::Linker;

use crate::admission::Usual;
use crate::capability::http;
use crate::component::Component;
use crate::contract::{Exports, Part};
use crate::error::InstallError;
use crate::granting::Granted;
use crate::grants::{self, Grants, Rule};
use crate::limits::Limits;
use crate::link;
use crate::manifest::Manifest;
use crate::mask::Mask;
use crate::role::{Capability, Role};
use crate::secret::Safe;
use crate::setting::{self, Declared};
use crate::state::State;
use crate::used::Ledger;

/// The memory that a call is assumed to need before any call of its plugin has ended.
const USUAL_BYTES: usize = 4 << 20;

/// A plugin that is installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    /// Its id.
    pub id: PluginId,
    /// Its version.
    pub version: String,
    /// Its role.
    pub role: Role,
    /// The digest of its bytes.
    pub digest: Digest,
    /// Whether it can have an effect beyond its answers.
    pub effects: Effects,
}

/// A plugin, ready to be called.
pub(crate) struct Plugin {
    pub(crate) installed: Installed,
    pub(crate) manifest: Manifest,
    pub(crate) name: Arc<str>,
    pub(crate) grants: Arc<Grants>,
    /// The settings that it declares.
    pub(crate) declared: Arc<Declared>,
    pub(crate) limits: Limits,
    pub(crate) client: http::Client,
    /// What its calls use of the grants.
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) exports: Exports<State>,
    /// Whether its work can be undone: by itself, or because it has no effect outside.
    pub(crate) can_undo: bool,
    /// The bytes that the host keeps of an instance, beside its memories and tables.
    pub(crate) instance_bytes: usize,
    /// The memory that its calls take.
    pub(crate) usual: Usual,
    /// Masks the values of its settings and secrets in its answers.
    pub(crate) mask: Arc<Mask>,
    /// One permit for each call that may be under way.
    pub(crate) calls: Semaphore,
}

impl Plugin {
    /// Makes a plugin of a component that was checked and compiled.
    pub(crate) fn link(
        engine: &Engine,
        compiled: &wasmtime::component::Component,
        component: &Component,
        (grants, client): Granted,
        ledger: Ledger,
        safe: &Arc<Safe>,
    ) -> Result<Self, InstallError> {
        let manifest = component.manifest.clone();
        let exports = linker(engine, component)
            .and_then(|linker| linker.instantiate_pre(compiled))
            .and_then(|pre| {
                Exports::find(component.contract, manifest.world, component.parts.clone(), pre)
            })
            .map_err(|error| InstallError::Link(error.into_boxed_dyn_error()))?;
        let limits = Limits::settle(&manifest.limits, &grants.limits);
        let installed = Installed {
            id: component.id(),
            version: manifest.version.clone(),
            role: manifest.world,
            digest: component.digest.clone(),
            effects: effects(component),
        };
        Ok(Self {
            installed,
            name: manifest.id.as_str().into(),
            declared: Arc::new(Declared::new(&manifest.settings)),
            manifest,
            mask: Arc::new(Mask::new(&grants, safe)),
            grants,
            limits,
            client,
            ledger: Arc::new(ledger),
            exports,
            can_undo: component.can_undo(),
            instance_bytes: component.instance_bytes,
            usual: Usual::new(USUAL_BYTES.min((limits.memory_mib as usize) << 20)),
            calls: Semaphore::new(limits.concurrency as usize),
        })
    }
}

impl Plugin {
    /// Whether it offers an optional part of the contract.
    pub(crate) fn offers(&self, part: Part) -> bool {
        self.exports.offer(part)
    }
}

/// Whether a component can have an effect beyond its answers.
pub(crate) fn effects(component: &Component) -> Effects {
    if component.has_effects() { Effects::External } else { Effects::Pure }
}

/// Checks the imports of a component against its role and its grants.
pub(crate) fn check(component: &Component, grants: &Grants) -> Result<(), InstallError> {
    let manifest = &component.manifest;
    if grants.any(Capability::Http) && grants.any(Capability::Reservation) {
        return Err(InstallError::Conflict { plugin: manifest.id.clone() });
    }
    setting::check(&manifest.id, &manifest.settings, &grants.config)
        .map_err(|mistakes| InstallError::Settings { mistakes: mistakes.join("\n") })?;
    for capability in Capability::ALL {
        if !component.imports(capability) {
            continue;
        }
        if !manifest.world.may(capability) {
            return Err(InstallError::NotInRole { role: manifest.world, capability });
        }
        if !grants.any(capability) {
            let lines = proposal(manifest, capability);
            return Err(InstallError::NotGranted { capability, lines });
        }
    }
    Ok(())
}

/// The lines that would grant what a manifest requests of a capability.
fn proposal(manifest: &Manifest, capability: Capability) -> String {
    let requests = &manifest.requests;
    // Others are for people to read.
    let is_rule = |text: &&String| text.parse::<Rule>().is_ok();
    let rules: Vec<_> = requests.http.iter().filter(is_rule).map(String::to_owned).collect();
    let (key, requested, otherwise) = match capability {
        Capability::Http => ("http", &rules[..], "http://element.example:80"),
        Capability::Inventory => ("inventory", &requests.inventory[..], "service"),
        Capability::Reservation => ("pools", &requests.pools[..], "*"),
        Capability::Scratch => {
            return grants::scratch_lines(&manifest.id, requests.scratch.unwrap_or_default());
        }
    };
    match requested.split_last() {
        Some((last, rest)) => grants::lines(&manifest.id, key, rest, last),
        None => grants::lines(&manifest.id, key, &[], otherwise),
    }
}

/// Links the capabilities that a component imports, and nothing else.
fn linker(engine: &Engine, component: &Component) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    // The standard libraries of all languages import parts of WASI; the context is empty.
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    link::add_to_linker(&mut linker, component.contract, |capability| {
        component.imports(capability)
    })?;
    Ok(linker)
}
