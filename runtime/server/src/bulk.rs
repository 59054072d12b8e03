//! Imports and exports of millions of documents as NDJSON, in constant
//! memory.

pub(crate) mod export;
pub(crate) mod import;
pub(crate) mod jobs;
pub(crate) mod lines;
pub(crate) mod progress;
