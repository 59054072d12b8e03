//! What elements show that answer tasks: with access off and required, at signed and at guessable addresses.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use host::Grants;
use http_body_util::BodyExt as _;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use model::PluginId;
use tmf::time::Timestamp;

use super::super::router;
use super::super::serve::Arrival;
use super::bench::{Bench, LIMITS};
use crate::access::{Access, Authentication, Roles};
use crate::tls::seen::ClientCertificate;

/// Who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Element {
    Unknown,
    /// With a certificate of the CA that is that of another client.
    Other,
    Certified,
}

impl Element {
    fn certificate(self) -> Option<Arc<ClientCertificate>> {
        let (subject, san) = match self {
            Self::Unknown => return None,
            Self::Other => ("CN=crm", "DNS:crm.example"),
            Self::Certified => ("CN=olt-1", "DNS:olt-1.example"),
        };
        Some(Arc::new(ClientCertificate {
            subject: subject.into(),
            sans: vec![san.into()],
            fingerprint_sha256: String::new(),
            not_after: Timestamp(i64::MAX),
        }))
    }
}

/// The status of a callback, with its body.
async fn answered(
    bench: &Bench,
    access: Authentication,
    element: Element,
    address: &str,
) -> (u16, String) {
    let access = Access::new(access, Roles::default());
    let router = router(bench.services.clone(), bench.events.clone(), LIMITS, access);
    let peer = IpAddr::from([192, 0, 2, 1]);
    let mut request = Request::post(format!("/orchestration/v1/callbacks/{address}"))
        .header("host", "localhost")
        .extension(Arrival { peer, is_secure: true, is_expired: false });
    if let Some(certificate) = element.certificate() {
        request = request.extension(certificate);
    }
    let request = request.body(Body::empty()).unwrap();
    let answer = TowerToHyperService::new(router).call(request).await.unwrap();
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.into()).unwrap())
}

async fn demand(bench: &Bench, callbacks: &str) {
    let grants: Grants = toml::from_str(&format!("callbacks = {callbacks}")).unwrap();
    let host = &bench.services.plugins.host;
    host.regrant(BTreeMap::from([(PluginId::new("olt"), grants)])).await.unwrap();
}

#[tokio::test]
async fn a_signed_address_is_proof_enough_and_a_guessable_one_is_not() {
    use Authentication::{Off, Required};
    let bench = Bench::new();
    let signed = bench.services.engine.addresses().of("fulfilment-1/task-1");
    assert!(!signed.contains('/') || signed.starts_with("fulfilment-1/"), "{signed}");
    let signed = signed.replace('/', "%2F");
    for (at, demanded) in [
        "\"identity\"",
        "\"signed\"",
        "{ subject = \"CN=olt-*\" }",
        "[{ san = \"DNS:ont.example\" }, { san = \"DNS:*.example\" }]",
    ]
    .into_iter()
    .enumerate()
    {
        demand(&bench, demanded).await;
        for element in [Element::Unknown, Element::Other, Element::Certified] {
            for access in [Off, Required] {
                let (status, body) = answered(&bench, access, element, &signed).await;
                assert!(
                    (200..300).contains(&status),
                    "{demanded:?} {element:?} {access:?}: {body}"
                );
            }
        }
        for (access, element, expected) in [
            (Off, Element::Unknown, [202, 404, 403, 403]),
            (Off, Element::Other, [202, 404, 403, 202]),
            (Off, Element::Certified, [202, 404, 202, 202]),
            (Required, Element::Unknown, [401, 401, 401, 401]),
            (Required, Element::Other, [401, 401, 401, 202]),
            (Required, Element::Certified, [401, 401, 202, 202]),
        ] {
            // All of them are one name of a callback.
            for address in ["olt/port/7", "olt%2Fport/7", "olt/port%2F7"] {
                let (status, body) = answered(&bench, access, element, address).await;
                assert_eq!(
                    status, expected[at],
                    "{demanded:?} {element:?} {access:?} {address}: {body}"
                );
            }
            // A plugin that demands nothing of its own is not concerned.
            let (status, _) = answered(&bench, access, element, "ont/port/7").await;
            assert_eq!(status, if access == Off { 202 } else { 401 });
        }
    }
}

#[tokio::test]
async fn wrong_signatures_are_answered_like_unknown_addresses() {
    let bench = Bench::new();
    demand(&bench, "\"signed\"").await;
    let addresses = bench.services.engine.addresses();
    let right = addresses.of("task-1");
    let (_, token) = right.rsplit_once('.').unwrap();
    let flipped = if token.ends_with('0') { "1" } else { "0" };
    let last = token.len() - 1;
    let mut bodies = Vec::new();
    for wrong in [
        format!("task-1.{}{flipped}", &token[..last]),
        format!("task-2.{token}"),
        format!("task-1.{}", &token[..last]),
        format!("task-1.{token}0"),
        format!("task-1.{}", "0".repeat(token.len())),
        "task-1.".into(),
        "task-1".into(),
        "nothing".into(),
    ] {
        for access in [Authentication::Off, Authentication::Required] {
            let (status, body) = answered(&bench, access, Element::Unknown, &wrong).await;
            assert_eq!(status, 404, "{wrong}: {body}");
            bodies.push(body);
        }
    }
    // A plugin that takes no guessable key.
    let (status, body) =
        answered(&bench, Authentication::Off, Element::Unknown, "olt/task-1").await;
    assert_eq!(status, 404, "{body}");
    bodies.push(body);
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "{bodies:?}");
    assert!(!bodies[0].contains("signature") && !bodies[0].contains("token"), "{bodies:?}");
    let (status, body) = answered(&bench, Authentication::Required, Element::Unknown, &right).await;
    assert!((200..300).contains(&status), "{body}");
}
