use engine::telemetry::{self, Message};

use super::{Does, Exchange, Known, Phase, Said, exchanges};

fn said(phase: Phase, request: &str, body: &str, status: u16, answer: &str) -> Said {
    let (method, path) = request.split_once(' ').unwrap();
    let message = |body: &str| Message {
        headers: vec![
            ("authorization".into(), "[hidden]".into()),
            ("content-type".into(), "application/json".into()),
        ],
        body: (!body.is_empty()).then(|| body.into()),
        ..Message::default()
    };
    Said {
        phase,
        exchange: telemetry::Exchange {
            after_us: 0,
            took_us: 0,
            method: method.into(),
            url: format!("http://10.0.0.7:8080/api{path}"),
            request: message(body),
            status: Some(status),
            answer: Some(message(answer)),
            failure: None,
        },
    }
}

fn recorded(said: &[Said]) -> Vec<Exchange> {
    let known = Known { base: Some("http://10.0.0.7:8080/api".into()), key: "test:0".into() };
    exchanges(said, &known)
}

#[test]
fn recordings_become_exchanges_by_state() {
    let made = recorded(&[
        said(Phase::Run, "POST /login", r#"{"password":"[setting password]"}"#, 200, "{}"),
        said(Phase::Run, "POST /lines", r#"{"mbps":200}"#, 201, r#"{"id":"L-77"}"#),
        said(Phase::Probe, "GET /lines?key=test:0", "", 200, r#"{"id":"L-77","key":"test:0"}"#),
        said(Phase::Undo, "POST /login", r#"{"password":"[setting password]"}"#, 200, "{}"),
        said(Phase::Undo, "DELETE /lines/L-77", "", 204, ""),
        said(Phase::Undo, "DELETE /lines/L-77", "", 404, ""),
        said(Phase::Probe, "GET /lines?key=test:0", "", 404, ""),
    ]);
    let shown: Vec<(Does, String)> = made
        .iter()
        .map(|one| (one.does, format!("{} {}", one.request.method.0, one.request.path.0)))
        .collect();
    assert_eq!(
        shown,
        [
            (Does::Nothing, "POST /login".to_owned()),
            (Does::Applies, "POST /lines".to_owned()),
            (Does::Reads, "GET /lines?key={{key}}".to_owned()),
            (Does::Reverts, "DELETE /lines/{{id}}".to_owned()),
        ]
    );
    let login = made[0].request.body.as_ref().unwrap();
    assert_eq!(login.text_at("/password").as_deref(), Some("{{secret.password}}"));
    assert!(!made[0].request.headers.contains_key("authorization"), "{made:?}");
    assert_eq!(made[1].answer.body.as_ref().unwrap().text_at("/id").as_deref(), Some("{{id}}"));
    let read = &made[2];
    assert_eq!(read.answer.body.as_ref().unwrap().text_at("/key").as_deref(), Some("{{key}}"));
    assert_eq!(read.absent.as_ref().unwrap().status.0, 404);
    assert_eq!((made[3].answer.status.0, made[3].absent.as_ref().unwrap().status.0), (204, 404));
}
