use serde_json::json;

use super::*;

fn rules() -> ClaimRules {
    let more = OneOrMore::More(vec!["operator".into(), "biller".into()]);
    ClaimRules {
        roles_claim: Some("realm_access.roles".into()),
        roles: BTreeMap::from([
            ("sales".into(), OneOrMore::One("agent".into())),
            ("ops".into(), more),
        ]),
        ..ClaimRules::default()
    }
}

fn claims(value: impl serde::Serialize) -> Claims {
    serde_json::from_str(&serde_json::to_string(&value).unwrap()).unwrap()
}

fn roles(rules: &ClaimRules, value: impl serde::Serialize) -> Vec<String> {
    let granted = rules.read(&claims(value)).unwrap();
    granted.roles.iter().map(ToString::to_string).collect()
}

#[test]
fn values_of_a_claim_become_roles() {
    let table = [
        (json!({ "realm_access": { "roles": ["sales"] } }), vec!["agent"]),
        (
            json!({ "realm_access": { "roles": ["ops", "sales"] } }),
            vec!["agent", "biller", "operator"],
        ),
        (json!({ "realm_access": { "roles": "sales" } }), vec!["agent"]),
        (json!({ "realm_access": { "roles": "openid sales" } }), vec!["agent"]),
        (json!({ "realm_access.roles": ["sales"] }), vec!["agent"]),
        // The name of a role here is no value there.
        (json!({ "realm_access": { "roles": ["administrator", "SALES", 5, ["ops"]] } }), vec![]),
        (json!({ "realm_access": ["sales"] }), vec![]),
        (json!({ "roles": ["sales"] }), vec![]),
        (json!({}), vec![]),
    ];
    for (value, expected) in table {
        let text = value.to_string();
        assert_eq!(roles(&rules(), value), expected, "{text}");
    }
}

#[test]
fn default_roles_count_if_the_claim_gives_none() {
    let rules = ClaimRules { default_roles: vec!["reader".into()], ..rules() };
    assert_eq!(roles(&rules, json!({})), ["reader"]);
    assert_eq!(roles(&rules, json!({ "realm_access": { "roles": ["sales"] } })), ["agent"]);
}

#[test]
fn a_tenant_is_named_by_the_settings_or_by_one_claim() {
    let fixed = ClaimRules { tenant: Some("acme".into()), ..ClaimRules::default() };
    assert_eq!(fixed.read(&Claims::new()).unwrap().tenant.as_deref(), Some("acme"));
    let claimed = ClaimRules { tenant_claim: Some("org".into()), ..ClaimRules::default() };
    let found = |value| claimed.read(&claims(value)).map(|granted| granted.tenant);
    assert_eq!(found(json!({ "org": "acme" })), Ok(Some("acme".into())));
    assert_eq!(found(json!({})), Err(ClaimsError::NoTenant("org".into())));
    assert_eq!(found(json!({ "org": 5 })), Err(ClaimsError::NoTenant("org".into())));
    assert_eq!(found(json!({ "org": ["a", "b"] })), Err(ClaimsError::Tenants("org".into())));
}

#[test]
fn rules_that_cannot_work_are_refused_by_name() {
    let table = [
        (
            ClaimRules { default_roles: vec!["readr".into()], ..rules() },
            "`readr`; did you mean `reader`",
        ),
        (ClaimRules { roles_claim: None, ..rules() }, "`roles` needs `roles-claim`"),
        (ClaimRules { roles: BTreeMap::new(), ..rules() }, "`roles-claim` needs `roles`"),
        (
            ClaimRules { tenant: Some("a".into()), tenant_claim: Some("b".into()), ..rules() },
            "one of `tenant` and `tenant-claim`",
        ),
    ];
    assert_eq!(rules().check(&Roles::default()), Ok(()));
    for (rules, expected) in table {
        let error = rules.check(&Roles::default()).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
}
