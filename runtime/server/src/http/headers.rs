//! The headers of every answer: what a browser may do with it, and that it is kept nowhere.

use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest as _, Sha256};

const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-resource-policy");

/// What an answer has that did not set its own. An answer with data is stored nowhere; what is no page runs nothing.
const ALWAYS: [(HeaderName, &str); 6] = [
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "no-referrer"),
    (CROSS_ORIGIN_RESOURCE_POLICY, "same-origin"),
    (X_FRAME_OPTIONS, "DENY"),
    (CACHE_CONTROL, "no-store"),
    (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
];

/// A year. Names below the host may be those of other servers, so they are left alone.
const ONLY_TLS: &str = "max-age=31536000";

/// How a request came in, as its answer depends on it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Transport {
    /// Plain, or by TLS as `localhost`: a browser would then use no server of this machine without TLS.
    Plain,
    /// By TLS under a name of its own, perhaps that of a proxy.
    Named,
}

/// Adds the headers of every answer.
pub(super) fn seal(headers: &mut HeaderMap, transport: Transport) {
    for (name, value) in ALWAYS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if transport == Transport::Named {
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(ONLY_TLS));
    }
}

/// The policy of a page: it may use the style that is in it, and send its forms here.
pub(super) fn policy_of_page(page: &str) -> HeaderValue {
    let styles = page.split("<style>").skip(1).filter_map(|rest| rest.split("</style>").next());
    let styles = styles.map(|style| {
        let digest = BASE64_STANDARD.encode(Sha256::digest(style));
        format!(" 'sha256-{digest}'")
    });
    let styles = match styles.collect::<String>() {
        none if none.is_empty() => " 'none'".into(),
        styles => styles,
    };
    let policy = format!(
        "default-src 'none'; style-src{styles}; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    );
    HeaderValue::from_str(&policy).expect("a digest is visible ASCII")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_have_the_headers_unless_they_set_their_own() {
        let mut headers = HeaderMap::new();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        seal(&mut headers, Transport::Plain);
        let header = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap());
        for (name, value) in ALWAYS {
            let expected = if name == CACHE_CONTROL { "no-cache" } else { value };
            assert_eq!(header(name), Some(expected));
        }
        assert_eq!(header(STRICT_TRANSPORT_SECURITY), None);
        seal(&mut headers, Transport::Named);
        assert_eq!(headers[STRICT_TRANSPORT_SECURITY], ONLY_TLS);
    }

    #[test]
    fn a_page_may_use_its_own_style_only() {
        let policy = |page: &str| policy_of_page(page).to_str().unwrap().to_string();
        // The digest of `a{}`.
        let digest = BASE64_STANDARD.encode(Sha256::digest("a{}"));
        let of_page = policy("<p><style>a{}</style><p>");
        assert!(of_page.contains(&format!("style-src 'sha256-{digest}';")), "{of_page}");
        assert!(!of_page.contains("unsafe"), "{of_page}");
        assert!(policy("<p>").contains("style-src 'none';"));
    }
}
