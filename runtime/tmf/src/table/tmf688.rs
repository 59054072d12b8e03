//! TMF688: topics of events. Events and hubs of a topic are served by code of their
//! own.

use super::{DEFAULT, NO_PATCH};
use crate::resource::{Api, Naming, Resource};

pub(super) static API: Api = Api {
    number: 688,
    title: "Event Management",
    version: "4.0.0",
    base: "event",
    aliases: &["eventManagement"],
    v5: None,
    resources: &[Resource {
        name: "topic",
        key: "topic",
        shape: "Topic",
        operations: NO_PATCH,
        indexed: &["name"],
        naming: Naming::Change,
        ..DEFAULT
    }],
};
