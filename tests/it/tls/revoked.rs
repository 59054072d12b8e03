//! Client certificates that their CA has revoked.

use hyper::StatusCode;

use super::lab::{Ca, Protocol, Server};
use crate::world::eventually;

#[tokio::test]
async fn a_revoked_certificate_is_refused_as_soon_as_its_list_is_there() {
    let ca = Ca::new("lab");
    let folder = Server::folder(&ca);
    let list = folder.path().join("ca.pem.crl");
    std::fs::write(&list, ca.list(&[])).unwrap();
    let settings =
        "client-ca = \"ca.pem\"\nclient-crls = \"ca.pem.crl\"\nclient-certificates = \"required\"";
    let server = Server::start_in(folder, settings).await;
    let [first, second] = [1, 2].map(|serial| ca.client(Some(ca.issue_numbered("olt-1", serial))));
    let is_in = async |client| match server.connect(client, Protocol::Http2).await {
        Ok(mut connection) => connection
            .get("/healthz", &[])
            .await
            .is_ok_and(|answer| answer.status == StatusCode::OK),
        Err(_) => false,
    };
    assert!(is_in(&first).await && is_in(&second).await);
    let mut open = server.connect(&first, Protocol::Http2).await.unwrap();
    assert!(open.get("/healthz", &[]).await.is_ok());

    std::fs::write(&list, ca.list(&[1])).unwrap();
    eventually("it is refused", async || (!is_in(&first).await).then_some(())).await;
    assert!(is_in(&second).await);
    assert!(open.get("/healthz", &[]).await.is_err(), "its open connection has ended");

    // What cannot be used changes nothing.
    std::fs::write(&list, "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n").unwrap();
    let rejected = async || {
        let mut connection = server.connect(&second, Protocol::Http1).await.unwrap();
        let metrics = connection.get("/metrics", &[]).await.unwrap().text;
        metrics.contains("ferrule_tls_reloads_rejected_total 1").then_some(())
    };
    eventually("it is rejected", rejected).await;
    assert!(!is_in(&first).await && is_in(&second).await);
}
