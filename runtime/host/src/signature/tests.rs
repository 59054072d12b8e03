use super::*;
use crate::signer::Key;

/// Keys and signatures that minisign 0.11 made, of `hello`.
const ACME: &str = "RWRq6au8sBZD3fqYeLmMjMjWLmCtNgvhY94zsmTl+tNDXnsLx1PCws6Z";
const BY_ACME: &str = "untrusted comment: signature from minisign secret key\nRURq6au8sBZD3XJEeiUy0tXqTmL47ZSjPXPw1Uz3B2ICNA3HuxmkJcApKUNFnARCUVKn3IgGFelxVFR5cdVyY4VtYHcq7fDYHQA=\ntrusted comment: of acme\n/dZ02tyIRvFGt3HwEjY71XD2vP37tUaU/NINFgjEPoe4d/GiKOLvetrF2D30Hc8WksjfzPJ3B6s1JtZdNkacAg==\n";
const BY_OTHER: &str = "untrusted comment: signature from minisign secret key\nRUS0j7vopLDq3EHdp8WNIQ8nlg3qwl9wCvW167Tajj0NUyAOaZjlck68AFrTzKhFdDXwIwO6Eg/yu4xZgIUaFCi0W7SQdllG8Ao=\ntrusted comment: of other\n3Kiu2vi6L3E+1js0+yooi5AHAGtR12pSyEWaVzcg9VNPOXj8/zaG++nocb8Sl+mwBQb4I40g9mQEy/qwkJKnCA==\n";

/// Bytes, their signature, and why it is refused where it is checked and where it is required.
type Row = (&'static [u8], Option<&'static str>, Option<SignatureError>, Option<SignatureError>);

fn signatures(policy: Policy) -> Signatures {
    Signatures::new(policy, Signers::new([("acme", &Key::from(ACME))].into_iter()).unwrap())
}

#[test]
fn a_signature_counts_as_the_policy_has_it() {
    use SignatureError as E;
    let id = PluginId::new("hello");
    let acme = || E::OtherBytes { key: "acme".into() };
    let rows: [Row; 6] = [
        (b"hello", Some(BY_ACME), None, None),
        (b"hello", None, None, Some(E::Missing)),
        (b"hallo", Some(BY_ACME), Some(acme()), Some(acme())),
        (b"hello", Some(BY_OTHER), Some(E::UnknownKey), Some(E::UnknownKey)),
        (b"hello", Some("hello"), Some(E::Malformed), Some(E::Malformed)),
        (b"hello", Some(""), Some(E::Malformed), Some(E::Malformed)),
    ];
    for (bytes, signature, checked, required) in rows {
        for (policy, wrong) in [(Policy::Checked, checked), (Policy::Required, required)] {
            let found = signatures(policy).check(&id, bytes, signature);
            assert_eq!(found.as_ref().err(), wrong.as_ref(), "{policy:?} {signature:?}");
            if let (Ok(signed), Some(_)) = (found, signature) {
                let signed = signed.unwrap();
                assert_eq!((signed.key.as_str(), signed.comment.as_str()), ("acme", "of acme"));
            }
        }
        assert_eq!(signatures(Policy::Off).check(&id, bytes, signature), Ok(None));
    }
    let long = format!("{BY_ACME}{}", "x".repeat(SIGNATURE_BYTES_MAX));
    assert_eq!(signatures(Policy::Checked).check(&id, b"hello", Some(&long)), Err(E::Malformed));
    // A comment that was changed is not the signed one.
    let other = BY_ACME.replace("of acme", "of mallory");
    assert_eq!(signatures(Policy::Checked).check(&id, b"hello", Some(&other)), Err(acme()));
}
