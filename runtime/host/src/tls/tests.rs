use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use rcgen::{CertificateParams, KeyPair, date_time_ymd};

use super::*;

/// Writes a self-signed certificate and its key, and returns the key.
fn certificate(folder: &Path, name: &str, year: i32) -> KeyPair {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["acme".into()]).unwrap();
    params.not_after = date_time_ymd(year, 1, 1);
    let certificate = params.self_signed(&key).unwrap();
    std::fs::write(folder.join(format!("{name}.pem")), certificate.pem()).unwrap();
    let path = folder.join(format!("{name}.key"));
    std::fs::write(&path, key.serialize_pem()).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    key
}

fn read(folder: &Path, target: &str, settings: &str) -> Result<Tls, String> {
    let settings = settings.replace("DIR", folder.to_str().unwrap());
    let text = format!(
        "http = [\"https://nms.example\", \"http://10.0.0.1\"]\n[targets.\"{target}\"]\n{settings}"
    );
    let grants: Grants = toml::from_str(&text).unwrap();
    Tls::read("acme.olt", &grants, &Arc::default()).map_err(|error| error.to_string())
}

#[test]
fn unusable_settings_are_refused_with_its_line_and_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    certificate(dir, "one", 2090);
    certificate(dir, "two", 2090);
    std::fs::write(dir.join("no.pem"), "no certificate").unwrap();
    std::fs::write(dir.join("long.pem"), vec![b'x'; (1 << 20) + 1]).unwrap();
    let one = "certificate = \"DIR/one.pem\"\n";
    for (target, settings, key, what) in [
        ("nms.example:443", "ca = \"DIR/gone.pem\"", "ca", "cannot be read: see that it is there"),
        ("nms.example:443", "ca = \"DIR/no.pem\"", "ca", "no certificate in PEM"),
        ("nms.example:443", "ca = \"DIR/long.pem\"", "ca", "more than 1048576 bytes"),
        ("nms.example:443", one, "certificate", "it needs its `key`"),
        ("nms.example:443", "key = \"DIR/one.key\"", "key", "it needs its `certificate`"),
        ("nms.example:443", &format!("{one}key = \"DIR/two.key\""), "key", "does not fit"),
        ("nms.example:443", &format!("{one}key = \"DIR/one.pem\""), "key", "no key in PEM"),
        ("nms.example:443", "server-name = \"a b\"", "server-name", "no name of a host"),
        ("nms.example:444", "", "", "no `http` grant of the plugin leads to `nms.example:444`"),
        ("*", "concurrency = 1", "", "a rate is of one target"),
        ("nms.example:443", "burst = 2", "burst", "no use without `per-second`"),
        ("10.0.0.1:80", "ca = \"DIR/one.pem\"", "", "grant `https://10.0.0.1:80`"),
    ] {
        let error = read(dir, target, settings).unwrap_err();
        let table = format!("[plugins.\"acme.olt\".targets.\"{target}\"] {key}");
        let table = format!("`{}`", table.trim_end());
        assert!(error.starts_with(&table) && error.contains(what), "{settings}: {error}");
    }
}

#[test]
fn a_target_has_its_own_settings_or_those_of_all_others() {
    let folder = tempfile::tempdir().unwrap();
    certificate(folder.path(), "one", 2090);
    let secured = |tls: &Tls, uri: &str| {
        tls.of(&uri.parse().unwrap()).and_then(|secured| secured.certificate.clone()).is_some()
    };
    let shown = "certificate = \"DIR/one.pem\"\nkey = \"DIR/one.key\"";
    let one = read(folder.path(), "nms.example:443", shown).unwrap();
    assert!(secured(&one, "https://NMS.example/x"));
    assert!(!secured(&one, "https://nms.example:444/x"));
    let others = read(folder.path(), "*", shown).unwrap();
    assert!(secured(&others, "https://nms.example:444/x"));
}

#[test]
fn an_expired_certificate_is_known() {
    let folder = tempfile::tempdir().unwrap();
    certificate(folder.path(), "old", 2020);
    let shown = "certificate = \"DIR/old.pem\"\nkey = \"DIR/old.key\"";
    let tls = read(folder.path(), "nms.example:443", shown).unwrap();
    let secured = tls.of(&"https://nms.example".parse().unwrap()).unwrap();
    let (_, end) = secured.expired().unwrap();
    assert_eq!(end.date(), "2020-01-01");
}

#[test]
fn other_bytes_in_a_file_are_other_settings() {
    let folder = tempfile::tempdir().unwrap();
    certificate(folder.path(), "one", 2090);
    let read = || read(folder.path(), "*", "ca = \"DIR/one.pem\"").unwrap();
    let before = read();
    assert!(before.is_same(&read()));
    certificate(folder.path(), "one", 2091);
    assert!(!before.is_same(&read()));
}
