use rcgen::{
    CertificateParams, DistinguishedName, DnType, DnValue, KeyPair, SanType, date_time_ymd,
};

use super::*;

fn certificate(name: DistinguishedName, sans: Vec<SanType>) -> Vec<u8> {
    let mut params = CertificateParams::default();
    params.distinguished_name = name;
    params.subject_alt_names = sans;
    params.not_after = date_time_ymd(2031, 2, 3);
    params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
}

fn subject<const N: usize>(parts: [(DnType, &str); N]) -> String {
    let mut name = DistinguishedName::new();
    for (kind, value) in parts {
        name.push(kind, DnValue::Utf8String(value.into()));
    }
    ClientCertificate::read(&certificate(name, Vec::new())).unwrap().subject
}

#[test]
fn a_subject_is_written_from_its_most_specific_part() {
    let parts = [
        (DnType::CountryName, "DE"),
        (DnType::OrganizationName, "Example"),
        (DnType::CommonName, "olt-1"),
    ];
    assert_eq!(subject(parts), "CN=olt-1,O=Example,C=DE");
    assert_eq!(subject([]), "");
}

#[test]
fn a_value_cannot_be_taken_for_another_part() {
    for (value, written) in [
        ("a,O=admins", "CN=a\\,O\\=admins"),
        ("a+UID=root", "CN=a\\+UID\\=root"),
        ("#04", "CN=\\#04"),
        (" a ", "CN=\\ a\\ "),
        ("a\\", "CN=a\\\\"),
        ("a\"<b>;", "CN=a\\\"\\<b\\>\\;"),
        ("a\0b\n", "CN=a\\00b\\0a"),
        ("Zürich", "CN=Zürich"),
    ] {
        assert_eq!(subject([(DnType::CommonName, value)]), written);
    }
}

#[test]
fn a_type_without_a_keyword_is_shown_by_its_number() {
    // `emailAddress`, 1.2.840.113549.1.9.1.
    let kind = DnType::CustomDnType(vec![1, 2, 840, 113_549, 1, 9, 1]);
    assert_eq!(subject([(kind, "a@b")]), "1.2.840.113549.1.9.1=#0c03614062");
}

#[test]
fn names_end_and_fingerprint_are_those_of_the_certificate() {
    let sans = vec![
        SanType::DnsName("OLT-1.example".try_into().unwrap()),
        SanType::IpAddress("10.0.0.7".parse().unwrap()),
        SanType::IpAddress("2001:db8::7".parse().unwrap()),
        SanType::URI("spiffe://example/olt-1".try_into().unwrap()),
        SanType::Rfc822Name("noc@example.com".try_into().unwrap()),
        SanType::OtherName((vec![1, 3, 6], "ignored".into())),
    ];
    let der = certificate(DistinguishedName::new(), sans);
    let seen = ClientCertificate::read(&der).unwrap();
    assert_eq!(
        seen.sans,
        [
            "DNS:olt-1.example",
            "IP:10.0.0.7",
            "IP:2001:db8::7",
            "URI:spiffe://example/olt-1",
            "email:noc@example.com"
        ]
    );
    assert_eq!(seen.not_after.date(), "2031-02-03");
    assert_eq!(seen.fingerprint_sha256, hex::encode(Sha256::digest(&der)));
}

#[test]
fn a_certificate_that_is_cut_off_or_changed_is_read_without_a_panic() {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, "olt-1");
    let mut der = certificate(name, vec![SanType::DnsName("a.example".try_into().unwrap())]);
    assert!((0..der.len()).all(|len| ClientCertificate::read(&der[..len]).is_none()));
    for at in 0..der.len() {
        for bit in 0..8 {
            der[at] ^= 1 << bit;
            ClientCertificate::read(&der);
            der[at] ^= 1 << bit;
        }
    }
}
