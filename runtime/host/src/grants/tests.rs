use super::*;

#[test]
fn grants_are_read_from_toml() {
    let grants: Grants = toml::from_str(
        r#"
        http = ["http://127.0.0.1:9100", "https://nms.example:443/api GET,POST"]
        inventory = ["service"]
        config = { token = "t" }
        limits = { cpu-ms = 10 }
        "#,
    )
    .unwrap();
    assert_eq!(grants.http.len(), 2);
    assert_eq!(grants.limits.cpu_ms, Some(10));
    assert!(grants.inventory("service"));
    assert!(!grants.inventory("resource"));
    assert!(!grants.any(Capability::Reservation));
}

#[test]
fn unknown_grants_are_refused() {
    assert!(toml::from_str::<Grants>("htp = []").is_err());
    let error = toml::from_str::<Grants>(r#"http = ["127.0.0.1:80"]"#).unwrap_err();
    assert!(error.to_string().contains("127.0.0.1:80"), "{error}");
}

#[test]
fn a_trailing_star_stands_for_any_ending_of_a_pool() {
    let grants = Grants { pools: vec!["bng-1-*".into(), "numbers".into()], ..Grants::default() };
    assert_eq!(grants.pool("bng-1-vlan"), Some("bng-1-*"));
    assert!(grants.pool("numbers").is_some());
    assert_eq!(grants.pool("bng-2-vlan"), None);
    assert_eq!(grants.pool("numbers-2"), None);
    assert_eq!(Grants::default().pool(""), None);
}

#[test]
fn the_lines_to_add_keep_what_is_granted_already() {
    let lines = lines("acme.nms", "pools", &["a".into()], "b");
    assert_eq!(lines, "[plugins.\"acme.nms\"]\npools = [\"a\", \"b\"]");
}
