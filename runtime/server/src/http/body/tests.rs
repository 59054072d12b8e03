use axum::body::Bytes;
use axum::http::HeaderValue;
use axum::response::IntoResponse as _;
use futures_util::{StreamExt as _, stream};

use super::*;

const MAX: Max = Max::Set(4 << 20);

fn json_headers() -> HeaderMap {
    [(CONTENT_TYPE, HeaderValue::from_static("application/json"))].into_iter().collect()
}

/// Pieces of a body, with a pause before each, and then nothing more for ever.
fn slow(pieces: usize, bytes: usize, pause: Duration) -> Body {
    let pieces = stream::iter(0..pieces).then(move |_| async move {
        tokio::time::sleep(pause).await;
        Ok::<_, std::io::Error>(Bytes::from(vec![b' '; bytes]))
    });
    Body::from_stream(pieces.chain(stream::pending()))
}

async fn received(body: Body, bodies: &Bodies) -> Result<Received, u16> {
    let received = receive(&json_headers(), body, (MAX, PACE), bodies).await;
    received.map_err(|problem| problem.into_response().status().as_u16())
}

#[tokio::test]
async fn bodies_under_way_have_room_together_and_give_it_back() {
    let bodies = Bodies::new(1, 50);
    let half = || Body::from(vec![b' '; 512 << 10]);
    let first = received(half(), &bodies).await.unwrap();
    let second = received(half(), &bodies).await.unwrap();
    assert_eq!(received(Body::from("{}"), &bodies).await.err(), Some(503));
    drop(first);
    let third = received(Body::from("{}"), &bodies).await.unwrap();
    drop(second);
    // What a document takes in memory counts, not its text alone.
    let zeros = format!("[0{}]", ",0".repeat(30_000));
    let many = received(Body::from(zeros), &bodies).await.unwrap();
    let problem = many.json(&json_headers()).err().unwrap();
    assert!(problem.message().contains("bodies-mib"), "{}", problem.message());
    let (document, room) = third.json(&json_headers()).unwrap();
    assert_eq!(document, Some(serde_json::json!({})));
    drop(room);
    assert!(bodies.pieces.try_take((1 << 20) / PIECE_BYTES).is_some());
}

#[tokio::test]
async fn a_body_that_stalls_is_not_waited_for_and_a_slow_one_is() {
    let pace = Pace {
        wait: Duration::from_secs(20),
        slow: Duration::from_millis(100),
        bytes_a_second: 1_000,
    };
    let bodies = Bodies::new(1, 50);
    let late = async |body| {
        let begun = Instant::now();
        let received = receive(&json_headers(), body, (MAX, pace), &bodies).await;
        let status = received.map_err(|problem| problem.into_response().status().as_u16());
        assert_eq!(status.err(), Some(408));
        begun.elapsed()
    };
    let never = Duration::ZERO;
    assert!(late(slow(0, 0, never)).await < pace.wait / 4);
    // What comes fast buys the time that it would have taken, and no more.
    let bought = late(slow(1, 500, never)).await;
    assert!(bought >= Duration::from_millis(600) && bought < pace.wait / 4, "{bought:?}");
    // A byte now and then.
    assert!(late(slow(1_000, 1, Duration::from_millis(10))).await < pace.wait / 4);
    // All of it has a limit too, however it moves.
    let pace = Pace { wait: Duration::from_millis(200), ..pace };
    let steady = slow(usize::MAX, 1_000, Duration::from_millis(10));
    let begun = Instant::now();
    assert!(receive(&json_headers(), steady, (MAX, pace), &bodies).await.is_err());
    assert!(begun.elapsed() >= pace.wait);
}

#[tokio::test]
async fn a_body_shorter_than_announced_ended_early() {
    let mut headers = json_headers();
    headers.insert(CONTENT_LENGTH, HeaderValue::from_static("4"));
    let cut = receive(&headers, Body::from("{}"), (MAX, PACE), &Bodies::new(1, 50)).await;
    assert_eq!(cut.err().unwrap().message(), "the body ended early");
}
