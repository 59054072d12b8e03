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

fn matched(text: &str) -> Matched {
    toml::from_str(text).unwrap()
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
    let subject = || matched("subject = \"CN=*,O=Example\"");
    let san = || matched("san = \"DNS:*.example.com\"");
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
