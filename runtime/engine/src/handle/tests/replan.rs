//! Orders that have no plan when they are taken, and are given one later.

use super::*;

async fn unplanned(engine: &Engine) -> Vec<String> {
    let found = engine.unplanned().await.unwrap();
    found.iter().map(|fulfilment| fulfilment.id().to_string()).collect()
}

async fn replan(engine: &Engine, id: &FulfilmentId, event: Event) -> Option<Arc<Fulfilment>> {
    let seen = engine.look().await.unwrap();
    engine.replan(id, event, seen).await.unwrap()
}

#[tokio::test]
async fn an_order_that_is_held_without_a_plan_is_planned_again() {
    let (engine, running) = begin(Memory::new());
    let (fulfilment, planned) = order("f", "do");
    let id = fulfilment.id().clone();
    let missing = |message: &str| {
        let failure = Failure::new(FailureClass::Operator, "PLUGIN_MISSING", message);
        Event::Held { failure }
    };
    engine.submit(fulfilment, vec![missing("a")], None, None).await.unwrap();
    assert_eq!(unplanned(&engine).await, ["f"]);
    let same = replan(&engine, &id, missing("a")).await.unwrap();
    assert_eq!(same.records(), 1, "what is known is not told again");
    let other = replan(&engine, &id, missing("b")).await.unwrap();
    assert_eq!(other.records(), 2);
    replan(&engine, &id, planned[0].clone()).await.unwrap();
    assert!(is_complete(engine.ended(&id).await.unwrap()));
    assert_eq!(unplanned(&engine).await, Vec::<String>::new());
    assert_eq!(replan(&engine, &id, missing("c")).await, None, "it has ended");
    drop(engine);
    running.await.unwrap().unwrap();
}

#[tokio::test]
async fn an_order_that_waits_for_others_does_so_after_a_restart_and_can_be_cancelled() {
    let store = Memory::new();
    for step in ["plan", "cancel"] {
        let (engine, running) = begin(store.clone());
        let (fulfilment, _) = order(step, "do");
        let orders = vec![FulfilmentId::new("first")];
        let submitted =
            engine.submit(fulfilment, vec![Event::Awaiting { orders, queued: false }], None, None);
        submitted.await.unwrap();
        drop(engine);
        running.await.unwrap().unwrap();
    }
    let (engine, running) = begin(store);
    assert_eq!(unplanned(&engine).await, ["cancel", "plan"]);
    let id = FulfilmentId::new("plan");
    let waits = engine.get(&id).await.unwrap().unwrap();
    assert_eq!(
        (waits.after(), waits.order_state().as_str()),
        (&[FulfilmentId::new("first")][..], "pending")
    );
    replan(&engine, &id, order("plan", "do").1.remove(0)).await.unwrap();
    assert!(is_complete(engine.ended(&id).await.unwrap()));
    let cancelled = engine.cancel(&FulfilmentId::new("cancel"), request("c")).await.unwrap();
    assert_eq!(*cancelled.phase(), Phase::Ended(End::Cancelled, None));
    drop(engine);
    running.await.unwrap().unwrap();
}
