use std::collections::BTreeMap;

use serde_json::json;

use super::*;

fn holder(roles: &[&str]) -> Identity {
    Identity {
        roles: roles.iter().map(|role| RoleName::new(*role)).collect(),
        plugins: ["acme-olt".to_owned()].into(),
        claims: BTreeMap::from([("channel".into(), json!("shop"))]),
        ..Identity::local()
    }
}

fn known() -> Vec<Permission> {
    crate::http::permits::permissions()
}

fn decision(roles: &Roles, identity: &Identity, permission: &Permission) -> &'static str {
    match roles.decide(identity, permission) {
        Decision::Denied => "no",
        Decision::Allowed(Scope::All) => "all",
        Decision::Allowed(Scope::Some(..)) => "some",
        Decision::Allowed(Scope::Nothing(_)) => "nothing",
    }
}

#[test]
fn built_in_roles_allow_what_their_names_promise() {
    let roles = Roles::default();
    let order = |verb| Permission::standard(622, "productOrder", verb);
    let own = Permission::own;
    let table = [
        ("reader", order(Verb::Read), "all"),
        ("reader", order(Verb::Create), "no"),
        ("reader", own("/plugins/{id}/scratch", Verb::Read), "no"),
        ("reader", own("/audit", Verb::Read), "no"),
        ("agent", order(Verb::Create), "all"),
        ("agent", own("/fulfilments/{id}/retry", Verb::Act), "no"),
        ("agent", Permission::standard(620, "productOffering", Verb::Create), "no"),
        ("designer", Permission::standard(620, "productOffering", Verb::Create), "all"),
        ("designer", order(Verb::Create), "no"),
        ("operator", own("/fulfilments/{id}/retry", Verb::Act), "all"),
        ("operator", own("/billing/runs", Verb::Act), "no"),
        ("operator", own("/plugins/{id}", Verb::Change), "no"),
        ("vendor", own("/plugins/{id}", Verb::Change), "some"),
        ("vendor", order(Verb::Read), "no"),
        ("vendor", own("/fulfilments/{id}/attempts", Verb::Read), "some"),
        ("biller", own("/billing/runs", Verb::Act), "all"),
        ("biller", order(Verb::Create), "no"),
        ("auditor", own("/audit/{sequence}", Verb::Read), "all"),
        ("auditor", order(Verb::Read), "no"),
        ("administrator", own("/plugins/{id}", Verb::Delete), "all"),
        ("unknown", order(Verb::Read), "no"),
    ];
    for (role, permission, expected) in table {
        let found = decision(&roles, &holder(&[role]), &permission);
        assert_eq!(found, expected, "{role} {permission}");
    }
    assert_eq!(decision(&roles, &holder(&[]), &order(Verb::Read)), "no");
    assert_eq!(decision(&roles, &holder(&["vendor", "reader"]), &order(Verb::Read)), "all");
}

#[test]
fn the_administrator_may_do_everything() {
    let roles = Roles::default();
    for permission in known() {
        let found = decision(&roles, &holder(&["administrator"]), &permission);
        assert_eq!(found, "all", "{permission}");
    }
}

fn custom(text: &str) -> Result<Roles, RoleError> {
    Roles::new(&toml::from_str(text).unwrap(), &known())
}

#[test]
fn a_condition_covers_the_documents_for_which_it_is_true() {
    let text = r#"[dealer]
        allow = [{ api = "TMF622", resources = ["productOrder"], verbs = ["read"],
            when = "document.channel.exists(c, c.id == identity.claims.channel)" }]"#;
    let roles = custom(text).unwrap();
    let read = Permission::standard(622, "productOrder", Verb::Read);
    let Decision::Allowed(scope) = roles.decide(&holder(&["dealer"]), &read) else { panic!() };
    assert!(scope.covers(&json!({ "channel": [{ "id": "shop" }] })));
    assert!(!scope.covers(&json!({ "channel": [{ "id": "web" }] })));
    // A condition that fails allows nothing.
    assert!(!scope.covers(&json!({ "channel": 5 })));
    assert!(!scope.covers(&json!({})));
}

#[test]
fn wrong_roles_are_refused_by_name() {
    let table = [
        (r#"api = "TMF999", verbs = ["read"]"#, "`TMF999` is no API that is served here"),
        (r#"api = ["TMF622", "TMF999"], verbs = ["read"]"#, "`TMF999` is no API that"),
        (r#"api = "billing", verbs = ["read"]"#, "`billing` is no API"),
        (
            r#"api = "TMF622", resources = ["productOrders"], verbs = ["read"]"#,
            "there is no resource `productOrders`; did you mean `productOrder`?",
        ),
        (
            r#"api = "server", verbs = ["read"], when = "identity.subject == 'a'""#,
            "no condition can be applied there",
        ),
        (
            r#"api = ["TMF622", "TMF620"], resources = ["productOrder"], verbs = ["read"]"#,
            "`TMF620` has none of these resources",
        ),
        (
            r#"api = "orchestration", resources = ["fulfilments", "plugins/moves"], verbs = ["read"]"#,
            "`plugins/moves` takes none of these verbs",
        ),
        (r#"api = "TMF622", verbs = ["act"]"#, "nothing there takes the verb `act`"),
        (r#"api = "TMF622", verbs = []"#, "it allows nothing"),
        (r#"api = "TMF622", verbs = ["read"], when = "documnt.id == '1'""#, "`when`, 1:"),
        (
            r#"api = "orchestration", resources = ["billing/*"], verbs = ["read"], when = "has(document.id)""#,
            "no condition can be applied to `billing/*`",
        ),
        (
            r#"api = "TMF622", resources = ["productOrder", "hub"], verbs = ["read"], when = "has(document.id)""#,
            "no condition can be applied to `hub`",
        ),
        (
            r#"api = "orchestration", resources = ["fulfilment/*"], verbs = ["read"]"#,
            "there is no resource `fulfilment/*`; did you mean `fulfilments`?",
        ),
    ];
    for (allow, expected) in table {
        let error = custom(&format!("[dealer]\nallow = [{{ {allow} }}]")).unwrap_err();
        assert!(error.to_string().starts_with("[access.roles.dealer] allow, entry 1: "), "{error}");
        assert!(error.mistake.contains(expected), "{error}");
    }
    let error = custom("[reader]\nallow = []").unwrap_err();
    assert!(error.mistake.contains("built in"), "{error}");
}

#[test]
fn conditions_that_are_none_are_refused() {
    let table = [
        ("1 + 1", "`when` is a sum: a condition is true or false"),
        ("'x'", "`when` is a text"),
        ("document", "`when` is an object"),
        ("identity.roles", "`when` is a list"),
        ("document.id == '1' && identity.subject", "`when` is a text"),
        ("true", "names neither `document` nor `identity`"),
        ("['a'].exists(document, document == 'a')", "names neither"),
        ("document.id == identity.tenant", "there is no `identity.tenant`, but `subject`, `roles`"),
        ("document.id.matches('a')", "unknown function `matches`"),
    ];
    for (when, expected) in table {
        let allow = format!("api = \"TMF622\", verbs = [\"read\"], when = \"{when}\"");
        let error = custom(&format!("[dealer]\nallow = [{{ {allow} }}]")).unwrap_err();
        assert!(error.mistake.contains(expected), "{when}: {error}");
    }
    let error = custom("[dealer]\nallow = []").unwrap_err();
    assert!(error.mistake.contains("it allows nothing"), "{error}");
}

/// The built-in roles as letters, for a permission of each verb: `*` where a condition narrows it.
fn letters(roles: &Roles, role: &str, of: &[&Permission]) -> String {
    let letter = |permission: &&Permission| {
        let letter = match permission.verb {
            Verb::Read => "r",
            Verb::Create => "c",
            Verb::Change => "w",
            Verb::Delete => "d",
            Verb::Act => "a",
        };
        match decision(roles, &holder(&[role]), permission) {
            "all" => letter.to_owned(),
            "some" => format!("{letter}*"),
            _ => String::new(),
        }
    };
    of.iter().map(letter).collect()
}

/// The page of the built-in roles: a row for all resources of an API with the same cells.
fn page() -> String {
    let (roles, known) = (Roles::default(), known());
    let names: Vec<&str> = roles.names().map(RoleName::as_str).collect();
    let mut by_resource: BTreeMap<(ApiName, &str), Vec<&Permission>> = BTreeMap::new();
    for permission in &known {
        by_resource.entry((permission.api, &permission.resource)).or_default().push(permission);
    }
    let mut rows: BTreeMap<(ApiName, Vec<String>), Vec<String>> = BTreeMap::new();
    for ((api, resource), permissions) in by_resource {
        let cells = names.iter().map(|role| letters(&roles, role, &permissions)).collect();
        rows.entry((api, cells)).or_default().push(format!("`{resource}`"));
    }
    let mut page = String::from(
        "# Roles\n\nMade of `runtime/server/src/access/roles.toml` with `FERRULE_BLESS=1`. The permissions of each built-in \
         role: `r` read, `c` create, `w` change, `d` delete, `a` act; `*`: under a condition. \
         [Access](access.md) tells what the words mean, and how to write roles of your own.\n\n",
    );
    page += &format!("| API | resources | {} |\n", names.join(" | "));
    page += &format!("|{}\n", "---|".repeat(names.len() + 2));
    for ((api, cells), resources) in rows {
        page += &format!("| {api} | {} | {} |\n", resources.join(", "), cells.join(" | "));
    }
    page
}

#[test]
fn the_page_of_roles_is_made_of_the_roles() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/roles.md");
    let page = page();
    if std::env::var_os("FERRULE_BLESS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == page, "run this test with FERRULE_BLESS=1");
}

#[test]
fn property_of_an_identity_belongs_to_no_other() {
    let of = |subject: &str, proof: Proof, tenant: Option<&str>| {
        let identity = Identity {
            subject: subject.into(),
            proof,
            tenant: tenant.map(Into::into),
            ..Identity::local()
        };
        identity.namespace()
    };
    let session = |issuer: &str| Proof::Session { issuer: issuer.into(), id: "s".into() };
    let token = |issuer: &str| Proof::Token { issuer: issuer.into() };
    // A person is one, whatever proves it.
    assert_eq!(of("mia", session(session::LOCAL), None), of("mia", Proof::Password, None));
    assert_eq!(of("mia", session("https://idp"), None), of("mia", token("https://idp"), None));
    assert_eq!(of("mia", Proof::Off, None), None);
    let all = [
        of("mia", Proof::Password, None),
        of("mia", Proof::Password, Some("acme")),
        of("ben", Proof::Password, None),
        of("mia", token(session::LOCAL), None),
        of("mia", token("password"), None),
        of("mia", session("password"), None),
        of("mia", Proof::Key { id: "password".into() }, None),
        of("mia", Proof::Certificate { fingerprint: "password".into() }, None),
    ];
    let different: std::collections::BTreeSet<_> = all.iter().collect();
    // Token and session of an issuer are one.
    assert_eq!(different.len(), all.len() - 1, "{all:?}");
}
