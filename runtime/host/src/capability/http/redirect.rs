//! Redirects: where one leads, and what is sent there (RFC 9110, 15.4). Which are followed is for the
//! rules to decide.

use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::http::uri::{Authority, PathAndQuery, Scheme};
use hyper::{Method, StatusCode, Uri};

/// A request that a redirect asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hop {
    pub(super) method: Method,
    pub(super) uri: Uri,
    /// Whether it has the body of the request before.
    pub(super) keeps_body: bool,
}

/// The headers that another origin is sent, too. Any other may hold a credential.
const OPEN: [HeaderName; 6] = [
    header::ACCEPT,
    header::ACCEPT_CHARSET,
    header::ACCEPT_ENCODING,
    header::ACCEPT_LANGUAGE,
    header::CONTENT_TYPE,
    header::USER_AGENT,
];

/// The headers about a body.
const OF_BODY: [HeaderName; 5] = [
    header::CONTENT_ENCODING,
    header::CONTENT_LANGUAGE,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::TRAILER,
];

/// The request that an answer asks for; `None` if it is no redirect, or leads to no address.
pub(super) fn hop(
    method: &Method,
    uri: &Uri,
    status: StatusCode,
    headers: &HeaderMap,
) -> Option<Hop> {
    let (to, keeps_body) = match status {
        StatusCode::SEE_OTHER if method == Method::HEAD => (Method::HEAD, false),
        StatusCode::SEE_OTHER => (Method::GET, false),
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND if method == Method::POST => {
            (Method::GET, false)
        }
        StatusCode::MOVED_PERMANENTLY
        | StatusCode::FOUND
        | StatusCode::TEMPORARY_REDIRECT
        | StatusCode::PERMANENT_REDIRECT => (method.clone(), true),
        _ => return None,
    };
    let location = headers.get(header::LOCATION)?.to_str().ok()?;
    Some(Hop { method: to, uri: resolved(uri, location)?, keeps_body })
}

/// The headers of a hop.
pub(super) fn headers(mut before: HeaderMap, from: &Uri, hop: &Hop) -> HeaderMap {
    if !hop.keeps_body {
        OF_BODY.iter().for_each(|name| drop(before.remove(name)));
    }
    if origin(from) != origin(&hop.uri) {
        let open = |name: &HeaderName| OPEN.contains(name);
        let kept = before.into_iter().filter_map(|(name, value)| Some((name?, value)));
        before = kept.filter(|(name, _)| open(name)).collect();
    }
    let host = hop.uri.authority().and_then(|host| HeaderValue::from_str(host.as_str()).ok());
    if let Some(host) = host {
        before.insert(header::HOST, host);
    }
    before
}

fn origin(uri: &Uri) -> (Option<&str>, Option<String>, Option<u16>) {
    let host = uri.host().map(str::to_ascii_lowercase);
    (uri.scheme_str(), host, crate::grants::rule::port(uri))
}

/// The address that a reference leads to, from an address (RFC 3986, 5.2), without its fragment. Steps
/// (`.` and `..`) stay as they are: the rules refuse them.
fn resolved(base: &Uri, reference: &str) -> Option<Uri> {
    let reference = reference.split('#').next().unwrap_or_default();
    let (scheme, authority) = (base.scheme()?, base.authority()?);
    let build = |scheme: &Scheme, authority: &Authority, path: &str| {
        let path: PathAndQuery = path.parse().ok()?;
        let parts = Uri::builder().scheme(scheme.clone()).authority(authority.clone());
        parts.path_and_query(path).build().ok()
    };
    if let Some(rest) = reference.strip_prefix("//") {
        return format!("{scheme}://{rest}").parse().ok();
    }
    if reference.starts_with('/') {
        return build(scheme, authority, reference);
    }
    if reference.is_empty() || reference.starts_with('?') {
        return build(scheme, authority, &format!("{}{reference}", base.path()));
    }
    let before_path = reference.split(['/', '?']).next().unwrap_or_default();
    if before_path.contains(':') {
        let uri: Uri = reference.parse().ok()?;
        return (uri.scheme().is_some() && uri.authority().is_some()).then_some(uri);
    }
    let folder = base.path().rfind('/').map_or("/", |end| &base.path()[..=end]);
    build(scheme, authority, &format!("{folder}{reference}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn led(method: &str, status: u16, location: &str) -> Option<(String, String, bool)> {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let headers = [(header::LOCATION, HeaderValue::from_str(location).unwrap())];
        let uri = "http://a.example:8080/x/y?q=1".parse().unwrap();
        let status = StatusCode::from_u16(status).unwrap();
        let hop = hop(&method, &uri, status, &headers.into_iter().collect())?;
        Some((hop.method.to_string(), hop.uri.to_string(), hop.keeps_body))
    }

    #[test]
    fn a_location_is_read_from_the_address_of_the_request() {
        for (location, uri) in [
            ("https://b.example/z?w#f", Some("https://b.example/z?w")),
            ("//b.example/z", Some("http://b.example/z")),
            ("/z", Some("http://a.example:8080/z")),
            ("z?w", Some("http://a.example:8080/x/z?w")),
            ("?w", Some("http://a.example:8080/x/y?w")),
            ("../z", Some("http://a.example:8080/x/../z")),
            ("mailto:x@y", None),
            ("http:x", None),
        ] {
            let led = led("GET", 307, location).map(|(_, uri, _)| uri);
            assert_eq!(led.as_deref(), uri, "{location}");
        }
    }

    #[test]
    fn the_method_follows_from_the_status() {
        for (status, method, sent, keeps_body) in [
            (301, "POST", "GET", false),
            (302, "POST", "GET", false),
            (302, "PUT", "PUT", true),
            (303, "PUT", "GET", false),
            (303, "HEAD", "HEAD", false),
            (307, "POST", "POST", true),
            (308, "DELETE", "DELETE", true),
        ] {
            let led = led(method, status, "/z").unwrap();
            assert_eq!((led.0.as_str(), led.2), (sent, keeps_body), "{status} {method}");
        }
        for status in [200, 300, 304, 305, 404] {
            assert_eq!(led("GET", status, "/z"), None, "{status}");
        }
    }

    #[test]
    fn another_origin_is_sent_no_credential() {
        let sent = |to: &str, keeps_body| {
            let names = ["authorization", "cookie", "x-api-key", "accept", "content-type", "host"];
            let before = names.map(|name| (name.parse().unwrap(), HeaderValue::from_static("v")));
            let hop = Hop { method: Method::GET, uri: to.parse().unwrap(), keeps_body };
            let from = "http://a.example/x".parse().unwrap();
            let after = headers(before.into_iter().collect(), &from, &hop);
            assert_eq!(after[header::HOST], hop.uri.authority().unwrap().as_str());
            let mut names: Vec<_> = after.keys().map(ToString::to_string).collect();
            names.sort();
            names.join(" ")
        };
        let all = "accept authorization content-type cookie host x-api-key";
        assert_eq!(sent("http://A.example:80/y", true), all);
        for other in ["https://a.example/", "http://a.example:81/", "http://b.example/"] {
            assert_eq!(sent(other, true), "accept content-type host", "{other}");
        }
        assert_eq!(sent("http://b.example/", false), "accept host");
    }
}
