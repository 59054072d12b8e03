//! TMF702: resources that are activated directly. Its resources are those of TMF639, as in
//! hrefs.

use super::tmf639::RESOURCE;
use super::{DEFAULT, READ, lifecycle};
use crate::resource::{Api, Owner, Resource};

pub(super) static API: Api = Api {
    number: 702,
    title: "Resource Activation and Configuration",
    version: "4.0.0",
    base: "ResourceActivationAndConfiguration",
    aliases: &["resourceActivationAndConfiguration", "resourceActivation"],
    v5: None,
    resources: &[
        Resource { mandatory: &[], owner: Owner::Activation, ..RESOURCE },
        Resource {
            name: "monitor",
            key: "resourceMonitor",
            shape: "Monitor",
            operations: READ,
            lifecycle: Some(lifecycle::free("state")),
            indexed: &["sourceHref"],
            ..DEFAULT
        },
    ],
};
