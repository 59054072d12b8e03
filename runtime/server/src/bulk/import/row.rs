//! A row of an import: a line, read and checked by itself.

use serde_json::Value;
use tmf::href;
use tmf::json;
use tmf::resource::Resource;

use crate::bulk::lines::Line;
use crate::bulk::progress::WrongLine;

/// A line that was read.
#[derive(Clone)]
pub(super) struct Row {
    pub(super) line: u64,
    pub(super) body: Result<Value, WrongLine>,
    /// The id if the row has none: it is the same in each attempt.
    pub(super) id: String,
}

impl Row {
    /// Reads a line. Hrefs that begin with the base are ours.
    pub(super) fn read(resource: &Resource, line: &Line, base: &str) -> Self {
        let wrong = |path: String, message: String| {
            let path = if path.is_empty() { "$".to_string() } else { path };
            WrongLine { line: line.number, path, message }
        };
        let body = json::parse(&line.bytes)
            .map_err(|error| wrong(String::new(), error.to_string()))
            .and_then(|mut body| {
                href::relative(&mut body, base);
                let checked = resource.check_taken_over(&body);
                checked.map_err(|invalid| wrong(invalid.path, invalid.message))?;
                Ok(body)
            });
        let id = body.as_ref().ok().and_then(|body| body.get("id")?.as_str());
        let id = id.filter(|id| !id.is_empty()).map(str::to_string);
        let id = id.unwrap_or_else(|| uuid::Uuid::now_v7().simple().to_string());
        Self { line: line.number, body, id }
    }
}
