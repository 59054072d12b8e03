use serde_json::json;

use super::*;
use crate::grants::SecretGrant;
use crate::secret::Secret;

fn mask(settings: &[(&str, &str)]) -> Mask {
    Mask::of(settings.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect())
}

#[test]
fn a_value_is_masked_in_each_form_and_inside_a_longer_text() {
    let mask = mask(&[("api", "pä/ss \"wörd\"+?")]);
    for text in [
        "sent pä/ss \"wörd\"+? to olt-1",
        r#"{"a":"pä/ss \"wörd\"+?"}"#,
        r#"{"a":"pä\/ss \"wörd\"+?"}"#,
        r#"{"a":"p\u00e4/ss \"w\u00f6rd\"+?"}"#,
        r#""{\"a\":\"pä/ss \\\"wörd\\\"+?\"}""#,
        "GET /x?t=p%C3%A4%2Fss%20%22w%C3%B6rd%22%2B%3F&y",
        "GET /x?t=p%c3%a4%2fss%20%22w%c3%b6rd%22%2b%3f&y",
        "t=p%C3%A4%2Fss+%22w%C3%B6rd%22%2B%3F",
        "0x70c3a42f7373202277c3b67264222b3f",
        "0x70C3A42F7373202277C3B67264222B3F",
    ] {
        let masked = mask.text(text.into());
        assert!(masked.contains("[setting api]"), "{text}: {masked}");
        assert!(!masked.contains("rd") && !masked.contains("7264"), "{masked}");
    }
}

#[test]
fn a_value_is_masked_in_base64_at_each_offset() {
    let mask = mask(&[("api", "correct horse")]);
    for (text, clear) in [
        ("Y29ycmVjdCBob3JzZQ==", "correct horse"),
        ("dXNlcjpjb3JyZWN0IGhvcnNl", "user:correct horse"),
        ("YWRtaW46Y29ycmVjdCBob3JzZSE=", "admin:correct horse!"),
        ("YTpjb3JyZWN0IGhvcnNlOmI=", "a:correct horse:b"),
        ("Y3I6Y29ycmVjdCBob3JzZTpi", "cr:correct horse:b"),
        ("eHh4eDpjb3JyZWN0IGhvcnNl", "xxxx:correct horse"),
    ] {
        assert!(mask.text(text.into()).contains("[setting api]"), "{clear} is {text}");
    }
}

#[test]
fn names_texts_and_numbers_of_outputs_are_masked() {
    let mask = mask(&[("token", "s3cr3t-value"), ("pin", "482911")]);
    let outputs = json!({
        "s3cr3t-value": ["x s3cr3t-value y", { "n": 482911, "m": 14829110 }],
        "b": "nothing",
    });
    let Value::Object(outputs) = outputs else { panic!("an object") };
    assert_eq!(
        Value::Object(mask.object(outputs)),
        json!({
            "[setting token]": ["x [setting token] y", { "n": "[setting pin]", "m": 14829110 }],
            "b": "nothing",
        })
    );
}

#[test]
fn short_values_and_plain_addresses_of_elements_are_shown() {
    let mask = mask(&[
        ("rounding", "half-up"),
        ("element.olt-1", "http://10.0.0.7:8080/api"),
        ("element.olt-2", "http://user:hunter2@10.0.0.8/api"),
        ("element.olt-3", "https://10.0.0.9/api?apikey=abcdefg"),
        ("password", "1234"),
        ("pin", "123"),
    ]);
    let shown = "half-up http://10.0.0.7:8080/api 123";
    assert_eq!(mask.text(shown.into()), shown);
    for secret in
        ["http://user:hunter2@10.0.0.8/api", "https://10.0.0.9/api?apikey=abcdefg", "1234"]
    {
        assert!(mask.is_shown_in(secret), "{secret}");
    }
    let settings = [("pin".to_owned(), "123".to_owned()), ("spin".to_owned(), "1".to_owned())];
    assert_eq!(Mask::too_short(&settings.into()), ["pin"]);
}

#[test]
fn the_password_of_an_address_is_masked_by_itself() {
    let mask = mask(&[("element.olt-1", "http://admin:hunter2@10.0.0.8/api/")]);
    for text in ["http://admin:hunter2@10.0.0.8/api", "pass hunter2", "YWRtaW46aHVudGVyMg=="] {
        assert!(mask.is_shown_in(text), "{text}");
    }
}

#[test]
fn each_line_of_a_key_is_masked() {
    let mask = mask(&[("certificate", "-----BEGIN\nMIIEvQIBADANBg\nkqhkiG9w0BAQEF\n")]);
    assert_eq!(mask.text("stdout: MIIEvQIBADANBg".into()), "stdout: [setting certificate]");
}

#[test]
fn a_longer_value_is_masked_before_one_that_is_part_of_it() {
    let mask = mask(&[("a", "password"), ("b", "password-of-the-nms")]);
    assert_eq!(mask.text("password-of-the-nms password".into()), "[setting b] [setting a]");
    assert!(!format!("{mask:?}").contains("password"));
}

#[test]
fn a_secret_is_masked_before_and_after_it_is_renewed() {
    let secret = |value: &str| Secret::new(value.into()).unwrap();
    let safe = Arc::new(Safe::new([("nms".to_owned(), secret("first-value"))].into()));
    let grant = SecretGrant { secret: "nms".into(), to: Vec::new() };
    let secrets = [("password".to_owned(), grant)].into();
    let config = [("api".to_owned(), "a-setting".to_owned())].into();
    let mask = Mask::new(&Grants { secrets, config, ..Grants::default() }, &safe);
    let text = "first-value and c2Vjb25kLXZhbHVl of a-setting";
    assert_eq!(mask.text(text.into()), "[secret password] and c2Vjb25kLXZhbHVl of [setting api]");
    safe.renew("nms", secret("second-value"));
    assert_eq!(mask.text(text.into()), "[secret password] and [secret password] of [setting api]");
    assert!(mask.is_shown_in("first-value") && mask.is_shown_in("second-value"));
    let alone = mask.secrets().unwrap();
    assert!(alone.is_in("first-value") && !alone.is_in("a-setting"), "settings are the plugin's");
}

#[test]
fn a_placeholder_is_shown_as_a_secret() {
    let digits = "0123456789abcdef0123456789abcdef";
    let mask = mask(&[]);
    let text = format!("x {PLACEHOLDER}{digits}a, {PLACEHOLDER}{digits}, {PLACEHOLDER}s");
    assert_eq!(mask.text(text), format!("x [secret]a, [secret], {PLACEHOLDER}s"));
}
