use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use rcgen::{CertificateParams, KeyPair};
use tempfile::TempDir;

use super::*;
use crate::private::write_private;

/// A folder with files of certificates.
struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        write_private(&path, text);
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
    Tls {
        certificate,
        key,
        client_ca: None,
        client_crls: None,
        client_certificates: ClientCertificates::Off,
    }
}

#[test]
fn files_that_cannot_be_used_are_named_without_their_content() {
    let files = Files::new();
    let ((one, one_key), (_, other_key)) = (files.pair("one"), files.pair("other"));
    let (garbage, gone) = (files.write("garbage", "SECRET"), files.0.path().join("gone"));
    let large = files.write("large", &"x".repeat(pem::FILE_BYTES_MAX + 1));
    let pipe = PathBuf::from("/dev/zero");
    let (open_pair, open) = files.pair("open");
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o604)).unwrap();
    for (certificate, key, what) in [
        (&one, &other_key, "does not fit the certificate"),
        (&one, &one, "holds no key in PEM"),
        (&one, &garbage, "holds no key in PEM"),
        (&one, &gone, "cannot be read"),
        (&one_key, &one_key, "holds no certificate in PEM"),
        (&garbage, &one_key, "holds no certificate in PEM"),
        (&large, &one_key, "has more than"),
        (&pipe, &one_key, "cannot be read"),
        (&open_pair, &open, "by every user of this machine: `chmod 600 "),
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

/// A CA whose files are in a folder.
struct Issuing {
    params: CertificateParams,
    key: KeyPair,
    file: PathBuf,
}

impl Issuing {
    fn new(files: &Files, name: &str) -> Self {
        let (mut params, key) = (CertificateParams::default(), KeyPair::generate().unwrap());
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let file = files.write(&format!("{name}.ca"), &params.self_signed(&key).unwrap().pem());
        Self { params, key, file }
    }

    /// A list that is valid until a year begins.
    fn list(&self, year: i32) -> rcgen::CertificateRevocationList {
        let list = rcgen::CertificateRevocationListParams {
            this_update: rcgen::date_time_ymd(2020, 1, 1),
            next_update: rcgen::date_time_ymd(year, 1, 1),
            crl_number: 1.into(),
            issuing_distribution_point: None,
            revoked_certs: Vec::new(),
            key_identifier_method: rcgen::KeyIdMethod::Sha256,
        };
        list.signed_by(&rcgen::Issuer::from_params(&self.params, &self.key)).unwrap()
    }
}

#[test]
fn revocation_lists_that_cannot_be_used_are_refused_by_name() {
    let files = Files::new();
    let (certificate, key) = files.pair("one");
    let (ca, other) = (Issuing::new(&files, "lab"), Issuing::new(&files, "other"));
    let read = |list: PathBuf| {
        let (client_ca, client_crls) = (Some(ca.file.to_owned()), Some(list));
        let client_certificates = ClientCertificates::Required;
        let settings = settings(certificate.to_owned(), key.to_owned());
        Loaded::read(&Tls { client_ca, client_crls, client_certificates, ..settings })
    };
    let good = ca.list(2999).pem().unwrap();
    let folder = files.0.path().join("folder");
    std::fs::create_dir(&folder).unwrap();
    for (list, what) in [
        (files.0.path().join("gone"), "gone` cannot be read"),
        (folder.to_owned(), "the certificate 1 in `client-ca` has no list"),
        (files.write("garbage", "x"), "garbage` holds no revocation list"),
        (files.write("half", &good[..good.len() / 2]), "half` holds no revocation list"),
        (certificate.to_owned(), "one.pem` holds no revocation list"),
        (files.write("old", &ca.list(2021).pem().unwrap()), "old` expired at 2021-01-01"),
        (files.write("foreign", &other.list(2999).pem().unwrap()), "`client-ca` has no list"),
    ] {
        let error = read(list).unwrap_err().to_string();
        assert!(error.starts_with("`[tls] client-crls`: ") && error.contains(what), "{error}");
    }
    std::fs::write(folder.join("lab.crl"), ca.list(2999).der()).unwrap();
    std::fs::write(folder.join(".lab.crl.new"), "half").unwrap();
    assert!(read(folder).unwrap().lists_until.is_some());
    let loaded = read(files.write("good", &good)).unwrap();
    assert_eq!(loaded.lists_until.map(Timestamp::date).as_deref(), Some("2999-01-01"));
}
