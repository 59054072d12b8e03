use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use super::*;

fn now<F: Future + ?Sized>(future: Pin<&mut F>) -> Option<F::Output> {
    match future.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

fn all(places: &Places) -> Vec<Place> {
    std::iter::from_fn(|| places.try_take(1)).collect()
}

#[test]
fn a_tenant_that_is_alone_may_have_all_places() {
    let places = Places::new(10, 50);
    assert!(places.try_take(11).is_none());
    let mut held = places.try_take(7).unwrap();
    held.merge(places.try_take(3).unwrap());
    assert_eq!(held.count(), 10);
    assert!(places.try_take(1).is_none());
    drop(held);
    assert_eq!(all(&places).len(), 10);
}

#[test]
fn however_many_places_others_take_a_tenant_finds_some() {
    let first = Places::new(64, 50);
    let others = [50, 25].map(|percent| first.for_tenant(percent));
    let mut held = Vec::new();
    for (places, expected) in [&first, &others[0], &others[1]].into_iter().zip([32, 16, 8]) {
        held.push(all(places));
        assert_eq!(held.last().unwrap().len(), expected);
    }
    // A share is a limit, too.
    held.clear();
    assert_eq!(all(&others[1]).len(), 16);
}

#[tokio::test]
async fn a_place_that_is_given_back_goes_to_the_tenant_that_has_least() {
    let first = Places::new(6, 50);
    let [second, third] = [50, 50].map(|percent| first.for_tenant(percent));
    let mut held = all(&first);
    let _others = [second.try_take(1).unwrap(), third.try_take(1).unwrap()];
    assert_eq!(held.len(), 3);
    // The first asked first, and has more.
    let mut more = pin!(first.take());
    let mut other = pin!(second.take());
    assert!(now(more.as_mut()).is_none() && now(other.as_mut()).is_none());
    drop(held.pop());
    assert!(now(more.as_mut()).is_none());
    assert!(now(other.as_mut()).is_some());
    held.clear();
    assert!(now(more.as_mut()).is_some());
}

#[tokio::test]
async fn a_request_that_waits_no_more_takes_no_place() {
    let places = Places::new(1, 50);
    let held = places.take().await;
    {
        let mut waiting = pin!(places.take());
        assert!(now(waiting.as_mut()).is_none());
    }
    assert!(places.lock().tenants[0].waiting.is_empty());
    drop(held);
    assert!(places.try_take(1).is_some());
}
