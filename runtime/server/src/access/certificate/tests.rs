use super::*;

fn rule(name: &str, matched: Matched) -> Rule {
    Rule {
        name: name.into(),
        matched,
        subject: None,
        roles: [RoleName::new("agent")].into(),
        tenant: None,
        plugins: BTreeSet::new(),
    }
}

fn pattern(text: &str) -> Pattern {
    Pattern::read(text).unwrap()
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
    ] {
        assert_eq!(Pattern::read(text), Err(expected), "{text}");
    }
}

#[test]
fn a_certificate_is_whose_its_rule_tells() {
    let now = Timestamp(1_000);
    let sans = ["DNS:crm.example.com".to_owned()];
    let shown = Shown {
        subject: "CN=crm,O=Example",
        sans: &sans,
        fingerprint: "ab12",
        not_after: Timestamp(2_000),
    };
    let subject = || Matched::Subject(pattern("CN=*,O=Example"));
    let san = || Matched::San(pattern("DNS:*.example.com"));
    let pin = Rule {
        subject: Some("the CRM".into()),
        ..rule("pin", Matched::Fingerprint("ab12".into()))
    };
    let identify = |rules: Vec<Rule>| Certificates::new(rules).identify(shown, now);
    let found = identify(vec![rule("one", subject())]).unwrap();
    assert_eq!((found.subject.as_str(), found.until), (shown.subject, Some(shown.not_after)));
    assert_eq!(found.proof, Proof::Certificate { fingerprint: "ab12".into() });
    assert!(identify(vec![rule("one", san())]).is_ok());
    let found = identify(vec![rule("one", subject()), rule("two", san()), pin]).unwrap();
    assert_eq!(found.subject, "the CRM");
    let both = CertificateError::Several("one".into(), "two".into());
    assert_eq!(identify(vec![rule("one", subject()), rule("two", san())]), Err(both));
    assert_eq!(identify(Vec::new()), Err(CertificateError::Unknown));
    let other = rule("other", Matched::Fingerprint("ab13".into()));
    assert_eq!(identify(vec![other]), Err(CertificateError::Unknown));
    let late = Certificates::new(vec![rule("one", subject())]).identify(shown, shown.not_after);
    assert_eq!(late, Err(CertificateError::Expired));
}
