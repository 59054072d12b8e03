use serde_json::{Value, json};
use tmf::document::read;

use super::*;

fn keys(party: &Value) -> BTreeSet<Key> {
    super::keys(&read(party).unwrap())
}

fn shown(party: &Value) -> String {
    keys(party).iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn keys_are_what_two_that_are_one_have_in_common() {
    let zoe = json!({
        "givenName": "Zoë", "familyName": " MÜLLER-Straße", "birthDate": "1980-02-03T00:00:00Z",
        "individualIdentification": [
            { "identificationType": "passport", "identificationId": "C01 X-00" },
        ],
        "contactMedium": [
            { "characteristic": { "emailAddress": " Zoe@Example.COM " } },
            { "characteristic": { "phoneNumber": "0049 (30) 123-456" } },
            { "characteristic": { "phoneNumber": "110" } },
        ],
    });
    insta::assert_snapshot!(shown(&zoe), @r"
    identification:passport/c01x00
    emailAddress:zoe@example.com
    nameAndBirthDate:zoemuellerstrasse/1980-02-03
    phoneNumber:+4930123456
    ");
    let same = json!({
        "givenName": "zoe", "familyName": "Mueller Strasse", "birthDate": "1980-02-03",
        "contactMedium": [{ "characteristic": { "phoneNumber": "+49 30 123456" } }],
    });
    let both: Vec<Key> = keys(&zoe).intersection(&keys(&same)).cloned().collect();
    let reasons: Vec<Reason> = both.iter().map(|key| key.reason).collect();
    assert_eq!(reasons, [Reason::NameAndBirthDate, Reason::Phone]);
    for key in both {
        assert_eq!(Key::parse(&key.to_string()), Some(key));
    }
}

#[test]
fn a_name_alone_is_shared_by_many_people_and_not_by_companies() {
    let ann = json!({ "givenName": "Ann", "familyName": "Smith" });
    assert!(keys(&ann).is_empty());
    let company = json!({
        "tradingName": "Acme, Inc.",
        "organizationIdentification": [{ "identificationId": "HRB 123" }],
    });
    insta::assert_snapshot!(shown(&company), @r"
    identification:/hrb123
    organizationName:acmeinc
    ");
}

#[test]
fn keys_are_bounded() {
    let media: Vec<Value> = (0..1_000)
        .map(|number| json!({ "characteristic": { "emailAddress": format!("{number}@{}", "x".repeat(500)) } }))
        .collect();
    let many = keys(&json!({ "contactMedium": media }));
    assert_eq!(many.len(), KEYS_MAX);
    assert!(many.iter().all(|key| key.value.chars().count() <= VALUE_CHARS_MAX));
}
