//! TMF669: the roles that parties play.

use super::{DEFAULT, lifecycle};
use crate::resource::{Api, Reference, Resource};

pub(super) static API: Api = Api {
    number: 669,
    title: "Party Role Management",
    version: "4.0.0",
    base: "partyRoleManagement",
    aliases: &["partyRole"],
    v5: None,
    resources: &[Resource {
        name: "partyRole",
        key: "partyRole",
        shape: "PartyRole",
        mandatory: &["name"],
        lifecycle: Some(lifecycle::free("status")),
        references: &[Reference {
            path: "engagedParty",
            to: &["individual", "organization"],
            is_acted_on: false,
        }],
        indexed: &["name", "engagedParty.id", "account.id", "relatedParty.id"],
        ..DEFAULT
    }],
};
