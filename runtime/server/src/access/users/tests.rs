use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::*;
use crate::access::{Proof, RoleName};
use crate::private::write_private;

fn now() -> Timestamp {
    Timestamp(1_800_000_000_000)
}

fn write(path: &Path, users: &[(&str, &str, &str)]) {
    let table = |(name, password, roles): &(&str, &str, &str)| {
        format!("[{name}]\npassword = \"{}\"\nroles = [{roles}]\n", hashed(password).unwrap())
    };
    write_private(path, &users.iter().map(table).collect::<String>());
}

fn header(name: &str, password: &str) -> String {
    BASE64_STANDARD.encode(format!("{name}:{password}"))
}

#[tokio::test]
async fn a_user_is_known_by_its_password() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("users.toml");
    write(&path, &[("maria", "correct: horse", "\"operator\", \"biller\""), ("none", "word", "")]);
    let users = Users::read(path, Names::default()).unwrap();
    let maria = users.identify(&header("maria", "correct: horse"), now()).await.unwrap();
    assert_eq!((maria.subject.as_str(), &maria.proof), ("maria", &Proof::Password));
    assert_eq!(maria.roles, ["biller", "operator"].map(RoleName::new).into());
    assert!(users.check("none", "word", now()).await.unwrap().identity().roles.is_empty());
    for (name, password) in [
        ("maria", "correct horse"),
        ("maria", ""),
        ("none", "correct: horse"),
        ("Maria", "correct: horse"),
        ("", ""),
        ("nothing", "word"),
    ] {
        let found = users.check(name, password, now()).await;
        assert_eq!(found.err(), Some(UserError::Wrong), "{name} {password}");
    }
    let long = "x".repeat(1_025);
    for wrong in ["", "=", "bWFyaWE=", "bWFyaWE", "/////w==", &header("maria", &long)] {
        assert_eq!(users.identify(wrong, now()).await, Err(UserError::Malformed), "{wrong}");
    }
}

#[tokio::test]
async fn a_file_that_changes_is_read_again_and_a_wrong_one_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("users.toml");
    write(&path, &[("maria", "one", "\"reader\"")]);
    let users = Users::read(path.clone(), Names::default()).unwrap();
    let before = users.identify(&header("maria", "one"), now()).await.unwrap();
    assert!(users.knows(&before));
    assert!(!users.follow().await);
    std::fs::write(&path, "[maria]\npassword = \"hunter2\"\nroles = [\"reader\"]\n").unwrap();
    assert!(!users.follow().await);
    assert!(users.check("maria", "one", now()).await.is_ok());
    write(&path, &[("maria", "two, longer", "\"reader\"")]);
    assert!(users.follow().await);
    // What the old entry proved has ended, and the old password is not remembered.
    assert!(!users.knows(&before));
    assert_eq!(users.check("maria", "one", now()).await.err(), Some(UserError::Wrong));
    assert!(users.check("maria", "two, longer", now()).await.is_ok());
    std::fs::write(&path, "").unwrap();
    assert!(users.follow().await);
    assert!(users.identity_of("maria").is_none());
    assert_eq!(users.check("maria", "two, longer", now()).await.err(), Some(UserError::Wrong));
}

#[tokio::test]
async fn a_right_password_is_remembered_for_a_minute() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("users.toml");
    write(&path, &[("maria", "one", "\"reader\"")]);
    let users = Users::read(path, Names::default()).unwrap();
    users.check("maria", "one", now()).await.unwrap();
    // No check can begin, so an answer rests on what is remembered.
    let _all = Arc::clone(&users.0.checks).acquire_many_owned(2).await.unwrap();
    users.check("maria", "one", now().plus_ms(59_999)).await.unwrap();
    let waits = tokio::time::timeout(
        std::time::Duration::from_millis(20),
        users.check("maria", "one", now().plus_ms(60_000)),
    );
    assert!(waits.await.is_err());
}

#[tokio::test]
async fn a_flood_of_passwords_is_refused_and_not_queued() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("users.toml");
    write(&path, &[("maria", "one", "\"reader\"")]);
    let users = Users::read(path, Names::default()).unwrap();
    let all = Arc::clone(&users.0.checks).acquire_many_owned(2).await.unwrap();
    let flood = (0..200).map(|number| {
        let users = users.clone();
        tokio::spawn(async move { users.check("x", &number.to_string(), now()).await })
    });
    let flood: Vec<_> = flood.collect();
    tokio::task::yield_now().await;
    drop(all);
    let mut busy = 0;
    for answer in flood {
        match answer.await.unwrap() {
            Err(UserError::Busy) => busy += 1,
            other => assert_eq!(other.err(), Some(UserError::Wrong)),
        }
    }
    assert_eq!(busy, 200 - CHECKS_MAX - WAITING_MAX);
    assert!(users.check("maria", "one", now()).await.is_ok());
}

#[test]
fn wrong_files_are_refused_by_name() {
    let good = hashed("word").unwrap();
    let user = |password: &str, roles: &str| {
        format!("[maria]\npassword = \"{password}\"\nroles = [{roles}]\n")
    };
    let replaced = |from: &str, to: &str| user(&good.replace(from, to), "\"reader\"");
    let table = [
        (user("hunter2", "\"reader\""), "user `maria`: `password` is no hash"),
        (user(&good, "\"redaer\""), "there is no role `redaer`; did you mean `reader`?"),
        (replaced("argon2id", "argon2i"), "no hash by argon2id"),
        (replaced("v=19", "v=16"), "no hash by argon2id of version 19"),
        (replaced("m=19456", "m=19455"), "too weak"),
        (replaced("t=2", "t=1"), "too weak"),
        (replaced("m=19456", "m=1048576"), "costs too much"),
        (replaced("t=2", "t=1000"), "costs too much"),
        ("[maria]\nroles = []\n".into(), "is wrong in line 1"),
        (format!("{}admin = true\n", user(&good, "")), "is wrong in line 4"),
        ("maria = \"hunter2\"".into(), "is wrong in line 1"),
        (user(&good, "").replace("[maria]", "[\"a:b\"]"), "a name has"),
        (
            format!("{}tenant = \"nix\"\n", user(&good, "")),
            "`tenant` names `nix`, which is not there",
        ),
        (format!("{}plugins = [\"Acme OLT\"]\n", user(&good, "")), "`plugins` lists \"Acme OLT\""),
    ];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("users.toml");
    for (text, expected) in table {
        write_private(&path, &text);
        let error = Users::read(path.clone(), Names::default()).unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
        assert!(!error.contains("hunter2") && !error.contains("$argon2"), "{error}");
    }
    let acme = format!("{}tenant = \"acme\"\n", user(&good, ""));
    write_private(&path, &acme);
    let tenants = BTreeSet::from([TenantName::parse("acme").unwrap()]);
    Users::read(path.clone(), Names { tenants, ..Names::default() }).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let error = Users::read(path, Names::default()).unwrap_err().to_string();
    assert!(error.contains("by every user of this machine: `chmod 600 "), "{error}");
    let missing = folder.path().join("missing.toml");
    assert!(matches!(Users::read(missing, Names::default()), Err(FileError::Read { .. })));
}
