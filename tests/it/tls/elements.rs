//! Elements that answer tasks and prove themselves by a client certificate, on real connections.

use hyper::{Method, StatusCode};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::lab::{Ca, Days, Pair, Protocol, Server};

fn fingerprint(Pair(certificate, _): &Pair) -> String {
    let certificate = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
    model::Digest::of(&certificate).to_string().to_uppercase()
}

#[tokio::test]
async fn an_element_answers_with_its_own_certificate_and_no_other_of_the_ca() {
    let ca = Ca::new("lab");
    let pinned = ca.issue("pinned", Days(30));
    let settings = format!(
        "client-ca = \"ca.pem\"\nclient-certificates = \"optional\"\n\
         [plugins.olt]\ncallbacks = {{ subject = \"CN=olt-*\" }}\n\
         [plugins.ont]\ncallbacks = [{{ san = \"DNS:*.ont.example\" }}, {{ fingerprint = \"{}\" }}]\n",
        fingerprint(&pinned)
    );
    let open = Server::start(&ca, &settings).await;
    let access = "[access]\nauthentication = \"required\"\n\
                  [access.certificates.crm]\nsubject = \"CN=crm\"\nroles = [\"operator\"]\n";
    let closed = Server::start(&ca, &format!("{settings}{access}")).await;
    let same_name = ca.issue("pinned", Days(30));
    // The last two: at `callbacks/olt` and `callbacks/ont`, without access and with it.
    let table = [
        ("no certificate", None, [[403, 403], [401, 401]]),
        ("an OLT", Some(ca.issue("olt-1", Days(30))), [[202, 403], [202, 401]]),
        ("an ONT", Some(ca.issue_named("x", &["1.ont.example"])), [[403, 202], [401, 202]]),
        (
            "the name of an ONT in its subject",
            Some(ca.issue("1.ont.example", Days(30))),
            [[403, 403], [401, 401]],
        ),
        ("the pinned one", Some(pinned), [[403, 202], [401, 202]]),
        ("another of that name", Some(same_name), [[403, 403], [401, 401]]),
        // It may act on callbacks, and is no element.
        ("an operator", Some(ca.issue("crm", Days(30))), [[403, 403], [403, 403]]),
    ];
    for (what, shown, expected) in table {
        let client = ca.client(shown);
        for (server, expected) in [&open, &closed].into_iter().zip(expected) {
            for protocol in [Protocol::Http1, Protocol::Http2] {
                let mut connection = server.connect(&client, protocol).await.unwrap();
                for (plugin, expected) in ["olt", "ont"].into_iter().zip(expected) {
                    let path = format!("/orchestration/v1/callbacks/{plugin}/port-7");
                    let answer = connection.send(Method::POST, &path, &[]).await.unwrap();
                    let expected = StatusCode::from_u16(expected).unwrap();
                    assert_eq!(answer.status, expected, "{what} at {plugin}: {}", answer.text);
                }
            }
        }
    }
}
