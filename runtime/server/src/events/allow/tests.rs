use super::*;

fn guard(own: &str, allow: &[&str]) -> Guard {
    let allow = allow.iter().map(|text| text.parse().unwrap()).collect();
    Guard::new(allow, own.parse().unwrap())
}

fn admits(guard: &Guard, host: &str, address: &str) -> bool {
    guard.admitted(host, [address.parse().unwrap()].into_iter()).is_ok()
}

#[test]
fn addresses_never_to_call_are_refused_despite_the_allow_list() {
    let guard = guard("127.0.0.1:8080", &["0.0.0.0/0", "::/0", "metadata.example"]);
    for address in [
        "169.254.169.254:80",
        "169.254.1.1:80",
        "[fe80::1]:80",
        "[fd00:ec2::254]:80",
        "[::ffff:169.254.169.254]:80",
        "[64:ff9b::a9fe:a9fe]:80",
        "224.0.0.1:80",
        "[ff02::1]:80",
        "0.0.0.0:80",
        "[::]:80",
        "255.255.255.255:80",
    ] {
        assert!(!admits(&guard, "metadata.example", address), "{address}");
    }
    assert!(admits(&guard, "x.example", "10.0.0.1:80"));
}

#[test]
fn loopback_is_for_a_server_that_listens_there_and_never_its_own_port() {
    let local = guard("127.0.0.1:8080", &[]);
    assert!(admits(&local, "localhost", "127.0.0.1:9000"));
    assert!(admits(&local, "localhost", "[::1]:9000"));
    for own in ["127.0.0.1:8080", "[::1]:8080", "127.9.9.9:8080", "[::ffff:127.0.0.1]:8080"] {
        assert!(!admits(&local, "localhost", own), "{own}");
    }
    let public = guard("192.0.2.7:8080", &[]);
    assert!(!admits(&public, "localhost", "127.0.0.1:9000"));
    assert!(!admits(&public, "me.example", "192.0.2.7:8080"));
    assert!(admits(&public, "me.example", "192.0.2.7:9000"));
    assert!(admits(&guard("192.0.2.7:8080", &["localhost"]), "localhost", "127.0.0.1:9000"));
}

#[test]
fn networks_inside_are_called_only_where_they_are_named() {
    for (allow, host, address, is_admitted) in [
        (&[][..], "c.example", "203.0.113.1:80", true),
        (&[], "c.example", "10.1.2.3:80", false),
        (&[], "c.example", "[fd12::1]:80", false),
        (&["10.1.0.0/16"], "c.example", "10.1.2.3:80", true),
        (&["10.1.0.0/16"], "c.example", "10.2.2.3:80", false),
        (&["10.1.2.3"], "c.example", "10.1.2.3:80", true),
        (&["10.1.2.3"], "c.example", "10.1.2.4:80", false),
        (&["fd12::/16"], "c.example", "[fd12::1]:80", true),
        (&["10.0.0.0/8"], "c.example", "[fd12::1]:80", false),
        (&["C.example"], "c.example", "10.1.2.3:80", true),
        (&["c.example"], "d.example", "10.1.2.3:80", false),
    ] {
        let guard = guard("127.0.0.1:8080", allow);
        assert_eq!(admits(&guard, host, address), is_admitted, "{allow:?} {host} {address}");
    }
}

#[test]
fn texts_that_are_no_network_are_no_rule() {
    for text in ["", "10.0.0.0/33", "::/129", "10.0.0.0/x", "http://c.example", "a b", "c/8"] {
        assert!(text.parse::<Allowed>().is_err(), "{text}");
    }
    for text in ["10.0.0.0/8", "::1/128", "c.example", "0.0.0.0/0"] {
        assert_eq!(text.parse::<Allowed>().unwrap().to_string(), text);
    }
}

#[tokio::test]
async fn a_callback_is_validated_by_the_guard() {
    let guard = guard("127.0.0.1:8080", &[]);
    let check = async |url: &str| guard.check(&Callback::parse(url).unwrap()).await;
    let address = |text: &str| text.parse().unwrap();
    assert_eq!(check("http://127.0.0.1:8080/x").await, Err(Forbidden::Own));
    assert_eq!(check("http://[::1]:9000").await, Ok(()));
    assert_eq!(
        check("http://169.254.169.254/latest").await,
        Err(Forbidden::Nowhere(address("169.254.169.254")))
    );
    // As a resolver reads it, not as it looks.
    assert_eq!(
        check("http://2852039166/").await,
        Err(Forbidden::Nowhere(address("169.254.169.254")))
    );
    assert_eq!(check("http://10.0.0.1/").await, Err(Forbidden::Inside(address("10.0.0.1"))));
    assert_eq!(check("https://203.0.113.1/").await, Err(Forbidden::Encrypted));
}

#[tokio::test]
async fn loopback_is_not_for_a_server_with_a_public_url_however_it_is_written() {
    let own = "127.0.0.1:8080".parse().unwrap();
    let public = Guard::new(Vec::new(), own).public();
    let allowed = Guard::new(vec!["127.0.0.0/8".parse().unwrap()], own).public();
    let inside = Err(Forbidden::Inside("127.0.0.1".parse().unwrap()));
    for host in ["127.0.0.1", "2130706433", "0x7f.1", "0177.0.0.1", "[::ffff:127.0.0.1]"] {
        let callback = Callback::parse(&format!("http://{host}:9000/")).unwrap();
        assert_eq!(public.check(&callback).await, inside, "{host}");
        assert_eq!(allowed.check(&callback).await, Ok(()), "{host}");
    }
    for host in ["[::1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "localhost"] {
        let callback = Callback::parse(&format!("http://{host}:9000/")).unwrap();
        assert!(matches!(public.check(&callback).await, Err(Forbidden::Inside(_))), "{host}");
    }
}
