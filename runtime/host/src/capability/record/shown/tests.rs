use super::*;

fn mask() -> Mask {
    Mask::of([("api-token".to_owned(), "s3cr3t-value".to_owned())].into())
}

fn body(text: &str) -> Option<String> {
    let kept = Kept { body: text.into(), body_bytes: text.len() as u64, ..Kept::default() };
    kept.shown(&mask()).body
}

#[test]
fn headers_that_authorize_are_hidden_and_others_are_masked() {
    let header = |name: &str, value: &str| {
        let headers = vec![(name.to_owned(), value.to_owned())];
        let message = Kept { headers, ..Kept::default() }.shown(&mask());
        message.headers[0].1.clone()
    };
    for name in [
        "authorization",
        "proxy-authorization",
        "www-authenticate",
        "cookie",
        "set-cookie",
        "x-api-key",
        "x-auth-token",
        "x-session-id",
        "x-hub-signature",
    ] {
        assert_eq!(header(name, "anything"), HIDDEN, "{name}");
    }
    assert_eq!(header("idempotency-key", "F:3"), "F:3");
    assert_eq!(header("x-echo", "is s3cr3t-value"), "is [setting api-token]");
    assert_eq!(header("content-type", "text/plain"), "text/plain");
}

#[test]
fn a_url_has_no_user_and_no_secret_parameter() {
    for (asked, shown) in [
        ("http://a:b@x/y", "http://x/y"),
        ("http://x/y?a=1&access_token=abc&b=2", "http://x/y?a=1&access_token=[hidden]&b=2"),
        (
            "http://x/s3cr3t-value/?q=s3cr3t-value",
            "http://x/[setting api-token]/?q=[setting api-token]",
        ),
        ("http://x/y?apiKey=", "http://x/y?apiKey=[hidden]"),
    ] {
        assert_eq!(url(asked, &mask()), shown);
    }
}

#[test]
fn secret_fields_of_a_body_are_hidden() {
    for (asked, shown) in [
        (
            r#"{"access_token":"abc","expires_in":60}"#,
            r#"{"access_token":"[hidden]","expires_in":60}"#,
        ),
        (r#"{"a":{"Password" : "p\"q", "b": 1}}"#, r#"{"a":{"Password" : "[hidden]", "b": 1}}"#),
        (r#"{"pin":1234}"#, r#"{"pin":"[hidden]"}"#),
        (r#"{"tokens":["a",{"b":"]"}],"c":2}"#, r#"{"tokens":"[hidden]","c":2}"#),
        (r#"{"clientSecret": null , "c":2}"#, r#"{"clientSecret": "[hidden]" , "c":2}"#),
        (r#"["token", {"idempotencyKey":"F:3"}]"#, r#"["token", {"idempotencyKey":"F:3"}]"#),
        // A body that was cut within the value.
        (r#"{"token":"ab"#, r#"{"token":"[hidden]""#),
        (r#"{"token":"#, r#"{"token":"#),
        (r#"{"token"#, r#"{"token"#),
        (
            "<a><wsse:Password Type='t'>abc</wsse:Password><pinned>1</pinned></a>",
            "<a><wsse:Password Type='t'>[hidden]</wsse:Password><pinned>1</pinned></a>",
        ),
        ("<a><token/><b>1</b></a>", "<a><token/><b>1</b></a>"),
        ("plain s3cr3t-value text", "plain [setting api-token] text"),
    ] {
        assert_eq!(body(asked).as_deref(), Some(shown));
    }
}

#[test]
fn a_form_has_no_secret_value() {
    let headers = vec![("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned())];
    let form = "grant_type=client_credentials&client_secret=abc";
    let kept =
        Kept { headers, body: form.into(), body_bytes: form.len() as u64, ..Kept::default() };
    let shown = kept.shown(&mask()).body;
    assert_eq!(shown.as_deref(), Some("grant_type=client_credentials&client_secret=[hidden]"));
}

#[test]
fn a_body_that_was_cut_does_not_end_in_a_part_of_a_secret() {
    for (kept, shown) in
        [("it is s3cr3t-va", "it is "), ("it is s3cr", "it is "), ("it is open", "it is open")]
    {
        let kept = Kept { body: kept.into(), body_bytes: 1_000, ..Kept::default() };
        let message = kept.shown(&mask());
        assert_eq!((message.body.as_deref(), message.is_cut), (Some(shown), true));
    }
    let half = Kept { body: "a€".as_bytes()[..3].into(), body_bytes: 4, ..Kept::default() };
    assert_eq!(half.shown(&mask()).body.as_deref(), Some("a"));
}

#[test]
fn of_a_body_that_is_no_text_only_the_size_is_kept() {
    for bytes in [&[0xff, 0xfe][..], b"a\0b", b"\x1b[2J"] {
        let kept = Kept { body: bytes.into(), body_bytes: bytes.len() as u64, ..Kept::default() };
        let message = kept.shown(&mask());
        assert_eq!((message.body, message.is_binary), (None, true));
        assert_eq!(message.body_bytes, bytes.len() as u64);
    }
    assert_eq!(Kept::default().shown(&mask()), Message::default());
}
