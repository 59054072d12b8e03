use std::io;

use super::*;

fn change(key: &str, bytes: usize) -> Changes {
    vec![(key.into(), Some(vec![0; bytes].into()))]
}

#[test]
fn commits_come_in_order_up_to_the_end() {
    let (feed, follower) = feed(10_000);
    assert!(feed.commit(change("a", 10)));
    assert_eq!(follower.waiting().unwrap(), Some(change("a", 10)));
    assert_eq!(follower.waiting().unwrap(), None);
    assert!(feed.commit(change("b", 10)));
    feed.end(7);
    assert!(matches!(follower.next().unwrap(), Fed::Commit(changes) if changes == change("b", 10)));
    assert!(matches!(follower.next().unwrap(), Fed::End { commits: 7 }));
}

#[test]
fn bytes_that_were_taken_do_not_count_any_more() {
    let (feed, follower) = feed(1_500);
    for _ in 0..10 {
        assert!(feed.commit(change("a", 1_000)));
        assert!(follower.waiting().unwrap().is_some());
    }
    assert!(feed.commit(change("a", 1_000)));
    assert!(!feed.commit(change("a", 1_000)));
    for _ in 0..2 {
        let error = follower.waiting().unwrap_err();
        assert!(matches!(error, BackupError::Behind { bytes_max: 1_500 }), "{error}");
    }
}

#[test]
fn a_follower_learns_that_the_store_failed_or_closed() {
    let (failing, follower) = feed(1_000);
    failing.fail(Failure::of("sync")(io::Error::from(io::ErrorKind::StorageFull)));
    let error = follower.next().unwrap_err();
    assert!(matches!(error, BackupError::Read(Error::Failed { action: "sync", .. })), "{error}");
    let (closing, follower) = feed(1_000);
    drop(closing);
    assert!(matches!(follower.next(), Err(BackupError::Read(Error::Closed))));
}

#[test]
fn a_feed_ends_with_its_follower() {
    let (feed, follower) = feed(1_000);
    drop(follower);
    assert!(!feed.commit(change("a", 1)));
}
