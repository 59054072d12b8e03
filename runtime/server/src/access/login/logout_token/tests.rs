use openidconnect::PrivateSigningKey as _;
use openidconnect::core::{CoreEdDsaPrivateSigningKey, CoreJsonWebKeyUse};
use openidconnect::{JsonWebKeyId, JsonWebKeySet};
use serde::Serialize;
use serde_json::json;

use super::*;

/// A key that was made for this test.
const KEY: &str = "-----BEGIN PRIVATE KEY-----\n\
    MC4CAQAwBQYDK2VwBCIEICWeYPLxoZKHZlQ6rkBi11E9JwchynXtljATLqym/XS9\n\
    -----END PRIVATE KEY-----";

const NOW: Timestamp = Timestamp(1_800_000_000_000);
const NOW_S: i64 = NOW.0 / 1_000;

fn key() -> CoreEdDsaPrivateSigningKey {
    let kid = Some(JsonWebKeyId::new("one".into()));
    CoreEdDsaPrivateSigningKey::from_ed25519_pem(KEY, kid).unwrap()
}

fn keys() -> CoreJsonWebKeySet {
    JsonWebKeySet::new(vec![key().as_verification_key()])
}

fn header() -> String {
    json!({ "alg": "EdDSA", "kid": "one", "typ": "logout+jwt" }).to_string()
}

fn claims() -> String {
    json!({
        "iss": "https://idp",
        "aud": "ferrule",
        "iat": NOW_S,
        "exp": NOW_S + 120,
        "jti": "a",
        "events": { EVENT: {} },
        "sub": "mia",
        "sid": "s",
    })
    .to_string()
}

/// A text with the parts of an object replaced, or removed by null.
fn changed(text: &str, changes: impl Serialize) -> String {
    let mut object: super::super::Claims = serde_json::from_str(text).unwrap();
    let changes = serde_json::to_string(&changes).unwrap();
    let changes: super::super::Claims = serde_json::from_str(&changes).unwrap();
    for (name, change) in changes {
        match change.is_null() {
            true => object.remove(&name),
            false => object.insert(name, change),
        };
    }
    serde_json::to_string(&object).unwrap()
}

fn signed(header: &str, claims: &str) -> String {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let signature = key().sign(&CoreJwsSigningAlgorithm::EdDsa, message.as_bytes()).unwrap();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn read_by(token: &str, used: &Used, now: Timestamp) -> Result<Named, NotALogout> {
    let parties = Parties { issuer: "https://idp", client: "ferrule", keys: &keys() };
    read(token, &parties, used, now)
}

fn outcome(
    header_changes: impl Serialize,
    claim_changes: impl Serialize,
) -> Result<Named, NotALogout> {
    let token = signed(&changed(&header(), header_changes), &changed(&claims(), claim_changes));
    read_by(&token, &Used::default(), NOW)
}

#[test]
fn a_logout_token_names_whose_sessions_end() {
    let named = |subject: Option<&str>, sid: Option<&str>| {
        Ok(Named { subject: subject.map(str::to_owned), sid: sid.map(str::to_owned) })
    };
    let none = json!({});
    let table = [
        (json!({}), named(Some("mia"), Some("s"))),
        (json!({ "sid": null }), named(Some("mia"), None)),
        (json!({ "sub": null }), named(None, Some("s"))),
        (json!({ "aud": ["other", "ferrule"] }), named(Some("mia"), Some("s"))),
        (json!({ "exp": null }), named(Some("mia"), Some("s"))),
        (json!({ "iat": NOW_S - 300 }), named(Some("mia"), Some("s"))),
        (json!({ "iat": NOW_S + 60 }), named(Some("mia"), Some("s"))),
    ];
    for (claims, expected) in table {
        assert_eq!(outcome(&none, &claims), expected, "{claims}");
    }
    for header in [json!({ "typ": null }), json!({ "typ": "jwt" }), json!({ "kid": null })] {
        assert!(outcome(&header, &none).is_ok(), "{header}");
    }
}

#[test]
fn tokens_with_wrong_claims_end_nothing() {
    let table = [
        (json!({ "iss": "https://idp/" }), NotALogout::Issuer),
        (json!({ "iss": null }), NotALogout::Form),
        (json!({ "aud": "other" }), NotALogout::Audience),
        (json!({ "aud": [] }), NotALogout::Audience),
        (json!({ "aud": 5 }), NotALogout::Form),
        (json!({ "iat": NOW_S - 301 }), NotALogout::Time),
        (json!({ "iat": NOW_S + 61 }), NotALogout::Time),
        (json!({ "iat": i64::MAX }), NotALogout::Time),
        (json!({ "iat": "now" }), NotALogout::Form),
        (json!({ "iat": 1.5 }), NotALogout::Form),
        (json!({ "iat": null }), NotALogout::Form),
        (json!({ "exp": NOW_S - 60 }), NotALogout::Time),
        (json!({ "exp": i64::MIN }), NotALogout::Time),
        (json!({ "jti": null }), NotALogout::Used),
        (json!({ "jti": "x".repeat(257) }), NotALogout::Used),
        (json!({ "events": null }), NotALogout::Event),
        (json!({ "events": {} }), NotALogout::Event),
        (json!({ "events": { "other": {} } }), NotALogout::Event),
        (json!({ "events": [EVENT] }), NotALogout::Form),
        (json!({ "nonce": "n" }), NotALogout::Nonce),
        (json!({ "sub": null, "sid": null }), NotALogout::NoOne),
        (json!({ "sub": 5 }), NotALogout::Form),
    ];
    for (claims, expected) in table {
        assert_eq!(outcome(json!({}), &claims), Err(expected), "{claims}");
    }
}

#[test]
fn tokens_that_no_key_of_the_provider_signed_end_nothing() {
    let table = [
        (json!({ "alg": "none" }), NotALogout::Algorithm),
        (json!({ "alg": "HS256" }), NotALogout::Algorithm),
        (json!({ "alg": "RS256" }), NotALogout::Signature),
        (json!({ "alg": "ES256" }), NotALogout::Signature),
        (json!({ "alg": 5 }), NotALogout::Form),
        (json!({ "alg": null }), NotALogout::Form),
        (json!({ "kid": "two" }), NotALogout::Signature),
        (json!({ "kid": 5 }), NotALogout::Form),
        (json!({ "typ": "at+jwt" }), NotALogout::Type),
        (json!({ "crit": ["b64"] }), NotALogout::Algorithm),
    ];
    for (header, expected) in table {
        assert_eq!(outcome(&header, json!({})), Err(expected), "{header}");
    }
    let good = signed(&header(), &claims());
    let pieces: Vec<_> = good.split('.').collect();
    let [header, payload, signature] = pieces.as_slice() else { panic!() };
    let other = URL_SAFE_NO_PAD.encode(changed(&claims(), json!({ "sub": "tom" })));
    let table = [
        (format!("{header}.{other}.{signature}"), NotALogout::Signature),
        (format!("{header}.{payload}."), NotALogout::Signature),
        (format!("{header}.{payload}.{}", &signature[..40]), NotALogout::Signature),
        (format!("{header}.{payload}"), NotALogout::Form),
        (format!("{good}.{signature}"), NotALogout::Form),
        (format!("{good}="), NotALogout::Form),
        (format!("{good} "), NotALogout::Form),
        (String::new(), NotALogout::Form),
        (format!("{header}.{payload}.{}", "A".repeat(TOKEN_BYTES_MAX)), NotALogout::Form),
    ];
    for (token, expected) in table {
        assert_eq!(read_by(&token, &Used::default(), NOW), Err(expected), "{token}");
    }
    // Members that come twice are read by no one in two ways.
    let twice = r#"{"alg":"EdDSA","alg":"EdDSA","kid":"one"}"#;
    let token = signed(twice, &claims());
    assert_eq!(read_by(&token, &Used::default(), NOW), Err(NotALogout::Form));
}

#[test]
fn a_key_for_encryption_signs_nothing() {
    let mut shown = serde_json::to_value(keys()).unwrap();
    shown["keys"][0]["use"] = json!(CoreJsonWebKeyUse::Encryption);
    let keys: CoreJsonWebKeySet = serde_json::from_value(shown).unwrap();
    let token = signed(&header(), &claims());
    let parties = Parties { issuer: "https://idp", client: "ferrule", keys: &keys };
    assert_eq!(read(&token, &parties, &Used::default(), NOW), Err(NotALogout::Signature));
}

#[test]
fn a_token_is_good_once() {
    let used = Used::default();
    let token = signed(&header(), &claims());
    assert!(read_by(&token, &used, NOW).is_ok());
    assert_eq!(read_by(&token, &used, NOW), Err(NotALogout::Used));
    // For all the time that it would be taken.
    assert_eq!(read_by(&token, &used, NOW.plus_ms(300_000)), Err(NotALogout::Time));
    let late = signed(&header(), &changed(&claims(), json!({ "iat": NOW_S + 60, "exp": null })));
    assert_eq!(read_by(&late, &used, NOW.plus_ms(360_000)), Err(NotALogout::Used));
    let other = signed(&header(), &changed(&claims(), json!({ "jti": "b" })));
    assert!(read_by(&other, &used, NOW).is_ok());
}
