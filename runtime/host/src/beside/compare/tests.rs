use hyper::Request;
use model::Wait;
use serde_json::{Map, json};

use super::*;
use crate::grants::Grants;
use crate::secret::{Safe, Secret};

fn done(outputs: &serde_json::Value) -> Ended {
    let outputs: Map<_, _> = outputs.as_object().unwrap().clone();
    Ended::of(&Outcome::Done(outputs))
}

fn failed(code: FailureCode) -> Ended {
    Ended::of(&Outcome::Failed(Failure::new(FailureClass::Retry, code, "a message")))
}

fn asked(method: &str, url: &str, headers: &[(&str, &str)], body: &[u8]) -> Asked {
    let mut request = Request::builder();
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let headers = request.body(()).unwrap().into_parts().0.headers;
    Asked { method: method.into(), url: url.into(), headers, body: body.into(), is_cut: false }
}

/// The mask of a plugin with a secret `login`.
fn mask() -> Mask {
    let value = Secret::new(b"hunter2hunter2".to_vec()).unwrap();
    let safe = std::sync::Arc::new(Safe::new([("nms".to_owned(), value)].into()));
    let grant = crate::grants::SecretGrant { secret: "nms".into(), to: Vec::new() };
    Mask::new(&Grants { secrets: [("login".to_owned(), grant)].into(), ..Grants::default() }, &safe)
}

/// The lines of a comparison of two requests.
fn of(before: Asked, now: Asked) -> Vec<String> {
    let pairs = vec![(before, Some(now))];
    let requests = Requests { pairs, ..Requests::default() };
    let (one, other) = (done(&json!({})), done(&json!({})));
    let compared = compare(&one, Some(&other), requests, &mask());
    let text = |part: Option<String>| part.unwrap_or_else(|| "-".into());
    let line = |one: Difference| {
        format!(
            "{:?} {:?} {} {} {}",
            one.of,
            one.change,
            text(one.at),
            text(one.before),
            text(one.now)
        )
    };
    compared.differences.into_iter().map(line).collect()
}

fn json_body(before: &[u8], now: &[u8]) -> Vec<String> {
    let url = "http://h/a?token=abc&b=1";
    of(asked("PUT", url, &[], before), asked("PUT", url, &[], now))
}

#[test]
fn values_are_compared_by_their_pointers() {
    let cases: [(&[u8], &[u8], &[&str]); 9] = [
        (b"{\"a\":1,\"b\":2}", b"{\"b\": 2, \"a\": 1}", &[]),
        (b"{\"a\":1}", b"{\"a\":1.0}", &["Body Changed /a 1 1.0"]),
        (b"{\"a\":[1,2]}", b"{\"a\":[1]}", &["Body Missing /a/1 2 -"]),
        (b"{\"a\":{}}", b"{\"a\":[]}", &["Body Changed /a {} []"]),
        (b"{\"a/b\":{\"~\":1}}", b"{}", &["Body Added  - {}", "Body Missing /a~1b/~0 1 -"]),
        (b"{\"pin\":1}", b"{\"pin\":2}", &["Body Changed /pin [hidden] [hidden]"]),
        (
            b"{\"a\":\"hunter2hunter2\"}",
            b"{\"a\":\"x hunter2hunter2\"}",
            &["Body Changed /a \"[secret login]\" \"x [secret login]\""],
        ),
        (b"<a><pin>1</pin></a>", b"<b/>", &["Body Changed  <a><pin>[hidden]</pin></a> <b/>"]),
        (b"{", b"", &["Body Changed  { "]),
    ];
    for (before, now, expected) in cases {
        assert_eq!(json_body(before, now), expected, "{}", String::from_utf8_lossy(before));
    }
    let binary = json_body(&[0xff, 1], &[0xff, 2]);
    assert!(binary[0].starts_with("Body Changed  2 bytes, "), "{binary:?}");
}

#[test]
fn headers_are_compared_without_what_follows_from_the_rest() {
    let one = asked("GET", "http://h/a", &[("content-length", "1"), ("x-b", "1")], b"");
    let other = asked("GET", "http://h/a", &[("content-length", "2"), ("x-token", "1")], b"");
    assert_eq!(of(one, other), ["Header Missing x-b 1 -", "Header Added x-token - [hidden]"]);
}

#[test]
fn ends_are_compared_by_kind_class_and_code() {
    let waiting =
        |key: &str| Ended::of(&Outcome::Waiting(Wait { keys: vec![key.into()], timeout_ms: 5 }));
    let trapped = || failed(FailureCode::PluginTrapped);
    let cases = [
        (done(&json!({ "a": 1 })), done(&json!({ "a": 1 })), Verdict::Same),
        (done(&json!({ "a": 1 })), done(&json!({ "a": 2 })), Verdict::Different),
        (done(&json!({})), waiting("k"), Verdict::Different),
        (waiting("k"), waiting("l"), Verdict::Different),
        (failed(FailureCode::PluginAnswer), failed(FailureCode::PluginAnswer), Verdict::Same),
        (done(&json!({})), trapped(), Verdict::Failed),
        (trapped(), trapped(), Verdict::Same),
        (trapped(), done(&json!({})), Verdict::Different),
        (done(&json!({})), failed(FailureCode::HostMemory), Verdict::Skipped),
    ];
    for (before, now, verdict) in cases {
        let compared = compare(&before, Some(&now), Requests::default(), &mask());
        assert_eq!(compared.verdict, verdict, "{before:?} and {now:?}: {compared:?}");
    }
}

#[test]
fn missing_requests_are_not_known_of_a_call_that_was_ended() {
    let requests = || Requests {
        pairs: vec![(asked("GET", "http://h/a", &[], b""), None)],
        takings_missing: vec![("vlan".into(), "v".into())],
        ..Requests::default()
    };
    let (one, other) = (done(&json!({})), done(&json!({})));
    let whole = compare(&one, Some(&other), requests(), &mask());
    assert_eq!(whole.differences.len(), 2, "{whole:?}");
    let ended = compare(&one, None, requests(), &mask());
    assert_eq!((ended.verdict, ended.differences.len()), (Verdict::Same, 0));
}

#[test]
fn differences_are_bounded() {
    let many: serde_json::Value =
        (0..200).map(|n| (n.to_string(), json!("x".repeat(1_000)))).collect::<Map<_, _>>().into();
    let compared =
        compare(&done(&json!({ "0": 1 })), Some(&done(&many)), Requests::default(), &mask());
    assert_eq!((compared.differences.len(), compared.more), (DIFFERENCES_MAX, 150));
    let longest = compared.differences.iter().filter_map(|one| one.now.as_ref()).map(String::len);
    assert!(longest.max().unwrap() <= VALUE_BYTES_MAX + 8);
}
