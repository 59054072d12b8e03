use std::collections::BTreeMap;

use crate::config::Config;

/// Why settings are refused.
fn refused(text: &str) -> Option<String> {
    let config: Config = toml::from_str(text).unwrap();
    let access = config
        .check()
        .and_then(|()| config.access.open(&crate::http::permits::permissions(), &config.tenants));
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
        (login, "roles-claim = \"r\"\nroles = { a = [] }", "`roles` gives none for \"a\""),
        (login, "tenant-claim = \"\"", "`tenant-claim` is empty"),
        (issuer, "tenant = \"nix\"", "`[access.issuers.sso] tenant` names `nix`"),
        (issuer, absent, "[access.issuers.sso]"),
        (issuer, &garbage, "[access.issuers.sso]"),
        (issuer, "subject-claim = \"\"", "`subject-claim` is empty"),
        (issuer, "plugins-claim = \"\"", "`plugins-claim` is empty"),
        (certificate, "tenant = \"nix\"", "`[access.certificates.crm] tenant` names `nix`"),
        (certificate, "name = \"\"", "`name` is empty"),
        (certificate, "plugins = [\"Acme\"]", "[access.certificates.crm] `plugins` lists \"Acme\""),
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

#[test]
fn tables_of_access_have_plain_names_and_are_for_certificates_of_their_own() {
    const BEGIN: &str = "[tls]\ncertificate = \"c\"\nkey = \"k\"\nclient-ca = \"a\"\nclient-certificates = \"optional\"\n\
                         [access]\nauthentication = \"required\"\n";
    let pin = "ab".repeat(32);
    let certificate =
        |name: &str, of: &str| format!("[access.certificates.{name}]\nroles = [\"agent\"]\n{of}\n");
    let role = |name: &str, allow: &str| format!("[access.roles.{name}]\nallow = [{allow}]\n");
    let allow = "{ api = \"TMF622\", verbs = [\"read\"] }";
    let issuer = |name: &str| {
        format!("[access.issuers.{name}]\nissuer = \"https://a.example\"\naudience = \"a\"\n")
    };
    let both = |one: &str, other: &str| certificate("a", one) + &certificate("b", other);
    let table = [
        (role("\"dealer-2.x_y\"", allow), None),
        (issuer("\"händler\""), None),
        (both("subject = \"CN=a\"", "subject = \"CN=b\""), None),
        (role("\"a b\"", allow), Some("`[access.roles.\"a b\"]`: a name has 1 to 64 letters")),
        (role("\"\"", allow), Some("`[access.roles.\"\"]`: a name has")),
        (role("\"a\\u0007\"", allow), Some("a name has")),
        (role(&"a".repeat(65), allow), Some("a name has")),
        (role("dealer", ""), Some("[access.roles.dealer] allow, entry 1: there is none")),
        (issuer("\"a\\n\""), Some("`[access.issuers.\"a\\n\"]`: a name has")),
        (
            certificate("\"a/b\"", "subject = \"CN=a\""),
            Some("`[access.certificates.\"a/b\"]`: a name has"),
        ),
        (
            certificate("a", "san = \"crm\""),
            Some("[access.certificates.a] `san`: an alternative name has its kind"),
        ),
        (
            certificate("a", "subject = \"crm\""),
            Some("[access.certificates.a] `subject`: a subject is written as"),
        ),
        (
            both(
                &format!("fingerprint = \"{pin}\""),
                &format!("fingerprint = \"{}\"", pin.to_uppercase()),
            ),
            Some("[access.certificates.b] is for the same certificates as `a`"),
        ),
        (both("san = \"DNS:a\"", "san = \"DNS:A\""), Some("is for the same certificates as `a`")),
    ];
    for (text, expected) in table {
        let error = refused(&format!("{BEGIN}{text}"));
        match expected {
            None => assert_eq!(error, None, "{text}"),
            Some(expected) => {
                assert!(error.as_ref().unwrap().contains(expected), "{text}: {error:?}");
            }
        }
    }
}
