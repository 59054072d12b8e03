//! Inspects a plugin's file without installing it: what it asks of the steps that call it.

use std::sync::Arc;

use model::Failure;
use model::pack::Asked;
use serde::Deserialize as _;
use serde_json::{Map, Value};

use crate::answer;
use crate::component::Component;
use crate::contract::Part;
use crate::error::InstallError;
use crate::host::Host;
use crate::invoke::{self, Schemas};
use crate::manifest::{Input, Manifest};
use crate::schema::Keywords;

/// A plugin's file.
#[derive(Clone, Debug)]
pub struct Inspected {
    /// Its manifest.
    pub manifest: Manifest,
    /// Whether its work can be undone.
    pub can_undo: bool,
    /// The schemas by which it describes its JSON; `None` if it does not.
    pub schemas: Option<Schemas>,
    /// The input of the steps that call it, if it describes that.
    input: Option<Input>,
}

/// Why a file cannot be inspected.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// It is no plugin.
    #[error("the file is no plugin")]
    Plugin(#[source] InstallError),
    /// It declares other settings than it describes.
    #[error("the manifest and `describe` contradict each other: {0}")]
    Settings(String),
    /// It could not describe its JSON.
    #[error("the plugin cannot describe its input: {}", .0.message)]
    Description(Failure),
}

impl Host {
    /// Inspects a plugin's file. If the plugin describes its JSON it is compiled and called, with
    /// nothing granted.
    pub async fn inspect(&self, bytes: Vec<u8>) -> Result<Inspected, InspectError> {
        let component = Component::read(bytes, self.0.plugin_bytes_max)
            .map_err(|refused| InspectError::Plugin(refused.error))?;
        let component = Arc::new(component);
        let schemas = match component.parts.contains(&Part::Description) {
            true => {
                let plugin = self.make(&component).await.map_err(InspectError::Plugin)?;
                let described = invoke::describe(&self.0, &plugin).await;
                described.map_err(InspectError::Description)?
            }
            false => None,
        };
        let (manifest, can_undo) = (component.manifest.clone(), component.can_undo());
        let settings = schemas.as_ref().and_then(|schemas| schemas.settings.as_ref());
        if let (Some(schema), false) = (settings, manifest.settings.is_empty()) {
            let keywords = keywords("settings", schema).map_err(InspectError::Description)?;
            keywords.agree(&manifest.settings).map_err(InspectError::Settings)?;
        }
        let described = schemas.as_ref().and_then(|schemas| schemas.input.as_ref());
        let input = described
            .map(|schema| keywords("inputs", schema).map(|schema| Input::of_schema(&schema)))
            .transpose();
        let input = input.map_err(InspectError::Description)?;
        Ok(Inspected { manifest, can_undo, schemas, input })
    }
}

impl Inspected {
    /// The input that steps must have to call it.
    pub fn asked(self) -> Asked {
        self.input.unwrap_or(self.manifest.input).asked(self.can_undo)
    }
}

/// A schema that a plugin describes.
fn keywords(of: &str, schema: &Map<String, Value>) -> Result<Keywords, Failure> {
    let wrong =
        |error| answer::malformed(&format!("a schema of {of} with a wrong keyword: {error}"));
    Keywords::deserialize(schema).map_err(wrong)
}
