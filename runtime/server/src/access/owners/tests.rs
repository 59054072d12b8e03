use std::collections::{BTreeMap, BTreeSet};

use host::peer::Matched;

use super::*;
use crate::access::certificate::Rule;
use crate::access::users::{Names, hashed};
use crate::access::{Permission, RoleName, Verb};
use crate::private::write_private;

fn owner(subject: &str, proof: Proof) -> Arc<Identity> {
    Arc::new(Identity {
        subject: subject.into(),
        proof,
        tenant: None,
        roles: [RoleName::new("agent")].into(),
        plugins: BTreeSet::new(),
        claims: BTreeMap::new(),
        only: None,
        until: None,
        entry: None,
    })
}

fn certified(subject: &str, fingerprint: &str) -> Arc<Identity> {
    owner(subject, Proof::Certificate { fingerprint: fingerprint.into() })
}

fn rule(matched: Matched, subject: Option<&str>, role: &str) -> Rule {
    Rule {
        name: "one".into(),
        matched,
        subject: subject.map(Into::into),
        roles: [RoleName::new(role)].into(),
        tenant: None,
        plugins: BTreeSet::new(),
    }
}

#[tokio::test]
async fn an_owner_reads_as_long_as_something_proves_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("users.toml");
    let write = |name: &str, role: &str| {
        let hash = hashed("word").unwrap();
        write_private(&path, &format!("[{name}]\npassword = \"{hash}\"\nroles = [\"{role}\"]\n"));
    };
    write("maria", "agent");
    let users = Users::read(path.clone(), Names::default()).unwrap();
    let matched = |text: &str| toml::from_str(text).unwrap();
    let certificates = Certificates::new(vec![
        rule(Matched::Fingerprint("ab12".into()), None, "agent"),
        rule(matched("subject = \"CN=a-*\""), None, "agent"),
        rule(matched("san = \"DNS:*.example.com\""), Some("crm"), "agent"),
        rule(matched("subject = \"CN=b-*\""), None, "biller"),
    ]);
    let owners = Owners::new(Roles::default());
    let credentials = Credentials { keys: None, users: Some(users.clone()), certificates };
    let checked = owners.clone().with(credentials);
    let orders = Permission::about("productOrder", Verb::Read).unwrap();
    let reads = |owners: &Owners, owner: &Arc<Identity>| owners.reader(owner).may(&orders).is_all();
    let issuer = || "idp".to_owned();
    let table = [
        (owner("maria", Proof::Password), true),
        (owner("nina", Proof::Password), false),
        (owner("crm", Proof::Key { id: "x".into() }), false),
        (certified("CN=other", "ab12"), true),
        (certified("CN=other", "ab13"), false),
        (certified("CN=a-1", "ab13"), true),
        (certified("crm", "ab13"), true),
        // The rule gives other roles now.
        (certified("CN=b-1", "ab13"), false),
        (owner("4f1c", Proof::Token { issuer: issuer() }), true),
        (owner("4f1c", Proof::Session { issuer: issuer(), id: "s".into() }), true),
        (owner("maria", Proof::Session { issuer: LOCAL.into(), id: "s".into() }), true),
        (owner("nina", Proof::Session { issuer: LOCAL.into(), id: "s".into() }), false),
    ];
    for (owner, expected) in table {
        assert_eq!(reads(&checked, &owner), expected, "{owner:?}");
        assert!(reads(&owners, &owner), "while access is off: {owner:?}");
    }
    // The file has the roles that count.
    let maria = owner("maria", Proof::Password);
    write("maria", "vendor");
    assert!(users.follow().await);
    assert!(!reads(&checked, &maria));
}
