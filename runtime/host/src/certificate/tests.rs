use std::io::Cursor;

use minisign::KeyPair;

use super::*;
use crate::signer::Key;

/// A certificate with this statement, signed by a key.
fn signed(pair: &KeyPair, statement: &str) -> String {
    let signature = minisign::sign(None, &pair.sk, Cursor::new(statement), Some("of lab"), None);
    let (statement, signature) = (statement.to_owned(), signature.unwrap().into_string());
    serde_json::to_string(&Certificate { statement, signature }).unwrap()
}

/// A statement about some bytes.
fn statement(bytes: &[u8]) -> Statement {
    Statement {
        schema: SCHEMA,
        plugin: "noop".into(),
        version: "0.1.0".into(),
        digest: Digest::of(bytes),
        tested_at: Moment(tmf::time::Timestamp(1_800_000_000_000)),
        tested_by: "0.1.0".into(),
        cases: Digest::of(b"cases"),
        passed: ["line/plain", "line/run-1/lost-answer", "port/plain"].map(str::to_owned).into(),
        failed: Vec::new(),
        left_out: vec![LeftOut { cell: "line/run-1/late".into(), reason: "takes long".into() }],
    }
}

fn text(change: impl FnOnce(&mut Statement)) -> String {
    let mut statement = statement(b"hello");
    change(&mut statement);
    serde_json::to_string(&statement).unwrap()
}

fn certificates(policy: Policy, pair: &KeyPair) -> Certificates {
    let key = Key::from(pair.pk.to_base64().as_str());
    Certificates::new(policy, Signers::new([("lab", &key)].into_iter()).unwrap())
}

#[test]
fn a_certificate_that_does_not_do_is_refused_by_name() {
    use CertificateError as E;
    let [lab, other] = [(); 2].map(|()| KeyPair::generate_unencrypted_keypair().unwrap());
    let good = signed(&lab, &text(|_| {}));
    let lab_signs = |change: fn(&mut Statement)| signed(&lab, &text(change));
    let failed = |what: &str| E::Failed { what: what.into() };
    let rows: [(&str, String, E); 11] = [
        ("other key", signed(&other, &text(|_| {})), E::UnknownKey),
        ("changed", good.replace("takes long", "is no risk"), E::Changed { key: "lab".into() }),
        ("no JSON", "hello".into(), E::Malformed),
        ("cut off", good[..good.len() / 2].into(), E::Malformed),
        ("no signature", r#"{"statement":"{}","signature":"hello"}"#.into(), E::Malformed),
        ("another signed text", signed(&lab, "{}"), E::Malformed),
        ("schema", lab_signs(|it| it.schema = 2), E::OtherSchema { found: 2 }),
        (
            "bytes",
            lab_signs(|it| it.digest = Digest::of(b"hallo")),
            E::OtherBytes {
                certified: Digest::of(b"hallo").to_string(),
                found: Digest::of(b"hello"),
            },
        ),
        (
            "a failure",
            lab_signs(|it| it.failed = vec!["line/twice".into()]),
            failed("1 cells failed, the first is line/twice"),
        ),
        ("nothing", lab_signs(|it| it.passed.clear()), failed("no cell was played")),
        (
            "large",
            format!("{good}{}", " ".repeat(CERTIFICATE_BYTES_MAX)),
            E::TooLarge { bytes: good.len() + CERTIFICATE_BYTES_MAX },
        ),
    ];
    let (id, digest) = (PluginId::new("noop"), Digest::of(b"hello"));
    for (name, text, wrong) in rows {
        for policy in [Policy::Checked, Policy::Required] {
            let found = certificates(policy, &lab).check(&id, &digest, Some(&text));
            assert_eq!(found.as_ref().err(), Some(&wrong), "{name}");
        }
        assert_eq!(
            certificates(Policy::Off, &lab).check(&id, &digest, Some(&text)),
            Ok(None),
            "{name}"
        );
    }
    assert_eq!(certificates(Policy::Required, &lab).check(&id, &digest, None), Err(E::Missing));
    assert_eq!(certificates(Policy::Checked, &lab).check(&id, &digest, None), Ok(None));
    let certified = certificates(Policy::Required, &lab).check(&id, &digest, Some(&good));
    let certified = certified.unwrap().unwrap();
    assert_eq!((certified.key.as_str(), certified.passed), ("lab", 3));
    assert_eq!(certified.cases, ["line", "port"]);
    assert_eq!(certified.left_out, ["line/run-1/late: takes long"]);
}
