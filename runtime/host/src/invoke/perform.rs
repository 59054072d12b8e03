//! Calls the functions that an operation means.

use engine::worker::{Call, Operation};
use model::Outcome;
use model::reconcile::{Holder, Reading};
use serde_json::Map;
use wasmtime::Store;

use super::task::text;
use super::{Guest, no_undo, refusal, wrong_role};
use crate::answer;
use crate::capability::http::Reach;
use crate::contract::types::{self, Finding};
use crate::contract::{Called, Instance, Part, observation, usage_rating};
use crate::rating;
use crate::role::Role;
use crate::state::State;

/// Carries out the operation of a call.
pub(super) async fn perform(
    store: &mut Store<State>,
    guest: &Guest,
    call: &Call,
) -> wasmtime::Result<Outcome> {
    let (plugin, log) = (&guest.plugin, &guest.caller.log);
    let is_run = matches!(call.operation, Operation::Run | Operation::Recover);
    let role = plugin.installed.role;
    match role {
        Role::Decomposer => return Ok(Outcome::Failed(wrong_role(plugin, "do a step"))),
        Role::Validator | Role::Allocator | Role::Rater if !is_run => {
            return Ok(Outcome::Failed(wrong_role(plugin, "read a callback")));
        }
        Role::Rater => return rate(store, guest, call).await,
        Role::Validator | Role::Allocator | Role::Activator | Role::Step => {}
    }
    let instance = plugin.exports.instantiate(&mut *store).await?;
    match role {
        Role::Validator => {
            let answer = instance.validate(store, guest.task(call)).await?;
            Ok(answer::done(answer, log))
        }
        Role::Allocator => {
            let answer = instance.allocate(store, guest.task(call)).await?;
            Ok(answer::done(answer, log))
        }
        Role::Activator | Role::Step | Role::Decomposer | Role::Rater => {
            work(store, &instance, guest, call).await
        }
    }
}

async fn work(
    store: &mut Store<State>,
    instance: &Instance,
    guest: &Guest,
    call: &Call,
) -> wasmtime::Result<Outcome> {
    let plugin = &guest.plugin;
    let task = guest.task(call);
    // Doing the work again is the opposite of undoing it.
    if call.operation.reverts() && !plugin.offers(Part::Undo) {
        return Ok(Outcome::Failed(no_undo(plugin)));
    }
    let answer = match &call.operation {
        Operation::Run => instance.run(store, task).await?,
        Operation::Recover => {
            if plugin.offers(Part::Probe) {
                match instance.probe(&mut *store, task.clone()).await? {
                    Ok(Finding::Applied(done)) => return Ok(answer::finished(&done)),
                    Ok(Finding::Waiting(callback)) => return Ok(answer::waiting(callback)),
                    // It is done anew, and nothing of the probe counts.
                    Ok(Finding::NotApplied) => drop(store.data_mut().scratch.take()),
                    Err(failure) => {
                        return Ok(Outcome::Failed(answer::failure(failure, &guest.caller.log)));
                    }
                }
            }
            instance.run(store, task).await?
        }
        Operation::Resume { payload } => {
            if !plugin.offers(Part::Callbacks) {
                return Ok(Outcome::Failed(wrong_role(plugin, "read a callback")));
            }
            instance.resume(store, task, &payload.to_string()).await?
        }
        Operation::Undo { outputs } => {
            let outputs = (!outputs.is_empty()).then(|| text(outputs));
            instance.undo(store, task, outputs.as_ref()).await?
        }
        Operation::ResumeUndo { payload } => {
            instance.resume_undo(store, task, &payload.to_string()).await?
        }
        Operation::Reapply => {
            if let Some(outcome) = reverted(store, instance, guest, call).await? {
                return Ok(outcome);
            }
            instance.revert(store, task).await?
        }
    };
    let is_undo = call.operation.reverts();
    if let (Ok(types::Outcome::Waiting(_)), false) =
        (&answer, is_undo || plugin.offers(Part::Callbacks))
    {
        let wrong = answer::malformed("to wait, although it exports no `callbacks`");
        return Ok(Outcome::Failed(wrong));
    }
    Ok(answer::outcome(answer, &guest.caller.log))
}

/// The outcome of rolling a modification back, if the element shows that there is nothing to do or
/// that it must be done later.
async fn reverted(
    store: &mut Store<State>,
    instance: &Instance,
    guest: &Guest,
    call: &Call,
) -> wasmtime::Result<Option<Outcome>> {
    if !guest.plugin.offers(Part::Observation) {
        return Ok(None);
    }
    let observed = look(store, instance, guest, call).await?;
    Ok(match observed.map(answer::reading) {
        // The modification was never made, or was undone already.
        Ok(Ok(Reading::Held { holder: Holder::Other(_), .. })) => Some(Outcome::Done(Map::new())),
        Ok(Ok(Reading::Pending)) => Some(Outcome::Failed(refusal::pending())),
        // If the element cannot tell, the original work is done again, which is as good as once.
        Ok(Ok(Reading::Nothing | Reading::Held { .. }) | Err(_)) | Err(_) => None,
    })
}

/// Compares an element with the work of a call. Requests that change anything are denied.
pub(super) async fn look(
    store: &mut Store<State>,
    instance: &Instance,
    guest: &Guest,
    call: &Call,
) -> Called<observation::Observed> {
    // The key under which the work was done, whichever operation asks.
    let mut task = guest.task(call);
    task.idempotency_key.clone_from(&call.idempotency_key);
    let granted = std::mem::replace(&mut store.data_mut().outbound.reach, Reach::Reads);
    store.data_mut().scratch.reach = Reach::Reads;
    let observed = instance.observe(&mut *store, task).await;
    store.data_mut().scratch.reach = granted;
    store.data_mut().outbound.reach = granted;
    observed
}

/// Rates the prices of a step's input, then each usage.
async fn rate(store: &mut Store<State>, guest: &Guest, call: &Call) -> wasmtime::Result<Outcome> {
    let request = match rating::request(&call.input) {
        Ok(request) => request,
        Err(failure) => return Ok(Outcome::Failed(failure)),
    };
    if let (Some(usage), false) = (request.usages.first(), guest.plugin.offers(Part::UsageRating)) {
        return Ok(Outcome::Failed(no_usage_rating(guest, usage)));
    }
    let instance = guest.plugin.exports.instantiate(&mut *store).await?;
    let failed = |failure| Ok(Outcome::Failed(answer::failure(failure, &guest.caller.log)));
    let mut charges = Vec::new();
    if !request.prices.prices.is_empty() || request.usages.is_empty() {
        match instance.rate(&mut *store, &request.prices).await? {
            Ok(rated) => charges = rated,
            Err(failure) => return failed(failure),
        }
    }
    for usage in request.usages {
        match instance.rate_usage(&mut *store, &request.prices, usage).await? {
            Ok(charge) => charges.push(charge),
            Err(failure) => return failed(failure),
        }
    }
    Ok(rating::outputs(charges))
}

fn no_usage_rating(guest: &Guest, usage: &usage_rating::Request) -> model::Failure {
    let what = format!("rate the usage of price `{}`", usage.price);
    wrong_role(&guest.plugin, &what)
}
