use super::*;

#[test]
fn nothing_leads_away_from_tls_or_to_a_login() {
    let registry = Registry {
        reference: Reference::parse("a.io/b:1", "").unwrap(),
        security: Security::Tls,
        wire: Wire::new(Access::default().tls().unwrap()),
        login: None,
        authorization: None,
    };
    let rows = [
        ("https://a.io/v2/", "/there", Ok("https://a.io/there")),
        ("https://a.io/v2/", "https://b.io/there", Ok("https://b.io/there")),
        ("http://a.io/v2/", "http://b.io/there", Ok("http://b.io/there")),
        ("https://a.io/v2/", "http://a.io/there", Err("from TLS to an address without it")),
        ("https://a.io/v2/", "https://me:x@a.io/there", Err("a login in it")),
        ("https://a.io/v2/", "https://a.io:0/there", Err("a port that is none")),
        ("https://a.io/v2/", "there?a", Err("leads to `there`, which is no URL")),
    ];
    for (from, to, wanted) in rows {
        match (registry.led(&from.parse().unwrap(), to), wanted) {
            (Ok(found), Ok(wanted)) => assert_eq!(found.to_string(), wanted),
            (Err(error), Err(wanted)) => {
                assert!(error.to_string().contains(wanted), "{to}: {error}");
            }
            (found, _) => panic!("{to}: {found:?}"),
        }
    }
}
