use proptest::prelude::*;

use super::*;
use crate::access::signing::encoded;

fn error(token: &str) -> Option<FormError> {
    Compact::read(token).err()
}

fn of(header: &str, claims: &str) -> String {
    format!("{}.{}.c2ln", encoded(header), encoded(claims))
}

#[test]
fn a_token_has_one_form() {
    let header = r#"{"alg":"ES256"}"#;
    let good = of(header, r#"{"iss":"a"}"#);
    assert_eq!(error(&good), None);
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(16), "]".repeat(16));
    let deeper = format!("{{\"a\":{}1{}}}", "[".repeat(100), "]".repeat(100));
    let table = [
        ("nothing", String::new(), FormError::Parts),
        ("no dots", "abc".into(), FormError::Parts),
        ("two parts", good.rsplit_once('.').unwrap().0.into(), FormError::Parts),
        ("four parts", format!("{good}.c2ln"), FormError::Parts),
        ("five parts, as encrypted", format!("{good}.a.b"), FormError::Parts),
        ("no signature", format!("{}.", good.rsplit_once('.').unwrap().0), FormError::Base64),
        ("padding", format!("{good}="), FormError::Base64),
        ("trailing byte", format!("{good}!"), FormError::Base64),
        ("trailing line", format!("{good}\n"), FormError::Base64),
        ("loose bits", good.replace("c2ln", "c2lnZh"), FormError::Base64),
        ("standard base64", good.replace("c2ln", "c2+/"), FormError::Base64),
        ("long signature", format!("{good}{}", "A".repeat(1_400)), FormError::Base64),
        ("too long", of(header, &"x".repeat(8 << 10)), FormError::TooLong),
        ("no header", of("", "{}"), FormError::Header),
        ("header of another type", of("[]", "{}"), FormError::Header),
        ("no algorithm", of("{}", "{}"), FormError::Header),
        ("algorithm of another type", of(r#"{"alg":5}"#, "{}"), FormError::Header),
        ("id of another type", of(r#"{"alg":"ES256","kid":5}"#, "{}"), FormError::Header),
        ("algorithm twice", of(r#"{"alg":"ES256","alg":"none"}"#, "{}"), FormError::Twice),
        ("critical", of(r#"{"alg":"ES256","crit":["exp"]}"#, "{}"), FormError::Extension),
        ("critical null", of(r#"{"alg":"ES256","crit":null}"#, "{}"), FormError::Extension),
        ("bare payload", of(r#"{"alg":"ES256","b64":false}"#, "{}"), FormError::Extension),
        ("compressed", of(r#"{"alg":"ES256","zip":"DEF"}"#, "{}"), FormError::Extension),
        ("nested", of(r#"{"alg":"ES256","cty":"JWT"}"#, "{}"), FormError::Type),
        ("logout token", of(r#"{"alg":"ES256","typ":"logout+jwt"}"#, "{}"), FormError::Type),
        ("proof", of(r#"{"alg":"ES256","typ":"dpop+jwt"}"#, "{}"), FormError::Type),
        ("claims of another type", of(header, "[1]"), FormError::Claims),
        ("claims that go on", of(header, "{}{}"), FormError::Claims),
        ("claims that are a token", of(header, &good), FormError::Claims),
        ("claim twice", of(header, r#"{"iss":"a","iss":"b"}"#), FormError::Twice),
        ("inner claim twice", of(header, r#"{"a":{"b":1,"b":2}}"#), FormError::Twice),
        ("spelt twice", of(header, r#"{"iss":"a","\u0069ss":"b"}"#), FormError::Twice),
        ("deep", of(header, &deep), FormError::TooDeep),
        ("deeper", of(header, &deeper), FormError::TooDeep),
    ];
    for (what, token, expected) in table {
        assert_eq!(error(&token), Some(expected), "{what}");
    }
    for typ in ["JWT", "jwt", "at+jwt", "application/at+jwt"] {
        assert_eq!(error(&of(&format!(r#"{{"alg":"ES256","typ":"{typ}"}}"#), "{}")), None);
    }
}

#[test]
fn keys_in_a_header_are_not_read() {
    let header = r#"{"alg":"ES256","kid":"a","jwk":{"kty":"oct"},"jku":"https://evil.example.com",
        "x5u":"https://evil.example.com","x5c":["AAAA"]}"#;
    assert_eq!(error(&of(header, "{}")), None);
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        drop(Compact::read(&text));
    }

    #[test]
    fn any_parts_are_read_or_refused(header in any::<Vec<u8>>(), claims in any::<Vec<u8>>(), signature in any::<Vec<u8>>()) {
        let token = format!("{}.{}.{}", encoded(header), encoded(claims), encoded(signature));
        drop(Compact::read(&token));
    }

    #[test]
    fn a_token_is_read_as_it_was_signed(issuer in "[a-z:/.]{0,40}", signature in proptest::collection::vec(any::<u8>(), 1..100)) {
        let claims = serde_json::json!({ "iss": issuer }).to_string();
        let signed = format!("{}.{}", encoded(r#"{"alg":"ES256"}"#), encoded(claims));
        let token = format!("{signed}.{}", encoded(&signature));
        let read = Compact::read(&token).unwrap();
        prop_assert_eq!(read.issuer(), issuer);
        prop_assert_eq!(read.signed, signed.as_bytes());
        prop_assert_eq!(read.signature, signature);
    }
}
