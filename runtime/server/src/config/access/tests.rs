use std::collections::BTreeMap;

use crate::config::Config;

/// Why settings are refused.
fn refused(text: &str) -> Option<String> {
    let config: Config = toml::from_str(text).unwrap();
    let access = config.check().and_then(|()| config.access.open(&[]));
    let opened = access.map_err(|error| error.to_string());
    let people = |access: crate::access::Access| config.access.people(&access, &BTreeMap::new());
    opened.and_then(people).err()
}

#[test]
fn settings_that_name_something_absent_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();

    let garbage = folder.path().join("garbage.pem");
    std::fs::write(&garbage, "no certificate").unwrap();
    let tls = "[tls]\ncertificate = \"c\"\nkey = \"k\"\nclient-ca = \"a\"\nclient-certificates = \"optional\"\n";
    let begin =
        format!("{tls}[audit]\nmode = \"on\"\nAUDIT\n[access]\nauthentication = \"required\"\n");
    let login = "[access.login]\nissuer = \"https://sso.example\"\nclient-id = \"ferrule\"\n";
    let issuer = "[access.issuers.sso]\nissuer = \"https://sso.example\"\naudience = \"ferrule\"\n";
    let certificate = "[access.certificates.crm]\nsubject = \"CN=crm\"\nroles = [\"agent\"]\n";
    let absent = "ca = \"absent.pem\"";
    let garbage = format!("ca = {garbage:?}");
    let table = [
        (login, "tenant = \"nix\"", "`[access.login] tenant` names `nix`"),
        (login, absent, "[access.login]"),
        (login, &garbage, "[access.login]"),
        (login, "roles-claim = \"\"\nroles = { a = \"agent\" }", "`roles-claim` is empty"),
        (login, "tenant-claim = \"\"", "`tenant-claim` is empty"),
        (issuer, "tenant = \"nix\"", "`[access.issuers.sso] tenant` names `nix`"),
        (issuer, absent, "[access.issuers.sso]"),
        (issuer, &garbage, "[access.issuers.sso]"),
        (issuer, "subject-claim = \"\"", "`subject-claim` is empty"),
        (issuer, "plugins-claim = \"\"", "`plugins-claim` is empty"),
        (certificate, "tenant = \"nix\"", "`[access.certificates.crm] tenant` names `nix`"),
        (certificate, "name = \"\"", "`name` is empty"),
    ];
    let plain = begin.replace("AUDIT", "");
    for (begun, line, expected) in table {
        assert_eq!(refused(&format!("{plain}{begun}")), None, "{begun}");
        let error = refused(&format!("{plain}{begun}{line}\n")).unwrap();
        assert!(error.contains(expected), "{line}: {error}");
    }
    let known = format!(
        "{plain}{certificate}tenant = \"acme\"\n[tenants.acme]\nsettings = \"acme.toml\"\n"
    );
    assert_eq!(refused(&known), None);
    let syslog = format!("syslog = \"tls://logs.example:6514\"\nsyslog-{absent}");
    let error = refused(&begin.replace("AUDIT", &syslog)).unwrap();
    assert!(error.contains("`[audit] syslog-ca`"), "{error}");
}
