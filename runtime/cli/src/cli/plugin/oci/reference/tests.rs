use super::*;

#[test]
fn addresses_are_read_or_refused_with_what_is_wrong() {
    let digest = "a".repeat(64);
    let named = format!("a.io/b@sha256:{digest}");
    let good = [
        ("127.0.0.1:5000/acme/olt:0.1.0", "127.0.0.1:5000/acme/olt:0.1.0", "0.1.0"),
        ("a.io/b", "a.io/b:9.9.9", "9.9.9"),
        ("[::1]:5000/b_c/d-e.f:x", "[::1]:5000/b_c/d-e.f:x", "x"),
        (named.as_str(), "a.io/b", &format!("sha256:{digest}")),
    ];
    for (text, name, wanted) in good {
        let reference = Reference::parse(text, "9.9.9").unwrap();
        assert_eq!((reference.name().as_str(), reference.wanted().as_str()), (name, wanted));
    }
    let bad = [
        ("a.io", "no repository"),
        ("/b:1", "no host"),
        ("a b/c:1", "no host"),
        ("me:secret@a.io/b:1", "a password has no place"),
        ("a.io/B:1", "no repository"),
        ("a.io//b:1", "no repository"),
        ("a.io/../b:1", "no repository"),
        ("a.io/b:-1", "no tag"),
        ("a.io/b:", "no tag"),
        ("a.io/b", "no version"),
        ("a.io/b@sha256:12", "expected a digest"),
        ("a.io/b@sha512:12", "a password has no place"),
        ("user:pw/secret@host/repo:1", "a password has no place"),
        ("host/user:pwsecret@repo:1", "a password has no place"),
        ("user:secret@sha256:12", "expected a digest"),
        ("user:secret@host/b@sha256:12", "a password has no place"),
        ("a.io:99999/b:1", "has no port of 1 to 65535"),
        ("a.io:0/b:1", "has no port of 1 to 65535"),
        ("a.io:/b:1", "has no port of 1 to 65535"),
        ("a.io:+80/b:1", "has no port of 1 to 65535"),
        ("[::1]5000/b:1", "has no port of 1 to 65535"),
        ("[a.io]:80/b:1", "no host"),
        ("[::1/b:1", "no host"),
        ("::1/b:1", "stands in brackets"),
        ("a\u{1b}[2J/b:1", "`a\\u{1b}[2J` is no host"),
        ("a.io/b\u{1b}:1", "`b\\u{1b}` is no repository"),
        ("a.io/b:1\u{1b}", "`1\\u{1b}` is no tag"),
    ];
    for (text, wanted) in bad {
        let error = Reference::parse(text, "").unwrap_err();
        assert!(error.contains(wanted) && !error.contains("secret"), "{text}: {error}");
    }
}
