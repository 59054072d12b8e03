use std::path::PathBuf;

use rcgen::{CertificateParams, KeyPair};
use tempfile::TempDir;

use super::*;

/// A folder with files of certificates.
struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// A certificate with its key, for a name.
    fn pair(&self, name: &str) -> (PathBuf, PathBuf) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.into()]).unwrap();
        let certificate = params.self_signed(&key).unwrap().pem();
        (
            self.write(&format!("{name}.pem"), &certificate),
            self.write(&format!("{name}.key"), &key.serialize_pem()),
        )
    }
}

fn settings(certificate: PathBuf, key: PathBuf) -> Tls {
    Tls { certificate, key, client_ca: None, client_certificates: ClientCertificates::Off }
}

#[test]
fn files_that_cannot_be_used_are_named_without_their_content() {
    let files = Files::new();
    let ((one, one_key), (_, other_key)) = (files.pair("one"), files.pair("other"));
    let (garbage, gone) = (files.write("garbage", "SECRET"), files.0.path().join("gone"));
    let large = files.write("large", &"x".repeat(FILE_BYTES_MAX + 1));
    let pipe = PathBuf::from("/dev/zero");
    for (certificate, key, what) in [
        (&one, &other_key, "does not fit the certificate"),
        (&one, &one, "holds no key in PEM"),
        (&one, &garbage, "holds no key in PEM"),
        (&one, &gone, "cannot be read"),
        (&one_key, &one_key, "holds no certificate in PEM"),
        (&garbage, &one_key, "holds no certificate in PEM"),
        (&large, &one_key, "has more than"),
        (&pipe, &one_key, "cannot be read"),
    ] {
        let error = Loaded::read(&settings(certificate.into(), key.into())).unwrap_err();
        let text = format!("{error}: {:?}", error.source);
        assert!(text.contains(what) && text.contains("`[tls] "), "{text}");
        assert!(!text.contains("SECRET") && !text.contains("PRIVATE KEY-----\n"), "{text}");
    }
    assert!(Loaded::read(&settings(one, one_key)).is_ok());
}

#[tokio::test]
async fn connections_are_outdated_when_other_clients_are_trusted() {
    use futures_util::FutureExt as _;
    let files = Files::new();
    let ((one, key), (other, _)) = (files.pair("one"), files.pair("other"));
    let tls = settings(one.to_owned(), key);
    let trusting = |ca: &PathBuf, mode| {
        let tls = Tls { client_ca: Some(ca.into()), client_certificates: mode, ..tls.clone() };
        Loaded::read(&tls).unwrap()
    };
    let serving = Serving::new(trusting(&one, ClientCertificates::Optional));
    let before = serving.now();
    serving.replace(trusting(&one, ClientCertificates::Optional));
    assert!(serving.is_outdated(&before).now_or_never().is_none());
    for changed in [
        trusting(&other, ClientCertificates::Optional),
        trusting(&one, ClientCertificates::Required),
        Loaded::read(&tls).unwrap(),
    ] {
        serving.replace(changed);
        assert!(serving.is_outdated(&before).now_or_never().is_some());
    }
}
