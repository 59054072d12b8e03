use std::collections::BTreeSet;

use super::record::Creator;
use super::*;
use crate::access::{Access, Authentication, Presented, Roles, Unproven};

#[tokio::test]
async fn text_that_is_no_key_proves_nothing() {
    let access = Access::new(Authentication::Required, Roles::default());
    let token = Token::draw().unwrap().text();
    for text in ["frl_", "frl_x", token.as_str()] {
        let refused = access.identify(&Presented::Bearer(text)).await;
        assert!(matches!(refused, Err(Unproven::Refused { kind: "API keys", .. })), "{text}");
    }
}

#[test]
fn a_new_key_is_checked() {
    let new = |name: &str, roles: &[&str], days| NewKey {
        name: name.into(),
        roles: roles.iter().map(|role| crate::access::RoleName::new(*role)).collect(),
        plugins: BTreeSet::new(),
        scope: Vec::new(),
        days,
        created_by: Creator { subject: "local".into(), proof: "off".into() },
        names: Names::All,
        request: None,
    };
    let long = "x".repeat(257);
    let table = [
        (new("crm", &["agent"], 90), Ok(())),
        (new("crm", &["agent"], 730), Ok(())),
        (new("crm", &["agent"], 731), Err(NotAKey::Days)),
        (new("crm", &["agent"], 0), Err(NotAKey::Days)),
        (new("crm", &[], 90), Err(NotAKey::NoRole)),
        (new(" ", &["agent"], 90), Err(NotAKey::Name)),
        (new("c\nrm", &["agent"], 90), Err(NotAKey::Name)),
        (new(&long, &["agent"], 90), Err(NotAKey::Name)),
    ];
    for (new, expected) in table {
        assert_eq!(new.check(), expected, "{new:?}");
    }
}
