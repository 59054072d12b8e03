//! Replans orders without a plan: when the orders that they wait for end, when their instances
//! change, and when packs or plugins change. One after the other, so that many of them do not keep
//! new orders from being planned.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use engine::Published;
use model::plan::Level;
use model::{Event, Fulfilment, FulfilmentId, Kind, Order};
use tokio::sync::broadcast::error::RecvError;

use crate::orders::{Orders, Wanted};

/// Replans orders until the server stops.
pub(crate) async fn run(orders: Arc<Orders>, stopped: impl Future<Output = ()>) {
    tokio::select! {
        () = stopped => {}
        () = follow(&orders) => {}
    }
}

async fn follow(orders: &Orders) {
    orders.ready().await;
    let changed = orders.replanning();
    let engine = orders.engine();
    let mut news = engine.watch();
    loop {
        let mut waiting = Waiting::default();
        let Ok(unplanned) = engine.unplanned().await else {
            return;
        };
        unplanned.iter().for_each(|fulfilment| waiting.add(fulfilment));
        for fulfilment in unplanned {
            plan(orders, fulfilment.id()).await;
        }
        loop {
            tokio::select! {
                () = changed.notified() => break,
                published = news.recv() => match published {
                    Ok(published) if waiting.concerns(&published) => {
                        // Quarantined orders have not ended.
                        let found = engine.get(&published.fulfilment).await.unwrap_or(None);
                        let next = found.map(|found| waiting.follow(&found));
                        for id in next.unwrap_or_default() {
                            plan(orders, &id).await;
                        }
                    }
                    Ok(_) => {}
                    // A missed order is found by reading all of them.
                    Err(RecvError::Lagged(_)) => break,
                    Err(RecvError::Closed) => return,
                },
            }
        }
    }
}

async fn plan(orders: &Orders, id: &FulfilmentId) {
    if let Err(error) = orders.plan_again(id, Wanted::ByItself).await {
        let error = &error as &dyn std::error::Error;
        tracing::error!(fulfilment = %id, error, "it cannot be planned again now");
    }
}

/// The events that fulfilments without a plan wait for.
#[derive(Debug, Default)]
struct Waiting {
    /// The orders and instances that each waits for.
    of: BTreeMap<FulfilmentId, BTreeSet<String>>,
    /// The fulfilments that wait for each order or instance.
    by: BTreeMap<String, BTreeSet<FulfilmentId>>,
}

impl Waiting {
    /// Whether a record may concern a waiting fulfilment.
    fn concerns(&self, published: &Published) -> bool {
        published.record.events.iter().any(|event| match event {
            Event::Awaiting { .. } | Event::Held { .. } => true,
            Event::Planned { .. } => self.of.contains_key(&published.fulfilment),
            Event::Rejected { .. } | Event::Ended { .. } => !self.by.is_empty(),
            Event::Submitted { .. }
            | Event::Started { .. }
            | Event::Waiting { .. }
            | Event::CalledBack { .. }
            | Event::Succeeded { .. }
            | Event::Retrying { .. }
            | Event::Failed { .. }
            | Event::Retried { .. }
            | Event::RollingBack { .. }
            | Event::Cancelling { .. }
            | Event::CancelRefused { .. }
            | Event::Patched { .. }
            | Event::Alerted { .. }
            | Event::Moved { .. }
            | Event::UndoRetrying { .. }
            | Event::UndoFailed { .. }
            | Event::UndoWaiting { .. }
            | Event::RollingBackLines { .. }
            | Event::GivenUp { .. }
            | Event::CompletedByHand { .. }
            | Event::Undone { .. } => false,
        })
    }

    /// Follows a fulfilment; returns those to be replanned.
    fn follow(&mut self, fulfilment: &Fulfilment) -> BTreeSet<FulfilmentId> {
        if fulfilment.is_unplanned() {
            let known = self.of.get(fulfilment.id()).cloned().unwrap_or_default();
            self.forget(fulfilment.id());
            self.add(fulfilment);
            // The order it waits for may have ended before the wait was known.
            let asks = waited_for(fulfilment).any(|name| !known.contains(&name));
            return asks.then(|| fulfilment.id().clone()).into_iter().collect();
        }
        self.forget(fulfilment.id());
        if !fulfilment.is_ended() || self.by.is_empty() {
            return BTreeSet::new();
        }
        let mut names = about(fulfilment);
        names.insert(order(fulfilment.id()));
        names.iter().filter_map(|name| self.by.get(name)).flatten().cloned().collect()
    }

    fn add(&mut self, fulfilment: &Fulfilment) {
        let mut names = about(fulfilment);
        names.extend(waited_for(fulfilment));
        for name in &names {
            self.by.entry(name.clone()).or_default().insert(fulfilment.id().clone());
        }
        self.of.insert(fulfilment.id().clone(), names);
    }

    fn forget(&mut self, id: &FulfilmentId) {
        for name in self.of.remove(id).unwrap_or_default() {
            if let Some(waiting) = self.by.get_mut(&name) {
                waiting.remove(id);
                if waiting.is_empty() {
                    self.by.remove(&name);
                }
            }
        }
    }
}

fn order(id: &FulfilmentId) -> String {
    format!("order/{id}")
}

/// The orders that a fulfilment waits for.
fn waited_for(fulfilment: &Fulfilment) -> impl Iterator<Item = String> + '_ {
    fulfilment.after().iter().chain(fulfilment.behind()).map(order)
}

/// The instances that a fulfilment's items name.
fn about(fulfilment: &Fulfilment) -> BTreeSet<String> {
    let level = match fulfilment.kind() {
        Kind::ProductOrder => Level::Product,
        Kind::ServiceOrder => Level::CustomerService,
        Kind::ResourceOrder => Level::Resource,
        Kind::Run { .. } => return BTreeSet::new(),
    };
    // Parts of a bundle end with it, though no item names them.
    let planned = fulfilment.plan().items.iter().filter_map(|item| item.instance.as_deref());
    let lines = Order::parse(level, fulfilment.document()).map(|order| order.lines);
    let lines = lines.unwrap_or_default();
    let named = lines.iter().filter_map(|line| line.instance.as_deref());
    named.chain(planned).map(|id| format!("instance/{id}")).collect()
}
