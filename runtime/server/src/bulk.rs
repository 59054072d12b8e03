//! Much at once: documents by the million, a line of JSON for each (NDJSON), in and out, in constant
//! memory.

pub(crate) mod import;
pub(crate) mod jobs;
pub(crate) mod lines;
pub(crate) mod progress;
