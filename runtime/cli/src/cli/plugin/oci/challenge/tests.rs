use super::*;

#[test]
fn challenges_are_read_and_others_are_not_met() {
    let bearer = |realm: &str, service: Option<&str>, scope: Option<&str>| {
        let (realm, service) = (realm.to_owned(), service.map(str::to_owned));
        Some(Challenge::Bearer { realm, service, scope: scope.map(str::to_owned) })
    };
    let rows = [
        ("Basic realm=\"registry\"", Some(Challenge::Basic)),
        ("basic", Some(Challenge::Basic)),
        (
            "Bearer realm=\"https://a.io/token\",service=\"a.io\",scope=\"repository:a/b:pull,push\"",
            bearer("https://a.io/token", Some("a.io"), Some("repository:a/b:pull,push")),
        ),
        (
            "bearer  Realm=https://a.io/token , service=x",
            bearer("https://a.io/token", Some("x"), None),
        ),
        ("Bearer realm=\"a\\\"b", bearer("a\"b", None, None)),
        ("Bearer service=\"a.io\"", None),
        ("Negotiate abc", None),
        ("Negotiate, Basic realm=x", Some(Challenge::Basic)),
        (
            "Negotiate abc==, Digest realm=\"a, Basic\", Bearer realm=\"b,c\", service=s, Basic",
            bearer("b,c", Some("s"), None),
        ),
        ("Bearer service=x, Basic realm=y", Some(Challenge::Basic)),
        ("Digest realm=\"Basic, x\"", None),
        ("realm=x, Basic", Some(Challenge::Basic)),
        ("", None),
    ];
    for (header, wanted) in rows {
        assert_eq!(Challenge::parse(header), wanted, "{header}");
    }
}
