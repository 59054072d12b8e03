use proptest::prelude::*;
use ring::hmac;
use serde_json::{Value, json};

use super::*;
use crate::access::jwks::{AGE_MS_MAX, FETCH_MS_MIN, Source};
use crate::access::role::OneOrMore;
use crate::access::signing::{Signer, encoded};

const NOW_S: u64 = 1_800_000_000;

fn now() -> Timestamp {
    Timestamp(0).plus_ms(NOW_S * 1_000)
}

/// Issuers whose keys are in files.
struct World {
    issuers: Issuers,
    folder: tempfile::TempDir,
    acme: Signer,
    other: Signer,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (acme, other) = (Signer::es256("a"), Signer::es256("o"));
        let issuers = ["acme", "other"].map(|name| Issuer {
            name: name.into(),
            policy: Policy {
                issuer: format!("https://{name}.example.com").into(),
                audience: vec!["ferrule".into(), "orders".into()],
                skew_s: 30,
            },
            algorithms: Algorithm::DEFAULT.to_vec(),
            subject_claim: "sub".into(),
            rules: ClaimRules {
                roles_claim: Some("roles".into()),
                roles: [("sales".into(), OneOrMore::One("agent".into()))].into(),
                ..ClaimRules::default()
            },
            keys: Keys::new(Source::File(folder.path().join(name))),
        });
        let world = Self { issuers: Issuers::new(issuers.into()), folder, acme, other };
        world.has("acme", &[&world.acme]);
        world.has("other", &[&world.other]);
        world
    }

    /// Writes the keys of an issuer.
    fn has(&self, name: &str, signers: &[&Signer]) {
        let keys: Vec<Value> = signers.iter().map(|signer| signer.jwk()).collect();
        let set = json!({ "keys": keys }).to_string();
        std::fs::write(self.folder.path().join(name), set).unwrap();
    }

    async fn identify(&self, token: &str) -> Result<Arc<Identity>, TokenError> {
        self.issuers.identify(token, now()).await
    }
}

fn claims() -> Value {
    json!({
        "iss": "https://acme.example.com",
        "aud": ["ferrule", "account"],
        "sub": "crm",
        "exp": NOW_S + 300,
        "nbf": NOW_S - 10,
        "iat": NOW_S - 10,
        "roles": ["sales"],
    })
}

/// The claims with one of them changed; `null` leaves it out.
fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    if value.is_null() {
        claims.as_object_mut().unwrap().remove(name);
    } else {
        claims[name] = value;
    }
    claims
}

#[tokio::test]
async fn a_token_of_an_issuer_proves_its_subject_and_roles() {
    let world = World::new();
    let found = world.identify(&world.acme.token(&claims())).await.unwrap();
    assert_eq!(found.subject, "crm");
    assert_eq!(found.proof, Proof::Token { issuer: "acme".into() });
    assert_eq!(found.roles, ["agent"].map(crate::access::RoleName::new).into());
    assert_eq!(found.claims["roles"], json!(["sales"]));
    assert_eq!(found.until, Some(now().plus_ms(330_000)));
}

#[tokio::test]
async fn every_algorithm_is_checked_by_a_key_of_its_kind() {
    let world = World::new();
    let (rsa, ed) = (Signer::rsa("r"), Signer::ed25519("e"));
    world.has("acme", &[&world.acme, &rsa, &ed]);
    for signer in [&world.acme, &rsa, &ed] {
        let token = signer.token(&claims());
        world.identify(&token).await.unwrap();
        // Each bit of a signature counts.
        let (message, signature) = token.rsplit_once('.').unwrap();
        let mut bytes =
            base64::Engine::decode(&base64::prelude::BASE64_URL_SAFE_NO_PAD, signature).unwrap();
        bytes[10] ^= 1;
        let wrong = format!("{message}.{}", encoded(&bytes));
        assert!(matches!(world.identify(&wrong).await, Err(TokenError::Signature(_))));
    }
    let pss = rsa.signed(r#"{"alg":"PS256","kid":"r"}"#, &claims().to_string());
    world.identify(&pss).await.unwrap();
    // A signature by PKCS 1.5 is none by PSS.
    let swapped = rsa.signed(r#"{"alg":"RS256","kid":"r","x":"PS256"}"#, &claims().to_string());
    assert!(matches!(world.identify(&swapped).await, Err(TokenError::Signature(_))));
    // One that is not listed for the issuer is refused, though its key is there.
    let unlisted = rsa.signed(r#"{"alg":"RS512","kid":"r"}"#, &claims().to_string());
    assert!(matches!(world.identify(&unlisted).await, Err(TokenError::Algorithm { .. })));
}

#[tokio::test]
async fn claims_that_do_not_hold_prove_nothing() {
    let world = World::new();
    let table = [
        ("no exp", with("exp", Value::Null)),
        ("expired", with("exp", json!(NOW_S - 30))),
        ("exp as text", with("exp", json!((NOW_S + 300).to_string()))),
        ("exp with a fraction", with("exp", json!(1_800_000_300.5))),
        (
            "exp in words",
            serde_json::from_str(
                &claims().to_string().replace(&format!("\"exp\":{}", NOW_S + 300), "\"exp\":18e8"),
            )
            .unwrap(),
        ),
        ("negative exp", with("exp", json!(-1))),
        ("huge exp", with("exp", json!(u64::MAX))),
        ("exp after all times", with("exp", json!(253_402_300_800_u64))),
        ("premature", with("nbf", json!(NOW_S + 31))),
        ("nbf as text", with("nbf", json!("now"))),
        ("issued in the future", with("iat", json!(NOW_S + 31))),
        ("iat as text", with("iat", json!("now"))),
        ("no audience", with("aud", Value::Null)),
        ("other audience", with("aud", json!("crm"))),
        ("other audiences", with("aud", json!(["crm", "ferrule2"]))),
        ("audience in another case", with("aud", json!("Ferrule"))),
        ("audience in an object", with("aud", json!({ "ferrule": true }))),
        ("audiences of other types", with("aud", json!(["ferrule", 5]))),
        ("no issuer", with("iss", Value::Null)),
        ("other issuer", with("iss", json!("https://evil.example.com"))),
        ("issuer with a slash", with("iss", json!("https://acme.example.com/"))),
        ("issuer in a list", with("iss", json!(["https://acme.example.com"]))),
        ("no subject", with("sub", Value::Null)),
        ("empty subject", with("sub", json!(" "))),
        ("subject of another type", with("sub", json!(5))),
        ("long subject", with("sub", json!("x".repeat(257)))),
        ("subject with a line", with("sub", json!("a\nb"))),
        ("an ID token by its hash", with("at_hash", json!("AAAA"))),
        ("an ID token by its type", with("typ", json!("ID"))),
        ("an ID token by its use", with("token_use", json!("id"))),
        ("a refresh token", with("typ", json!("Refresh"))),
        ("a logout token", with("events", json!({}))),
        ("a bound token", with("cnf", json!({ "jkt": "AAAA" }))),
    ];
    for (what, claims) in table {
        let found = world.identify(&world.acme.token(&claims)).await;
        assert!(found.is_err(), "{what}: {found:?}");
    }
    let table = [
        ("expired within the skew", with("exp", json!(NOW_S - 29))),
        ("premature within the skew", with("nbf", json!(NOW_S + 30))),
        ("without nbf", with("nbf", Value::Null)),
        ("one audience", with("aud", json!("orders"))),
        ("a bearer token of Keycloak", with("typ", json!("Bearer"))),
    ];
    for (what, claims) in table {
        let found = world.identify(&world.acme.token(&claims)).await;
        assert!(found.is_ok(), "{what}: {found:?}");
    }
}

#[tokio::test]
async fn signatures_that_do_not_hold_prove_nothing() {
    let world = World::new();
    let text = claims().to_string();
    let good = world.acme.token(&claims());
    let (message, signature) = good.rsplit_once('.').unwrap();
    let (header, body) = message.split_once('.').unwrap();
    let public = world.acme.jwk();
    let hs = |key: &[u8]| {
        let message = format!("{}.{}", encoded(r#"{"alg":"HS256","kid":"a"}"#), encoded(&text));
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message.as_bytes());
        format!("{message}.{}", encoded(tag))
    };
    let stranger = Signer::es256("a");
    let own_key = json!({ "alg": "ES256", "kid": "a", "jwk": stranger.jwk() }).to_string();
    let unknown = Signer::es256("unknown");
    let none = |alg: &str| {
        format!("{}.{}", encoded(json!({ "alg": alg, "kid": "a" }).to_string()), encoded(&text))
    };
    let by_other = with("iss", json!("https://other.example.com"));
    let table = [
        ("none", format!("{}.", none("none"))),
        ("none with a signature", format!("{}.{signature}", none("none"))),
        ("None", format!("{}.{signature}", none("None"))),
        ("HMAC with the public key as text", hs(public.to_string().as_bytes())),
        ("HMAC with the public point", hs(public["x"].as_str().unwrap().as_bytes())),
        ("HMAC with nothing", hs(b"")),
        ("a stranger with the same id", stranger.token(&claims())),
        ("a key that the token brings along", stranger.signed(&own_key, &text)),
        ("an unknown key", unknown.token(&claims())),
        ("the key of another issuer", world.other.token(&claims())),
        ("the key of another issuer under its id", world.acme.token(&by_other)),
        (
            "another algorithm for the key",
            format!("{}.{body}.{signature}", encoded(r#"{"alg":"EdDSA","kid":"a"}"#)),
        ),
        (
            "other claims",
            format!("{header}.{}.{signature}", encoded(with("sub", json!("root")).to_string())),
        ),
        (
            "another header",
            format!("{}.{body}.{signature}", encoded(r#"{"alg":"ES256","kid":"a"}"#)),
        ),
        ("half a signature", format!("{message}.{}", &signature[..43])),
        ("a long signature", format!("{message}.{signature}AAAA")),
        ("a signature of zeros", format!("{message}.{}", encoded([0; 64]))),
    ];
    for (what, token) in table {
        let found = world.identify(&token).await;
        assert!(found.is_err(), "{what}: {found:?}");
    }
    assert!(world.identify(&good).await.is_ok());
}

#[tokio::test]
async fn a_verified_token_is_remembered_until_it_expires_or_its_key_goes() {
    let world = World::new();
    let token = world.acme.token(&claims());
    let first = world.identify(&token).await.unwrap();
    let again = world.identify(&token).await.unwrap();
    assert!(Arc::ptr_eq(&first, &again));
    let later = |ms| now().plus_ms(ms);
    assert!(world.issuers.identify(&token, later(329_999)).await.is_ok());
    assert!(world.issuers.identify(&token, later(330_000)).await.is_err());
    // The key is taken out of the set.
    world.has("acme", &[&Signer::es256("b")]);
    world.issuers.issuers["https://acme.example.com"].keys.fetch_once(later(FETCH_MS_MIN)).await;
    let gone = world.issuers.identify(&token, later(FETCH_MS_MIN)).await;
    assert!(matches!(gone, Err(TokenError::Key { .. })), "{gone:?}");
}

#[tokio::test]
async fn a_remembered_token_does_not_outlive_the_age_of_the_keys() {
    let world = World::new();
    let token = world.acme.token(&with("exp", json!(NOW_S + 10 * 86_400)));
    world.identify(&token).await.unwrap();
    std::fs::remove_file(world.folder.path().join("acme")).unwrap();
    let old = world.issuers.identify(&token, now().plus_ms(AGE_MS_MAX)).await;
    assert!(matches!(old, Err(TokenError::Key { .. })), "{old:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A token that differs in one letter proves nothing.
    #[test]
    fn a_changed_token_proves_nothing(at in any::<prop::sample::Index>(), letter in "[A-Za-z0-9_.-]") {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let world = World::new();
            let token = world.acme.token(&claims());
            let at = at.index(token.len());
            let changed = format!("{}{letter}{}", &token[..at], &token[at + 1..]);
            let found = world.identify(&changed).await;
            assert!(changed == token || found.is_err(), "{changed}");
        });
    }
}
