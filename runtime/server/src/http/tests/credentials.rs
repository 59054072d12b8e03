//! Credentials of requests, from the header or the connection to the answer.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::http::StatusCode;
use http_body_util::BodyExt as _;
use tmf::time::Timestamp;

use super::bench::Bench;
use crate::access::certificate::{Certificates, Rule};
use crate::access::jwt::Issuers;
use crate::access::users::{Names, Users, hashed};
use crate::access::{Access, Authentication, Proofs, RoleName, Roles};
use crate::private::write_private;
use crate::tls::seen::ClientCertificate;

const ORDERS: &str = "/tmf-api/productOrderingManagement/v4/productOrder";

fn rule() -> Rule {
    Rule {
        name: "crm".into(),
        matched: toml::from_str("subject = \"CN=crm-*,O=Example\"").unwrap(),
        subject: None,
        roles: BTreeSet::from([RoleName::new("reader")]),
        tenant: None,
        plugins: BTreeSet::new(),
    }
}

/// A server with a user `maria` and a rule for certificates.
fn bench(folder: &tempfile::TempDir) -> Bench {
    let path = folder.path().join("users.toml");
    let hash = hashed("correct horse").unwrap();
    write_private(&path, &format!("[maria]\npassword = \"{hash}\"\nroles = [\"reader\"]\n"));
    let roles = Roles::default();
    let users = Some(Users::read(path, Names::default()).unwrap());
    let certificates = Certificates::new(vec![rule()]);
    let proofs = Proofs { issuers: Issuers::default(), certificates, users };
    Bench::new().with_access(Access::proving(Authentication::Required, roles, proofs))
}

async fn get(
    bench: &Bench,
    certificate: Option<&str>,
    header: Option<&str>,
) -> (StatusCode, String) {
    let mut request = Request::get(ORDERS).header("host", "127.0.0.1:8080");
    if let Some(header) = header {
        request = request.header("authorization", header);
    }
    let mut request = request.body(Body::empty()).unwrap();
    if let Some(subject) = certificate {
        request.extensions_mut().insert(Arc::new(ClientCertificate {
            subject: subject.into(),
            sans: Vec::new(),
            fingerprint_sha256: "ab".into(),
            not_after: Timestamp(i64::MAX),
        }));
    }
    let answer = bench.answer(request).await;
    let status = answer.status();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8_lossy(&body).into_owned())
}

#[tokio::test]
async fn a_certificate_proves_an_identity_unless_the_request_has_other_credentials() {
    let folder = tempfile::tempdir().unwrap();
    let bench = bench(&folder);
    // `maria:correct horse`, `maria:wrong`.
    let (right, wrong) = ("Basic bWFyaWE6Y29ycmVjdCBob3JzZQ==", "Basic bWFyaWE6d3Jvbmc=");
    let (known, unknown) = (Some("CN=crm-1,O=Example"), Some("CN=other,O=Example"));
    let table = [
        (None, None, 401),
        (known, None, 200),
        (unknown, None, 401),
        (None, Some(right), 200),
        (unknown, Some(right), 200),
        (known, Some(right), 200),
        // Credentials that prove nothing are not passed over.
        (known, Some(wrong), 401),
        (known, Some("Bearer frl_x"), 401),
        (known, Some("Bearer a.b.c"), 401),
        (known, Some("Digest x"), 401),
        (known, Some(""), 401),
    ];
    let mut bodies = BTreeSet::new();
    for (certificate, header, expected) in table {
        let (status, body) = get(&bench, certificate, header).await;
        assert_eq!(status, expected, "{certificate:?} {header:?}");
        if status == StatusCode::UNAUTHORIZED {
            bodies.insert(body);
        }
    }
    assert_eq!(bodies.len(), 1, "{bodies:?}");
}
