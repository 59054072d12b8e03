//! TMF640: services that are activated directly. Its services are those of TMF638, as in hrefs.

use super::tmf638::SERVICE;
use super::{DEFAULT, READ, lifecycle};
use crate::resource::{Api, Owner, Resource};

pub(super) static API: Api = Api {
    number: 640,
    title: "Service Activation and Configuration",
    version: "4.0.0",
    base: "ServiceActivationAndConfiguration",
    aliases: &["serviceActivationAndConfiguration", "serviceActivation"],
    v5: None,
    resources: &[
        Resource { owner: Owner::Activation, ..SERVICE },
        Resource {
            name: "monitor",
            key: "serviceMonitor",
            shape: "Monitor",
            operations: READ,
            lifecycle: Some(lifecycle::free("state")),
            indexed: &["sourceHref"],
            ..DEFAULT
        },
    ],
};
