use super::*;
use crate::http::permits;

fn space(free_bytes_min: u64) -> Space {
    Space { folder: std::env::temp_dir(), free_bytes_min }
}

/// Which of all permissions that some route demands are refused.
fn refused(space: &Space) -> Vec<String> {
    let all = permits::permissions().into_iter();
    let refused = all.filter(|permission| space.check(&[Demand::own(permission.clone())]).is_err());
    refused.map(|permission| permission.to_string()).collect()
}

#[test]
fn a_full_disk_refuses_what_takes_on_work_and_nothing_else() {
    let refused = refused(&space(u64::MAX));
    for taken in [
        "TMF622/productOrder:create",
        "TMF641/serviceOrder:create",
        "TMF629/customer:change",
        "orchestration/workflows/runs:act",
        "orchestration/imports:change",
    ] {
        assert!(refused.iter().any(|permission| permission == taken), "{taken}: {refused:?}");
    }
    let goes_on = |permission: &&String| {
        ["read", "delete"].iter().any(|verb| permission.ends_with(verb))
            || [
                "callbacks",
                "fulfilments",
                "pools",
                "persons",
                "backups",
                "keys",
                "sessions",
                "quarantine",
            ]
            .iter()
            .any(|own| permission.starts_with(&format!("orchestration/{own}")))
    };
    assert_eq!(refused.iter().find(goes_on), None);
}

#[test]
fn each_operation_that_takes_on_work_is_demanded_by_some_route() {
    let all = permits::permissions();
    for name in TAKING_ON {
        let own = |permission: &Permission| {
            permission.api == ApiName::Orchestration && permission.resource == name
        };
        assert!(all.iter().any(own), "{name}");
    }
}

#[test]
fn a_disk_with_space_refuses_nothing() {
    assert_eq!(refused(&space(1)), [""; 0]);
}

#[test]
fn a_folder_that_is_gone_refuses_nothing() {
    let folder = tempfile::tempdir().unwrap().path().join("gone");
    assert_eq!(refused(&Space { folder, free_bytes_min: u64::MAX }), [""; 0]);
}

#[test]
fn a_store_in_a_database_and_a_limit_of_nothing_need_no_disk() {
    let config = Config::default();
    assert!(Space::of(&config).is_some());
    let database = Config { store: Some("postgres://localhost/x".into()), ..Config::default() };
    assert_eq!(Space::of(&database), None);
    let mut unlimited = Config::default();
    unlimited.limits.disk_free_mib = 0;
    assert_eq!(Space::of(&unlimited), None);
}
