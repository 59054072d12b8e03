use super::*;
use crate::contract::secrets::Host as _;
use crate::grants::{Grants, SecretGrant};

/// The secrets of a call of `acme`, which may send `password` to 10.0.0.7.
pub(super) fn secrets(value: &str) -> Arc<Secrets> {
    let value = Secret::short(value.into()).unwrap();
    let safe = Arc::new(Safe::new([("nms".to_owned(), value)].into()));
    let to = vec!["http://10.0.0.7:8080".parse().unwrap()];
    let granted = [
        ("password".to_owned(), SecretGrant { secret: "nms".into(), to }),
        ("gone".to_owned(), SecretGrant { secret: "gone".into(), to: Vec::new() }),
    ];
    let grants = Grants { secrets: granted.into(), ..Grants::default() };
    let http = vec!["http://10.0.0.7:8080".parse().unwrap()];
    let caller = Caller::of_test(Grants { http, ..grants });
    Arc::new(Secrets::new(&Arc::new(caller), &safe))
}

/// What the host logged.
pub(super) fn log(secrets: &Secrets) -> String {
    secrets.caller.log.finish().join("\n")
}

#[test]
fn a_placeholder_is_the_same_in_a_call_and_another_in_the_next() {
    let (mut first, mut second) = (secrets("value-1"), secrets("value-1"));
    let placeholder = first.get("password".into()).unwrap();
    assert_eq!(first.get("password".into()).as_ref(), Some(&placeholder));
    assert_ne!(second.get("password".into()).unwrap(), placeholder);
    assert!(!format!("{first:?}").contains("value-1"));
}

#[test]
fn a_secret_that_was_not_granted_or_has_no_value_is_none_and_the_log_has_the_reason() {
    let mut secrets = secrets("value-1");
    assert_eq!((secrets.get("nms".into()), secrets.get("gone".into())), (None, None));
    let wanted = "host: denied secret `nms` of plugin `acme`: it is not granted; to grant it, add\nhost: \
                  [plugins.acme.secrets]\nhost: nms = { secret = \"nms\", to = \
                  [\"http://10.0.0.7:8080\"] }\nhost: denied secret `gone` of plugin `acme`: it has no \
                  value now: see `[secrets.gone]`";
    assert_eq!(log(&secrets), wanted);
}
