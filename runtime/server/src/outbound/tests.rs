use super::*;

#[test]
fn secrets_go_by_tls_or_stay_on_this_machine() {
    let table = [
        ("https://idp.example.com/realms/acme", true),
        ("https://10.0.0.7:8443", true),
        ("http://127.0.0.1:3000", true),
        ("http://localhost/x", true),
        ("http://[::1]:3000", true),
        ("http://idp.example.com", false),
        ("http://127.0.0.1.example.com", false),
        ("https://user:word@idp.example.com", false),
        ("http://localhost@idp.example.com", false),
        ("ftp://127.0.0.1", false),
        ("/realms/acme", false),
        ("idp.example.com", false),
    ];
    for (url, expected) in table {
        assert_eq!(check_url(&url.parse().unwrap()).is_ok(), expected, "{url}");
    }
}

#[tokio::test]
async fn a_provider_that_is_down_is_an_error_without_the_query() {
    let outbound = Outbound::new(("[access.login]", "ca"), None);
    let request = Request::get("http://127.0.0.1:1/token?code=secret").body(Vec::new()).unwrap();
    let error = outbound.send(request).await.unwrap_err();
    assert!(matches!(error, OutboundError::Connect { .. }), "{error}");
    assert_eq!(error.to_string(), "`http://127.0.0.1:1/token` does not answer");
}
