use super::*;

#[test]
fn logins_are_read_or_refused_by_name() {
    // `me:a:b`, `me`, and bytes that are no text.
    let rows = [
        ("{}", Ok(None)),
        (r#"{"auths":{"a.io":{}}}"#, Ok(None)),
        (r#"{"auths":{"b.io":{"auth":"bWU="}}}"#, Ok(None)),
        (r#"{"auths":{"https://a.io/v1/":{"auth":"bWU6YTpi"}}}"#, Ok(Some("a:b"))),
        (r#"{"auths":{"a.io":{"username":"me","password":"x"}}}"#, Ok(Some("x"))),
        (r#"{"auths":{"a.io":{"auth":"bWU="}}}"#, Err("not `user:password` in base64")),
        (r#"{"auths":{"a.io":{"auth":"//8="}}}"#, Err("not `user:password` in base64")),
        (r#"{"auths":{"a.io":{"auth":"planted!"}}}"#, Err("not `user:password` in base64")),
        (r#"{"auths":{"a.io":{"auth":"bWU6YTpi","identitytoken":"planted"}}}"#, Err("a token")),
        (r#"{"auths":{"a.io":{"registrytoken":"planted"}}}"#, Err("a token of the registry")),
        (r#"{"auths":{"a.io":{}},"credsStore":"x"}"#, Err("a helper of docker")),
    ];
    for (text, wanted) in rows {
        let docker: Docker = serde_json::from_str(text).unwrap();
        check(text, docker.login("a.io"), wanted);
    }
    let [user, planted] = ["me", "planted"].map(|text| Some(text.to_owned()));
    check("user", Login::given(user, None), Err("FERRULE_REGISTRY_PASSWORD is not"));
    check("password", Login::given(None, planted), Err("FERRULE_REGISTRY_USER is not"));
}

fn check(row: &str, found: Result<Option<Login>, String>, wanted: Result<Option<&str>, &str>) {
    match (found, wanted) {
        (Ok(found), Ok(wanted)) => assert_eq!(found.as_ref().map(Login::password), wanted, "{row}"),
        (Err(error), Err(wanted)) => {
            assert!(error.contains(wanted) && !error.contains("planted"), "{row}: {error}");
        }
        (Ok(_), Err(_)) => panic!("{row} is taken"),
        (Err(error), Ok(_)) => panic!("{row}: {error}"),
    }
}
