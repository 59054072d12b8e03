use super::pattern::PatternError;
use super::*;

fn read(text: &str) -> Result<Pattern, PatternError> {
    if text.contains(':') { Pattern::san(text) } else { Pattern::subject(text) }
}

fn pattern(text: &str) -> Pattern {
    read(text).unwrap()
}

#[test]
fn patterns_stay_within_a_part_of_a_name() {
    let table = [
        ("CN=crm,O=Example", "CN=crm,O=Example", true),
        ("CN=crm,O=Example", "CN=crm,O=Example2", false),
        ("CN=crm", "CN=crm,O=Example", false),
        ("CN=*,O=Example", "CN=crm,O=Example", true),
        ("CN=*,O=Example", "CN=,O=Example", false),
        ("CN=*,O=Example", "CN=x,OU=evil,O=Example", false),
        ("CN=*,O=Example", "CN=x\\,y,O=Example", false),
        ("CN=*,O=Example", "CN=x+UID=1,O=Example", false),
        ("DNS:*.crm.example.com", "DNS:a.crm.example.com", true),
        ("DNS:*.crm.example.com", "DNS:a.b.crm.example.com", false),
        ("DNS:*.crm.example.com", "DNS:crm.example.com", false),
        ("DNS:*.crm.example.com", "URI:a.crm.example.com", false),
        ("URI:spiffe://example/*", "URI:spiffe://example/crm", true),
        ("URI:spiffe://example/*", "URI:spiffe://example/a/b", false),
        ("CN=olt-*", "CN=olt-1", true),
        ("CN=Doe\\, Jane", "CN=Doe\\, Jane", true),
        ("CN=a+UID=1,1.2.840.113549.1.9.1=#0c01", "CN=a+UID=1,1.2.840.113549.1.9.1=#0c01", true),
        ("DNS:CRM.Example.com", "DNS:crm.example.com", true),
        ("IP:2001:DB8:0::1", "IP:2001:db8::1", true),
        ("IP:10.0.0.*", "IP:10.0.0.7", true),
        ("email:noc@*.com", "email:noc@example.com", true),
    ];
    for (text, name, expected) in table {
        assert_eq!(pattern(text).fits(name), expected, "{text} {name}");
    }
    for (text, expected) in [
        ("", PatternError::Length),
        ("*", PatternError::All),
        ("CN=*", PatternError::All),
        ("DNS:*", PatternError::All),
        ("CN=*.*", PatternError::Stars),
        ("crm", PatternError::Subject),
        ("cn=crm", PatternError::Subject),
        ("CN=crm, O=Example", PatternError::Subject),
        ("CN = crm", PatternError::Subject),
        ("CN=crm,", PatternError::Subject),
        ("CN=a=b", PatternError::Subject),
        ("emailAddress=a", PatternError::Subject),
        ("CN=crm\\", PatternError::Subject),
        ("dns:crm", PatternError::San),
        ("DNS:", PatternError::San),
        ("DNS:cr m", PatternError::San),
        ("crm:x", PatternError::San),
        ("IP:10.0.0.256", PatternError::Address),
    ] {
        assert_eq!(read(text), Err(expected), "{text}");
    }
}

#[test]
fn certificates_are_read_from_one_field_and_written_as_they_were() {
    let pin = "AB:".repeat(31) + "AB";
    for (text, written) in [
        (format!("fingerprint = {pin:?}"), format!("fingerprint = {:?}\n", "ab".repeat(32))),
        ("subject = \"CN=olt-*,O=Example\"".into(), "subject = \"CN=olt-*,O=Example\"\n".into()),
        ("san = \"DNS:OLT-1.example\"".into(), "san = \"DNS:olt-1.example\"\n".into()),
    ] {
        let matched: Matched = toml::from_str(&text).unwrap();
        assert_eq!(toml::to_string(&matched).unwrap(), written);
    }
    for (text, expected) in [
        ("", "set one of `fingerprint`, `subject` and `san`"),
        ("subject = \"CN=a\"\nsan = \"DNS:a\"", "set one of"),
        ("fingerprint = \"ab\"", "`fingerprint` is a SHA-256"),
        ("san = \"crm\"", "`san`: an alternative name has its kind"),
        ("issuer = \"CN=a\"", "unknown field `issuer`"),
    ] {
        let error = toml::from_str::<Matched>(text).unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
}
