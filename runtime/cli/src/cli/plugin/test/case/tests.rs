use super::{Does, Once, parse};

const LINE: &str = r#"
about: A line is set
task:
  spec: LINE
  characteristics: { downstreamSpeed: 200 }
  input: { element: olt-1, line: 7 }
settings:
  element.olt-1: "{{element}}"
exchanges:
  - does: applies
    request: { method: PUT, path: /lines/7, body: { mbps: 200 } }
    answer: { body: { mbps: 200 } }
  - does: reads
    request: { method: GET, path: /lines/7 }
expect:
  outputs: { mbps: 200 }
"#;

#[test]
fn a_case_is_read() {
    let case = parse(LINE).unwrap();
    assert_eq!(case.exchanges.len(), 2);
    assert_eq!(case.exchanges[0].does, Does::Applies);
    assert_eq!(case.exchanges[0].once(), Once::Target);
    assert_eq!(case.exchanges[1].answer.status.0, 200);
    assert_eq!(case.expect.outputs.unwrap().text_at("/mbps").as_deref(), Some("200"));
}

#[test]
fn mistakes_are_told_with_their_line() {
    for (from, to, line, told) in [
        ("does: applies", "dose: applies", 10, "unknown field `dose`"),
        ("does: applies", "does: apply", 10, "unknown variant `apply`"),
        ("method: PUT", "method: put", 11, "`put` is no method"),
        ("path: /lines/7, body", "path: lines/7, body", 11, "must begin with `/`"),
        ("answer: {", "answer: { status: 7,", 12, "7 is no status"),
        ("input: { element: olt-1, line: 7 }", "input: [7]", 6, "must be an object"),
        ("line: 7 }", "line: =steps.port }", 6, "begins with `=`"),
        ("line: 7 }", "line: 7 }\n  replaces:", 7, "expected mapping"),
        ("answer: {", "pending:\n    answer: {", 12, "expected mapping"),
        ("answer: {", "answer: { text: a,", 9, "not both"),
    ] {
        let text = LINE.replacen(from, to, 1);
        assert_ne!(text, LINE, "{from}");
        let (at, what) = parse(&text).unwrap_err();
        assert!(what.contains(told), "{what}");
        assert_eq!(at, line, "{what}");
    }
}
