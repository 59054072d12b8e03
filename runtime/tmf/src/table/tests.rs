//! The table as a whole: it is consistent, and holds what the definitions have and nothing else.

pub(crate) mod definitions;
mod strictness;

use std::collections::{BTreeMap, BTreeSet};

use crate::resource::{Lifecycle, Resource, Served};
use crate::table::APIS;
use crate::table::{of_key, path};

/// Every resource, with the number of its API.
pub(crate) fn resources() -> impl Iterator<Item = (u16, &'static Resource)> {
    APIS.iter().flat_map(|api| api.resources.iter().map(|resource| (api.number, resource)))
}

#[test]
fn apis_stand_in_order_and_each_has_names_of_its_own() {
    assert!(APIS.is_sorted_by_key(|api| api.number));
    let mut first = BTreeMap::new();
    let mut later = BTreeMap::new();
    for api in APIS {
        for name in [api.base].iter().chain(api.aliases) {
            assert_eq!(first.insert(*name, api.number), None, "`{name}`");
        }
        if let Some(v5) = &api.v5 {
            for name in [v5.base].iter().chain(v5.aliases) {
                assert_eq!(later.insert(*name, api.number), None, "`{name}`");
            }
        }
    }
}

#[test]
fn every_entry_is_complete() {
    for (number, resource) in resources() {
        let name = resource.name;
        assert!(!name.is_empty() && !resource.key.is_empty(), "{number} `{name}`");
        assert!(resource.shape.starts_with(|first: char| first.is_ascii_uppercase()), "{name}");
        assert!(!resource.operations.is_empty(), "{number} `{name}`");
        assert!(resource.server.starts_with(&["id", "href"]), "{number} `{name}`");
        assert!(resource.fixed.starts_with(&["id", "href"]), "{number} `{name}`");
        let given = resource.mandatory.iter().find(|name| resource.server.contains(name));
        assert_eq!(given, None, "{number} `{name}`: a client gives what only the server sets");
        let set = resource.dates.iter().find(|name| !resource.server.contains(name));
        assert_eq!(set, None, "{number} `{name}`: a client gives a date that the server sets");
    }
}

#[test]
fn names_are_distinct_within_an_api() {
    for api in APIS {
        for version in [Served::V4, Served::V5] {
            let served = api
                .resources
                .iter()
                .filter(|resource| resource.served == Served::Always || resource.served == version);
            let names: Vec<&str> = served
                .map(|resource| match (version, resource.name_v5) {
                    (Served::V5, Some(name)) => name,
                    _ => resource.name,
                })
                .collect();
            let distinct: BTreeSet<&str> = names.iter().copied().collect();
            assert_eq!(names.len(), distinct.len(), "{}: {names:?}", api.number);
        }
    }
}

#[test]
fn resources_that_share_documents_agree_on_them() {
    for (number, resource) in resources() {
        let (_, first) = of_key(resource.key).unwrap();
        assert_eq!(first.only_type, None, "hrefs lead to a view of `{}`", resource.key);
        if resource.name != first.name {
            assert!(resource.only_type.is_some(), "{number} `{}`", resource.name);
        }
        assert_eq!(resource.indexed, first.indexed, "{number} `{}`", resource.name);
        assert_eq!(resource.history, first.history, "{number} `{}`", resource.name);
        let lifecycle = |resource: &Resource| {
            resource.lifecycle.map(|lifecycle| (lifecycle.attribute, lifecycle.initial))
        };
        assert_eq!(lifecycle(resource), lifecycle(first), "{number} `{}`", resource.name);
    }
}

#[test]
fn hrefs_lead_to_the_api_that_keeps_the_documents() {
    assert_eq!(path("service"), "/tmf-api/serviceInventory/v4/service");
    assert_eq!(path("resource"), "/tmf-api/resourceInventoryManagement/v4/resource");
    assert_eq!(path("resourceOrder"), "/tmf-api/resourceOrdering/v4/resourceOrder");
    assert_eq!(path("billCycle"), "/tmf-api/customerBillManagement/v5/billCycle");
    assert_eq!(path("of no table"), "");
}

#[test]
fn every_state_that_may_follow_is_known() {
    for (number, resource) in resources() {
        let Some(lifecycle) = resource.lifecycle else { continue };
        let name = resource.name;
        let known: BTreeSet<&str> = lifecycle.next.iter().map(|(state, _)| *state).collect();
        assert_eq!(known.len(), lifecycle.next.len(), "{number} `{name}`: a state stands twice");
        assert!(
            lifecycle.initial.is_empty() || lifecycle.knows(lifecycle.initial),
            "{number} `{name}`"
        );
        for (state, next) in lifecycle.next {
            let unknown = next.iter().find(|next| !known.contains(*next) || *next == state);
            assert_eq!(unknown, None, "{number} `{name}`: after `{state}`");
        }
    }
}

#[test]
fn every_state_can_be_reached_and_lives_end() {
    for (number, resource) in resources() {
        let Some(lifecycle) = resource.lifecycle.filter(|lifecycle| !lifecycle.initial.is_empty())
        else {
            continue;
        };
        let reached = reached(&lifecycle);
        // A later version begins elsewhere: what it begins with is reached by nothing.
        let unreached = lifecycle.next.iter().filter(|(state, _)| !reached.contains(state));
        let unreached: Vec<&str> = unreached.map(|(state, _)| *state).collect();
        let alone = ["acknowledged", "accepted"];
        assert!(unreached.iter().all(|state| alone.contains(state)), "{number} {unreached:?}");
        assert!(
            reached.iter().any(|state| lifecycle.is_final(state)),
            "{number} `{}`",
            resource.name
        );
    }
}

fn reached(lifecycle: &Lifecycle) -> BTreeSet<&'static str> {
    let mut reached = BTreeSet::from([lifecycle.initial]);
    loop {
        let next: BTreeSet<_> = reached.iter().flat_map(|state| lifecycle.after(state)).collect();
        let before = reached.len();
        reached.extend(next);
        if reached.len() == before {
            return reached;
        }
    }
}

#[test]
fn referenced_resources_are_stored() {
    for (number, resource) in resources() {
        for reference in resource.references {
            for key in reference.to {
                assert!(of_key(key).is_some(), "{number} `{}`: `{key}`", resource.name);
            }
        }
    }
}

#[test]
fn a_state_without_a_table_is_any_text() {
    let lifecycle = super::lifecycle::free("status");
    assert!(lifecycle.knows("whatever") && lifecycle.allows("whatever", "else"));
    assert!(!lifecycle.is_final("whatever"));
}

#[test]
fn a_final_order_goes_nowhere() {
    let lifecycle = super::lifecycle::ORDER;
    assert!(
        lifecycle.is_final("completed")
            && !lifecycle.is_final("held")
            && !lifecycle.is_final("unheard")
    );
    assert!(
        lifecycle.allows("completed", "completed") && !lifecycle.allows("completed", "inProgress")
    );
    assert_eq!(lifecycle.after("pendingCancellation"), ["cancelled"]);
}
