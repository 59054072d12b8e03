//! The parts of a server, put together.

use std::sync::Arc;

use engine::Engine;
use engine::clock::Clock;
use model::Rulebook;
use tokio::sync::Notify;

use crate::bulk::import::Importer;
use crate::documents::Documents;
use crate::orders::Orders;
use crate::plugins::Plugins;
use crate::policies::billing::Billing;
use crate::policies::catalog::Catalog;
use crate::policies::cpq::Cpq;
use crate::policies::{Jobs, Policies, References};
use crate::reconcile::Reconciler;
use crate::retention::Removed;
use crate::rulebooks::Rulebooks;
use crate::settings::BillingSettings;

/// The parts of a server. Only the start of the server and the HTTP handlers hold all of them; any
/// other module is passed the parts that it needs. Cheap to clone.
#[derive(Clone)]
pub struct Services {
    /// Carries plans out.
    pub engine: Engine,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) settings: Arc<BillingSettings>,
    pub(crate) plugins: Plugins,
    pub(crate) documents: Documents,
    pub(crate) rulebooks: Rulebooks,
    pub(crate) orders: Orders,
    pub(crate) policies: Policies,
    pub(crate) reconciler: Reconciler,
    /// Notified when there is an import or export job.
    pub(crate) jobs: Arc<Notify>,
    pub(crate) removed: Arc<Removed>,
}

impl Services {
    /// Puts the parts together.
    pub fn new(
        engine: Engine,
        plugins: Plugins,
        clock: Arc<dyn Clock>,
        rulebook: Rulebook,
        settings: BillingSettings,
    ) -> Self {
        let documents = Documents::new(engine.clone());
        let rulebooks = Rulebooks::new(rulebook, &settings);
        let settings = Arc::new(settings);
        let (jobs, strictness) = (Arc::<Notify>::default(), settings.strictness);
        let orders = Orders::new(
            engine.clone(),
            plugins.clone(),
            rulebooks.clone(),
            documents.clone(),
            Arc::clone(&clock),
        );
        let catalog =
            Catalog { documents: documents.clone(), rulebooks: rulebooks.clone(), strictness };
        let cpq = Cpq {
            documents: documents.clone(),
            orders: orders.clone(),
            rulebooks: rulebooks.clone(),
            pools: engine.pools().clone(),
            settings: Arc::clone(&settings),
        };
        let billing = Billing {
            documents: documents.clone(),
            rulebooks: rulebooks.clone(),
            settings: Arc::clone(&settings),
            host: plugins.host.clone(),
        };
        let policies = Policies::new(
            documents.clone(),
            (billing, catalog, cpq),
            Jobs { arrived: Arc::clone(&jobs) },
            References { check: strictness.references },
        );
        let reconciler = Reconciler::new(engine.clone(), documents.clone(), plugins.host.clone());
        let removed = Arc::default();
        Self {
            engine,
            clock,
            settings,
            plugins,
            documents,
            rulebooks,
            orders,
            policies,
            reconciler,
            jobs,
            removed,
        }
    }

    /// Imports documents.
    pub(crate) fn importer(&self) -> Importer {
        Importer {
            engine: self.engine.clone(),
            documents: self.documents.clone(),
            policies: self.policies.clone(),
        }
    }
}
