//! The parts of a server, put together.

use std::sync::Arc;

use engine::Engine;
use model::Rulebook;
use tokio::sync::Notify;

use crate::access::keys::Ring;
use crate::audit::Audit;
use crate::bulk::import::Importer;
use crate::config::Auditing;
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
use crate::traces::Tracer;

/// The parts of a server. Only the start of the server and the HTTP handlers hold all of them; any
/// other module is passed the parts that it needs. Cheap to clone.
#[derive(Clone)]
pub struct Services {
    /// Carries plans out.
    pub engine: Engine,
    pub(crate) settings: Arc<BillingSettings>,
    pub(crate) plugins: Plugins,
    pub(crate) documents: Documents,
    pub(crate) rulebooks: Rulebooks,
    pub(crate) orders: Arc<Orders>,
    pub(crate) policies: Arc<Policies>,
    pub(crate) reconciler: Arc<Reconciler>,
    /// Notified when there is an import or export job.
    pub(crate) jobs: Arc<Notify>,
    pub(crate) removed: Arc<Removed>,
    /// The API keys of the tenant.
    pub(crate) keys: Arc<Ring>,
    /// Takes spans.
    pub(crate) tracer: Tracer,
    pub(crate) audit: Audit,
}

impl Services {
    /// Puts the parts together.
    pub fn new(
        engine: Engine,
        plugins: Plugins,
        rulebook: Rulebook,
        settings: BillingSettings,
    ) -> Self {
        let documents = Documents::new(engine.clone());
        let rulebooks = Rulebooks::new(rulebook, &settings);
        let settings = Arc::new(settings);
        let jobs = Arc::<Notify>::default();
        let orders = Orders::new(plugins.clone(), rulebooks.clone(), documents.clone());
        let orders = Arc::new(orders);
        let policies = Policies {
            documents: documents.clone(),
            references: References { check: settings.strictness.references },
            catalog: Catalog { rulebooks: rulebooks.clone(), strictness: settings.strictness },
            cpq: Cpq {
                orders: Arc::clone(&orders),
                rulebooks: rulebooks.clone(),
                settings: Arc::clone(&settings),
            },
            billing: Billing::new(
                documents.clone(),
                rulebooks.clone(),
                Arc::clone(&settings),
                plugins.host.clone(),
            ),
            jobs: Jobs { arrived: Arc::clone(&jobs) },
        };
        let keys = Arc::new(Ring::new(documents.clone(), None));
        let audit = Audit::new(engine.clone(), Auditing::default());
        let reconciler = Reconciler::new(documents.clone(), plugins.host.clone());
        Self {
            engine,
            settings,
            plugins,
            documents,
            rulebooks,
            orders,
            policies: Arc::new(policies),
            reconciler: Arc::new(reconciler),
            jobs,
            removed: Arc::default(),
            keys,
            tracer: Tracer::default(),
            audit,
        }
    }

    /// Imports documents.
    pub(crate) fn importer(&self) -> Importer {
        let (documents, policies) = (self.documents.clone(), Arc::clone(&self.policies));
        Importer { documents, policies }
    }
}
