use http_body_util::{BodyExt as _, Full};

use super::*;

fn request(method: &str, url: &str, body: &str) -> Request<WasiBody> {
    let body = Full::new(Bytes::from(body.to_owned())).map_err(|never| match never {});
    Request::builder().method(method).uri(url).body(body.boxed_unsync()).unwrap()
}

fn response(status: u16, body: &str) -> Response<WasiBody> {
    let body = Full::new(Bytes::from(body.to_owned())).map_err(|never| match never {});
    Response::builder().status(status).body(body.boxed_unsync()).unwrap()
}

async fn text(body: WasiBody) -> String {
    String::from_utf8(body.collect().await.unwrap().to_bytes().into()).unwrap()
}

/// Records a request as it is sent and answered.
async fn record(tape: &Tape, asked: Request<WasiBody>, answer: Result<Response<WasiBody>, Error>) {
    let Taken::Sent(sent, reel) = tape.take(asked) else { panic!("it is not sent") };
    text(sent.into_body()).await;
    if let Ok(answer) = reel.ended(answer) {
        text(answer.into_body()).await;
    }
}

async fn play(tape: &Tape, asked: Request<WasiBody>) -> Result<(u16, String), String> {
    let Taken::Played(answer) = tape.take(asked) else { panic!("it was sent") };
    match answer.await {
        Ok(answer) => Ok((answer.status().as_u16(), text(answer.into_body()).await)),
        Err(error) => Err(format!("{error:?}")),
    }
}

fn recording() -> (Budget, Arc<Recording>) {
    let budget = Budget::new(TAPE_BYTES_MAX);
    let recording = Recording::new(&budget).unwrap();
    (budget, recording)
}

#[tokio::test]
async fn requests_are_answered_from_the_tape_in_their_order_and_by_their_bodies() {
    let (_, recording) = recording();
    let tape = Tape::Recorded(Arc::clone(&recording));
    tape.issued("login", Some("ferrulesecret-1"));
    record(&tape, request("PUT", "http://h/a", "1 ferrulesecret-1"), Ok(response(201, "one")))
        .await;
    record(&tape, request("PUT", "http://h/a", "2"), Ok(response(202, "two"))).await;
    record(&tape, request("PUT", "http://h/a", "2"), Ok(response(203, "three"))).await;
    record(&tape, request("GET", "http://h/b", ""), Err(Error::ConnectionRefused)).await;
    let replay = Replay::of(recording).unwrap();
    let tape = Tape::Replayed(Arc::clone(&replay));
    tape.issued("login", Some("ferrulesecret-2"));
    let asked = |method: &str, url: &str, body: &str| play(&tape, request(method, url, body));
    assert_eq!(asked("PUT", "http://h/a", "2").await, Ok((202, "two".into())));
    let secret = asked("PUT", "http://h/a", "1 ferrulesecret-2").await;
    assert_eq!(secret, Ok((201, "one".into())), "another placeholder is no difference");
    // Another body is compared later; its answer is that of the same place.
    assert_eq!(asked("PUT", "http://h/a", "9").await, Ok((203, "three".into())));
    assert_eq!(asked("GET", "http://h/b", "").await, Err("ConnectionRefused".into()));
    for more in [("PUT", "http://h/a"), ("POST", "http://h/a"), ("GET", "http://other/b")] {
        let never = async { asked(more.0, more.1, "").await.is_ok() };
        let ended = tokio::select! { biased; _ = never => false, () = replay.ended() => true };
        assert!(ended, "{more:?}");
    }
    let requests = replay.finish();
    let bodies = requests.pairs.iter().map(|(_, now)| now.as_ref().unwrap().body.as_slice());
    assert_eq!(bodies.collect::<Vec<_>>(), [b"1 ferrulesecret-2".as_slice(), b"2", b"9", b""]);
    assert_eq!(requests.added.len(), 3);
}

#[tokio::test]
async fn a_request_that_was_not_answered_ends_the_call_without_a_difference() {
    let (_, recording) = recording();
    let tape = Tape::Recorded(Arc::clone(&recording));
    let Taken::Sent(_, _reel) = tape.take(request("GET", "http://h/a", "")) else { panic!() };
    let replay = Replay::of(recording).unwrap();
    let tape = Tape::Replayed(Arc::clone(&replay));
    let never = play(&tape, request("GET", "http://h/a", ""));
    tokio::select! { biased; _ = never => panic!("it is answered"), () = replay.ended() => {} }
    assert!(replay.finish().added.is_empty());
}

#[tokio::test]
async fn a_call_that_exchanges_too_much_is_not_repeated() {
    let (budget, recording) = recording();
    assert!(Recording::new(&budget).is_none(), "all recordings together are bounded");
    let tape = Tape::Recorded(Arc::clone(&recording));
    let large = "x".repeat(TAPE_BYTES_MAX);
    record(&tape, request("GET", "http://h/a", ""), Ok(response(200, &large))).await;
    assert!(Replay::of(recording).is_none());
    drop(tape);
    assert!(Recording::new(&budget).is_some());
}

#[test]
fn a_login_is_compared_by_the_names_of_its_secrets() {
    let header = |value: &str| {
        let request = Request::builder().header("authorization", value).body(()).unwrap();
        Asked::of(&request.into_parts().0)
    };
    let mut names = Names::default();
    names.add("login", "ferrulesecret-1");
    // `user:ferrulesecret-1`
    let asked = header("Basic dXNlcjpmZXJydWxlc2VjcmV0LTE=");
    assert_eq!(asked.texts(&names)[0].1, "basic user:[secret login]");
    assert_eq!(header("Bearer ferrulesecret-1").texts(&names)[0].1, "Bearer [secret login]");
}

#[test]
fn times_and_random_numbers_are_those_of_the_other_call() {
    use super::chance::Source as _;
    let (_, recording) = recording();
    let time = recording.time();
    let (mut one, mut other) = ([0; 16], [0; 16]);
    recording.fill(&mut one);
    let replay = Replay::of(recording).unwrap();
    assert_eq!(replay.time(), time);
    replay.fill(&mut other);
    assert_eq!(one, other);
    assert!(replay.time() >= time, "times beyond them are new");
    replay.fill(&mut other);
    assert_ne!(one, other);
}
