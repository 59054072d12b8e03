//! Runs a version in shadow beside the version in use: when a call has been answered, the call is repeated
//! with the other version, from what was recorded, and both are compared. The engine knows nothing of it,
//! and nothing of it leaves the host.

use std::sync::Arc;

use engine::clock::Clock as _;
use engine::documents::Document;
use engine::keys;
use engine::worker::Call;
use model::reconcile::Reading;
use model::{Digest, Failure, Outcome, PluginId};
use serde::Deserialize;

use crate::border;
use crate::candidate::{Chooser, Lot};
use crate::capability::log::Log;
use crate::capability::tape::{Recording, Replay, Tape};
use crate::contract::decomposition;
use crate::host::Host;
use crate::install::Plugin;
use crate::invoke::{self, Production};
use crate::provenance::Moment;
use crate::registry::InShadow;
use crate::shadow::{About, Repeated, Shadow, Verdict};
use crate::shared::{Shared, blocking};

mod compare;

use self::compare::{Ended, compare};

/// The kinds of orders, by the names of their documents.
const ORDERS: [&str; 3] = ["productOrder", "serviceOrder", "resourceOrder"];

/// A call that is to be repeated when it has been answered.
pub(crate) struct Beside {
    shared: Arc<Shared>,
    plugin: Arc<Plugin>,
    /// The version that does the work.
    digest: Digest,
    lot: Lot,
    recording: Arc<Recording>,
    what: What,
    about: About,
}

/// What is asked of a plugin.
enum What {
    Work(Call),
    Look(Call),
    Decomposition(decomposition::Request),
}

impl Host {
    /// The version of a plugin that is in shadow, with what it made of calls since the start.
    pub fn shadow(&self, id: &PluginId) -> Option<Shadow> {
        let candidate = self.0.registry.in_shadow(id)?;
        Some(self.0.shadows.of(id, candidate))
    }

    /// The tape of a call that does work, and its repetition, if a version in shadow takes it.
    pub(crate) fn beside(&self, call: &Call) -> (Tape, Option<Beside>) {
        self.taken(call, What::Work, call.operation.name())
    }

    /// The same of a call that only looks.
    pub(crate) fn beside_look(&self, call: &Call) -> (Tape, Option<Beside>) {
        self.taken(call, What::Look, "observe")
    }

    fn taken(
        &self,
        call: &Call,
        what: fn(Call) -> What,
        operation: &str,
    ) -> (Tape, Option<Beside>) {
        let order = call.fulfilment.as_str();
        let Some(in_shadow) = self.0.registry.shadow(&call.plugin, &call.digest, order) else {
            return (Tape::Off, None);
        };
        let about = About {
            fulfilment: order.into(),
            task: call.name.clone(),
            attempt: call.attempt,
            operation: operation.into(),
        };
        self.recorded(in_shadow, &call.digest, || (what(call.clone()), about))
    }

    /// The repetition of a decomposition for an order.
    pub(crate) fn beside_decomposition(
        &self,
        digest: &Digest,
        item: invoke::Decomposition<'_>,
        chooser: Chooser<'_>,
    ) -> Option<Beside> {
        let plugin = self.0.registry.get(digest)?;
        let shadow = self.0.registry.shadow(&plugin.installed.id, digest, chooser.order)?;
        let is_taken = match shadow.lot {
            Lot::Drawn => true,
            Lot::ByCustomer | Lot::NotDrawn => chooser.customer.is_some_and(|customer| {
                self.0.registry.shadows_customer(&plugin.installed.id, customer)
            }),
        };
        if !is_taken {
            return None;
        }
        let about = About {
            fulfilment: chooser.order.into(),
            task: item.spec.to_string(),
            attempt: 1,
            operation: "decompose".into(),
        };
        let shadow = InShadow { lot: Lot::Drawn, ..shadow };
        let request = || (What::Decomposition(invoke::question(item)), about);
        self.recorded(shadow, digest, request).1
    }

    fn recorded(
        &self,
        InShadow { plugin, lot }: InShadow,
        digest: &Digest,
        what: impl FnOnce() -> (What, About),
    ) -> (Tape, Option<Beside>) {
        let shared = Arc::clone(&self.0);
        let Some(recording) = Recording::new(&shared.shadows.budget) else {
            shared.shadowed(&plugin, Verdict::Skipped, None);
            return (Tape::Off, None);
        };
        let (what, about) = what();
        let digest = Digest::new(digest.as_str());
        let tape = Tape::Recorded(Arc::clone(&recording));
        (tape, Some(Beside { shared, plugin, digest, lot, recording, what, about }))
    }
}

impl Beside {
    /// Repeats the call now that it has this outcome, without waiting for it.
    pub(crate) fn worked(self, outcome: &Outcome) {
        self.follow(Ended::of(outcome));
    }

    /// The same of a call that only looks.
    pub(crate) fn looked(self, reading: &Result<Reading, Failure>) {
        self.follow(Ended::of_reading(reading));
    }

    /// The same of a decomposition.
    pub(crate) fn decomposed(self, productions: &Result<Vec<Production>, Failure>) {
        self.follow(Ended::of_productions(productions));
    }

    fn follow(self, before: Ended) {
        let Some(place) = self.shared.shadows.place() else {
            return self.shared.shadowed(&self.plugin, Verdict::Skipped, None);
        };
        tokio::spawn(async move {
            self.repeat(before).await;
            drop(place);
        });
    }

    async fn repeat(self, before: Ended) {
        if self.lot == Lot::ByCustomer && !self.is_of_customer().await {
            return;
        }
        let Self { shared, plugin, digest, recording, what, about, .. } = self;
        // It is closed only with the host.
        let Ok(_running) = shared.shadows.running.acquire().await else { return };
        let Some(replay) = Replay::of(recording) else {
            return shared.shadowed(&plugin, Verdict::Skipped, None);
        };
        let tape = Tape::Replayed(Arc::clone(&replay));
        let now = tokio::select! {
            biased;
            ended = what.carried_out(&shared, &plugin, tape) => Some(ended),
            () = replay.ended() => None,
        };
        let compared = compare(&before, now.as_ref(), replay.finish(), &plugin.mask);
        let call = match compared.verdict {
            Verdict::Same | Verdict::Skipped => None,
            Verdict::Different | Verdict::Failed => Some(Repeated {
                at: Moment(shared.clock.now()),
                about,
                beside: digest,
                verdict: compared.verdict,
                differences: compared.differences,
                more: compared.more,
            }),
        };
        shared.shadowed(&plugin, compared.verdict, call);
    }

    /// Whether the order is of a customer whose orders take part.
    async fn is_of_customer(&self) -> bool {
        let (shared, id) = (Arc::clone(&self.shared), PluginId::new(self.plugin.name.as_ref()));
        let order = self.about.fulfilment.clone();
        let found = blocking(move || {
            let customer = customer(&shared, &order);
            customer.is_some_and(|customer| shared.registry.shadows_customer(&id, &customer))
        });
        found.await.unwrap_or(false)
    }
}

impl What {
    /// Asks the version in shadow.
    async fn carried_out(self, shared: &Arc<Shared>, plugin: &Arc<Plugin>, tape: Tape) -> Ended {
        let (log, mask) = (Log::default(), &plugin.mask);
        match self {
            Self::Work(call) => {
                // Writes to its scratch space are dropped.
                let done = invoke::carry_out(shared, plugin, call, &log, tape).await;
                Ended::of(&border::outcome(done.outcome, mask))
            }
            Self::Look(call) => {
                let reading = invoke::observe(shared, plugin, call, &log, tape).await;
                Ended::of_reading(&border::looked(reading, mask))
            }
            Self::Decomposition(request) => {
                let made = invoke::decompose(shared, plugin, request, &log, tape).await;
                Ended::of_productions(&border::decomposed(made, mask))
            }
        }
    }
}

impl Shared {
    fn shadowed(&self, plugin: &Plugin, verdict: Verdict, call: Option<Repeated>) {
        self.counters.shadowed(&plugin.name, verdict.name());
        self.shadows.count(&plugin.installed.id, &plugin.installed.digest, verdict, call);
    }
}

/// An order, as far as it names its customer.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Order {
    #[serde(default)]
    related_party: Vec<Party>,
}

#[derive(Deserialize)]
struct Party {
    id: Option<String>,
    #[serde(default)]
    role: String,
    #[serde(default, rename = "@referredType")]
    referred_type: String,
}

/// The customer of an order; `None` if it names none or is no order.
fn customer(shared: &Shared, order: &str) -> Option<String> {
    let read = |kind: &&str| shared.store.get(&keys::document(kind, order)).ok().flatten();
    let bytes = ORDERS.iter().find_map(read)?;
    let order: Order = serde_json::from_slice(Document::json(&bytes).ok()?).ok()?;
    let is_customer = |text: &str| text.eq_ignore_ascii_case("customer");
    let customer = order
        .related_party
        .into_iter()
        .find(|party| is_customer(&party.role) || is_customer(&party.referred_type));
    customer?.id
}
