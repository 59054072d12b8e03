//! Backups over HTTP, of a store on a disk.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::StatusCode;
use engine::store::{Batch, Memory, Store as _};
use http_body_util::BodyExt as _;
use store::{Options, Sled};
use tempfile::TempDir;

use super::bench::Bench;

const BACKUPS: &str = "POST /orchestration/v1/backups";

/// More than waits for a client that takes nothing.
const FACTS: usize = 400;
const FACT_BYTES: usize = 16 << 10;

/// A server with a large store, and the folder of the store.
async fn filled() -> (Bench, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let store = Sled::open(folder.path(), &Options::default()).unwrap();
    let epoch = store.claim().unwrap();
    let mut state = 7_u64;
    let facts = (0..FACTS).map(|number| {
        let noise = std::iter::repeat_with(|| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[3]
        });
        (format!("noise/{number}").into_bytes(), Some(noise.take(FACT_BYTES).collect()))
    });
    store.append(Batch::of(epoch, facts.collect())).await.unwrap();
    (Bench::over(Memory::new(), Arc::new(store)), folder)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_whole_and_there_is_one_at_a_time() {
    let (bench, _folder) = filled().await;
    let first = bench.open(BACKUPS, &[], Body::empty()).await;
    assert_eq!(first.status(), StatusCode::OK);
    assert_eq!(first.headers()["content-type"], "application/octet-stream");
    let second = bench.send(BACKUPS, &[], Body::empty()).await;
    assert_eq!(second.status, StatusCode::CONFLICT, "{}", second.text);
    assert!(second.text.contains("another backup"), "{}", second.text);
    let bytes = first.into_body().collect().await.unwrap().to_bytes();
    let (_, whole) = store::backup::check(&*bytes).unwrap();
    assert!(whole.records > FACTS as u64);
    let third = bench.open(BACKUPS, &[], Body::empty()).await;
    assert_eq!(third.status(), StatusCode::OK);
    let audit = bench.get("/orchestration/v1/audit?action=POST%20backups").await;
    assert!(audit.text.contains("\"done\""), "{}", audit.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_goes_away_ends_its_backup() {
    let (bench, _folder) = filled().await;
    let response = bench.open(BACKUPS, &[], Body::empty()).await;
    let busy = bench.send(BACKUPS, &[], Body::empty()).await;
    assert_eq!(busy.status, StatusCode::CONFLICT, "{}", busy.text);
    drop(response);
    let free = async {
        while bench.open(BACKUPS, &[], Body::empty()).await.status() != StatusCode::OK {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), free).await.expect("its place is free again");
}

#[tokio::test]
async fn a_store_in_memory_has_no_backup() {
    let answer = Bench::new().send(BACKUPS, &[], Body::empty()).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.text);
}
