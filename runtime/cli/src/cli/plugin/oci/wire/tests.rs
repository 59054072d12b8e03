use super::*;

#[test]
fn addresses_with_a_login_or_a_wrong_port_are_not_reached() {
    let rows = [
        ("https://a.io/x", Ok("a.io:443")),
        ("http://a.io/x", Ok("a.io:80")),
        ("http://[::1]:5000/x", Ok("[::1]:5000")),
        ("http://localhost:x@192.0.2.2:25702/token", Err("a login in it")),
        ("http://me@a.io/x", Err("a login in it")),
        ("http://a.io:99999/x", Err("a port that is none")),
        ("http://a.io:0/x", Err("a port that is none")),
        ("ftp://a.io/x", Err("not `http` or `https`")),
    ];
    for (text, wanted) in rows {
        let uri: Uri = text.parse().unwrap();
        match (address(&uri), wanted) {
            (Ok((_, address)), Ok(wanted)) => assert_eq!(address, wanted),
            (Err(error), Err(wanted)) => {
                assert!(error.to_string().contains(wanted), "{text}: {error}");
            }
            (found, _) => panic!("{text}: {found:?}"),
        }
    }
}
