use crate::config::Config;
use crate::http::permits::permissions;

fn open(text: &str) -> Result<(), String> {
    let config: Config = toml::from_str(text).map_err(|error| error.to_string())?;
    config.access.open(&permissions(), &config.tenants).map(drop).map_err(|error| error.to_string())
}

#[test]
fn wrong_issuers_are_refused_by_name() {
    let base =
        "[access.issuers.acme]\nissuer = \"https://acme.example.com\"\naudience = \"ferrule\"\n";
    assert_eq!(open(base), Ok(()));
    let table = [
        ("skew-s = 301", "`skew-s` is at most 300"),
        ("algorithms = []", "`algorithms` is empty"),
        ("algorithms = [\"HS256\"]", "unknown variant `HS256`"),
        ("algorithms = [\"none\"]", "unknown variant `none`"),
        ("default-roles = [\"admin\"]", "there is no role `admin`"),
        ("roles-claim = \"groups\"", "`roles-claim` needs `roles`"),
        ("jwks = \"http://acme.example.com/keys\"", "`jwks`: plain http goes to this machine only"),
        ("jwks = \"keys\"", "`jwks`: it"),
        (
            "jwks = \"https://a.example.com\"\nkeys-file = \"keys.json\"",
            "one of `jwks` and `keys-file`",
        ),
        ("jwks = \"http://127.0.0.1:1/keys\"\nca = \"ca.pem\"", "`ca` is of no use"),
        ("keys-file = \"keys.json\"\nca = \"ca.pem\"", "`ca` is of no use"),
        ("keys-file = \"missing.json\"", "`keys-file`, `missing.json`: it cannot be read"),
        ("secret = \"x\"", "unknown field `secret`"),
    ];
    for (line, expected) in table {
        let error = open(&format!("{base}{line}\n")).unwrap_err();
        assert!(error.contains(expected), "{line}: {error}");
    }
    let table = [
        ("issuer = \"\"\naudience = \"a\"", "`issuer` is empty"),
        ("issuer = \"acme\"\naudience = \"a\"", "`issuer` leads to no keys"),
        ("issuer = \"https://a.example.com\"\naudience = []", "`audience` is empty"),
        ("issuer = \"https://a.example.com\"", "missing field `audience`"),
    ];
    for (lines, expected) in table {
        let error = open(&format!("[access.issuers.acme]\n{lines}\n")).unwrap_err();
        assert!(error.contains(expected), "{lines}: {error}");
    }
    let twice = format!("{base}{}", base.replace(".acme]", ".other]"));
    assert!(open(&twice).unwrap_err().contains("`issuer` is that of `acme`"));
}

#[test]
fn means_without_an_effect_are_refused() {
    let issuer = "[access.issuers.acme]\nissuer = \"https://a.example.com\"\naudience = \"a\"\n";
    let certificate = "[access.certificates.crm]\nsubject = \"CN=a\"\nroles = []\n";
    let required = "[access]\nauthentication = \"required\"\n";
    let check = |text: String| {
        let config: Config = toml::from_str(&text).unwrap();
        config.check().map_err(|error| error.to_string())
    };
    for means in [issuer, certificate, "[access]\nusers-file = \"users.toml\"\n"] {
        let error = check(means.into()).unwrap_err();
        assert!(error.contains("have no effect while `authentication` is \"off\""), "{error}");
    }
    assert_eq!(check(format!("{required}{issuer}")), Ok(()));
    let error = check(format!("{required}{certificate}")).unwrap_err();
    assert!(error.contains("needs `[tls]` with `client-ca`"), "{error}");
    let tls = "[tls]\ncertificate = \"c\"\nkey = \"k\"\nclient-ca = \"ca\"\nclient-certificates = \"optional\"\n";
    assert_eq!(check(format!("{required}{certificate}{tls}")), Ok(()));
}

#[test]
fn wrong_certificates_are_refused_by_name() {
    let base = "[access.certificates.crm]\nroles = [\"agent\"]\n";
    let pin = "AB:".repeat(31) + "AB";
    assert_eq!(open(&format!("{base}fingerprint = \"{pin}\"")), Ok(()));
    let table = [
        ("", "set one of `fingerprint`, `subject` and `san`"),
        ("subject = \"CN=a\"\nsan = \"DNS:a\"", "set one of"),
        ("fingerprint = \"ab\"", "`fingerprint` is a SHA-256"),
        ("subject = \"*\"", "for every name"),
        ("san = \"DNS:*.*\"", "at most one `*`"),
    ];
    for (line, expected) in table {
        let error = open(&format!("{base}{line}\n")).unwrap_err();
        assert!(error.contains(expected), "{line}: {error}");
    }
    let error =
        open("[access.certificates.crm]\nroles = [\"agnet\"]\nsubject = \"CN=a\"").unwrap_err();
    assert!(error.contains("did you mean `agent`?"), "{error}");
}
