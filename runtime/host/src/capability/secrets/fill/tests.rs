use super::super::tests::{log, secrets};
use super::*;
use crate::contract::secrets::Host as _;

const VALUE: &str = "pä\"ss<w&rd>";

fn request(url: &str, headers: &[(&str, &str)], body: &str) -> Request<WasiBody> {
    let body = Full::new(Bytes::from(body.to_owned())).map_err(|never| match never {});
    let mut request = Request::put(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(body.boxed_unsync()).unwrap()
}

async fn text(request: Request<WasiBody>) -> (HeaderMap, String) {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    (head.headers, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn a_value_is_escaped_for_the_body_that_it_stands_in() {
    for (media, wanted) in [
        ("application/json", r#"x pä\"ss<w&rd> y"#),
        ("application/merge-patch+json; charset=utf-8", r#"x pä\"ss<w&rd> y"#),
        ("application/soap+xml", "x pä&quot;ss&lt;w&amp;rd&gt; y"),
        ("text/xml", "x pä&quot;ss&lt;w&amp;rd&gt; y"),
        ("application/x-www-form-urlencoded", "x p%C3%A4%22ss%3Cw%26rd%3E y"),
        ("text/plain", "x pä\"ss<w&rd> y"),
    ] {
        let mut secrets = secrets(VALUE);
        let placeholder = secrets.get("password".into()).unwrap();
        let length = format!("{}", placeholder.len() + 4);
        let headers = [("content-type", media), ("content-length", &length)];
        let sent = request("http://10.0.0.7:8080/x", &headers, &format!("x {placeholder} y"));
        let (headers, body) = text(secrets.fill(sent).await.unwrap()).await;
        assert_eq!(body, wanted, "{media}");
        assert_eq!(headers["content-length"], wanted.len().to_string());
    }
}

#[tokio::test]
async fn a_value_is_put_into_headers_also_where_base64_hides_the_placeholder() {
    let mut secrets = secrets("hunter2-hunter2");
    let placeholder = secrets.get("password".into()).unwrap();
    let basic = format!("basic {}", base64::encode(format!("admin:{placeholder}").as_bytes()));
    let bearer = format!("Bearer {placeholder}");
    let headers = [("authorization", basic.as_str()), ("x-token", &bearer), ("x-other", "1")];
    let sent = request("http://10.0.0.7:8080/x", &headers, "");
    let (headers, body) = text(secrets.fill(sent).await.unwrap()).await;
    assert_eq!(headers["authorization"], "Basic YWRtaW46aHVudGVyMi1odW50ZXIy");
    assert_eq!(headers["x-token"], "Bearer hunter2-hunter2");
    assert!(headers["x-token"].is_sensitive() && !headers["x-other"].is_sensitive());
    assert_eq!(body, "");
    assert_eq!(log(&secrets), "");
}

#[tokio::test]
async fn a_placeholder_elsewhere_is_denied_with_the_lines_to_add() {
    let mut secrets = secrets("hunter2-hunter2");
    let one = secrets.get("password".into()).unwrap();
    let basic = format!("Basic {}", base64::encode(one.as_bytes()));
    for (request, why) in [
        (
            request("http://10.0.0.8:8080/x", &[("x-token", &one)], ""),
            "denied secret `password` in PUT to http://10.0.0.8:8080 of plugin `acme`: it may not go \
             there; to grant it, add\nhost: [plugins.acme.secrets]\nhost: password = { secret = \"nms\", to = \
             [\"http://10.0.0.7:8080\", \"http://10.0.0.8:8080/x PUT\"] }",
        ),
        (
            request("https://10.0.0.7:8080/x", &[("authorization", &basic)], ""),
            "in PUT to https://10.0.0.7:8080 of",
        ),
        (request("http://10.0.0.8:8080/x", &[], &format!("a {one}")), "it may not go there"),
        (
            request(&format!("http://10.0.0.7:8080/x?t={one}"), &[], ""),
            "an address may not have it",
        ),
        (request(&format!("http://{one}:8080/x"), &[], ""), "an address may not have it"),
        (request("http://10.0.0.7:8080/x", &[(&one, "1")], ""), "name of a header"),
        (
            request("http://10.0.0.7:8080/x", &[("content-type", "application/grpc+proto")], &one),
            "of gRPC or protobuf",
        ),
    ] {
        assert!(secrets.fill(request).await.is_err(), "{why}");
        let log = log(&secrets);
        assert!(log.contains(why) && !log.contains("hunter2"), "{log}");
    }
}

#[tokio::test]
async fn a_value_that_no_header_may_have_is_denied() {
    let mut secrets = secrets("two\nlines");
    let placeholder = secrets.get("password".into()).unwrap();
    let sent = request("http://10.0.0.7:8080/x", &[("x-token", &placeholder)], "");
    assert!(secrets.fill(sent).await.is_err());
    assert!(log(&secrets).contains("a character that no header may have"));
}

#[tokio::test]
async fn a_body_with_placeholders_is_bounded() {
    let mut secrets = secrets("hunter2-hunter2");
    let long = "x".repeat(BODY_BYTES_MAX + 1);
    let sent = || request("http://10.0.0.7:8080/x", &[], &long);
    assert!(secrets.fill(sent()).await.is_ok(), "no secret was asked for");
    secrets.get("password".into()).unwrap();
    let refused = secrets.fill(sent()).await;
    assert!(matches!(refused, Err(Error::HttpRequestBodySize(_))), "{refused:?}");
}
