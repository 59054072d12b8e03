//! Concurrent orders about existing instances: a slow one does not block the others.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use engine::store::{Appended, Batch, Epoch, Error, Fact, Memory, Scan, Settled, Store};
use serde_json::{Value, json};

use super::bench::Bench;

const ORDERS: &str = "/tmf-api/productOrderingManagement/v4/productOrder";

/// A store in which a look at one product takes until it is let go.
struct Stuck {
    memory: Memory,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Free,
    Stuck,
    Looking,
}

impl Stuck {
    fn set(&self, state: State) {
        *self.state.lock().unwrap() = state;
        self.changed.notify_all();
    }

    fn wait_until(&self, is_met: impl Fn(State) -> bool) {
        let state = self.state.lock().unwrap();
        drop(self.changed.wait_while(state, |state| !is_met(*state)).unwrap());
    }
}

impl Store for Stuck {
    fn append(&self, batch: Batch) -> Appended {
        self.memory.append(batch)
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        if key == engine::keys::document("product", "SLOW") {
            let mut state = self.state.lock().unwrap();
            if *state == State::Stuck {
                *state = State::Looking;
                self.changed.notify_all();
            }
            drop(state);
            self.wait_until(|state| state == State::Free);
        }
        self.memory.get(key)
    }

    fn scan(&self, scan: &Scan) -> Result<Vec<Fact>, Error> {
        self.memory.scan(scan)
    }

    fn claim(&self) -> Result<Epoch, Error> {
        self.memory.claim()
    }

    fn changed(&self) -> tokio::sync::watch::Receiver<u64> {
        self.memory.changed()
    }

    fn settled(&self) -> Settled {
        self.memory.settled()
    }
}

fn change(product: &str) -> Value {
    json!({
        "productOrderItem": [{ "id": "1", "action": "modify", "product": { "id": product } }],
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn an_order_whose_look_takes_long_holds_no_other_change_up() {
    let memory = Memory::new();
    let stuck = Arc::new(Stuck {
        memory: memory.clone(),
        state: Mutex::new(State::Free),
        changed: Condvar::new(),
    });
    let bench = Arc::new(Bench::over(memory, Arc::clone(&stuck) as _));
    stuck.set(State::Stuck);
    let slow = Arc::clone(&bench);
    let slow = tokio::spawn(async move { slow.post(ORDERS, &change("SLOW")).await.status });
    tokio::task::block_in_place(|| stuck.wait_until(|state| state == State::Looking));

    let document = change("OTHER");
    let other = bench.post(ORDERS, &document);
    let other = tokio::time::timeout(Duration::from_secs(30), other).await;
    stuck.set(State::Free);
    let other = other.expect("it is answered while the other one still looks");
    assert_eq!(other.status, 422, "{}", other.text);
    assert_eq!(slow.await.unwrap(), 422);
}
