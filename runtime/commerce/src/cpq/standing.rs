//! Whether an entity of the catalogs can be ordered as it stands, and if not, why.

use serde::Serialize;

use super::launch::{Reason, deliverable};
use model::catalog::{Lifecycle, RESOURCES};
use model::id::SpecId;
use model::rulebook::Rulebook;
use tmf::time::Timestamp;

/// How an entity of the catalogs stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Standing {
    /// Its kind, such as `productOffering`.
    pub resource: &'static str,
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Where it stands, in its own words.
    pub lifecycle_status: String,
    /// Whether an offering can be ordered now; whether anything else can be part of an order.
    #[serde(rename = "isOrderable")]
    pub is_ready: bool,
    /// What is amiss. An offering that can be ordered may have no price.
    #[serde(rename = "reason")]
    pub reasons: Vec<Reason>,
}

impl Standing {
    /// How an entity stands; `None` if no catalog has it.
    pub fn of(
        rulebook: &Rulebook,
        resource: &'static str,
        id: &str,
        now: Timestamp,
    ) -> Option<Self> {
        let catalog = rulebook.catalog();
        let document = catalog.documents.get(resource)?.get(id)?;
        let text = |name: &str| document.get(name).and_then(|value| value.as_str());
        let status = text("lifecycleStatus").unwrap_or("Active");
        let mut reasons = if resource == "productOffering" {
            deliverable(rulebook, &SpecId::new(id), now)
        } else {
            let why = catalog.unready.get(&(resource, id.to_string()));
            why.map(|why| Reason::unfinished(id, why)).into_iter().collect()
        };
        let status_reason = not_on_sale(rulebook, resource, id, status, now);
        reasons.splice(0..0, status_reason);
        let is_ready = !reasons.iter().any(Reason::stops_orders);
        let (name, lifecycle_status) = (text("name").unwrap_or_default().into(), status.into());
        Some(Self { resource, id: id.into(), name, lifecycle_status, is_ready, reasons })
    }

    /// How all entities of a kind stand, in the order of their ids.
    pub fn all<'a>(
        rulebook: &'a Rulebook,
        resource: &'static str,
        now: Timestamp,
    ) -> impl Iterator<Item = Self> + 'a {
        let documents = rulebook.catalog().documents.get(resource);
        let ids = documents.into_iter().flat_map(|all| all.keys());
        ids.filter_map(move |id| Self::of(rulebook, resource, id, now))
    }

    /// The kind of entity that is meant; `None` if the catalogs have no such kind.
    pub fn resource(name: &str) -> Option<&'static str> {
        RESOURCES.iter().map(|(resource, _)| *resource).find(|resource| *resource == name)
    }
}

/// That an entity is not on sale, or not today.
fn not_on_sale(
    rulebook: &Rulebook,
    resource: &str,
    id: &str,
    status: &str,
    now: Timestamp,
) -> Option<Reason> {
    let (code, attribute, message) = if !Lifecycle::parse(status).is_some_and(Lifecycle::is_on_sale)
    {
        let message = format!("is `{status}`, not `Active` or `Launched`");
        ("NOT_ON_SALE", "lifecycleStatus", message)
    } else {
        let catalog = rulebook.catalog();
        let valid = match resource {
            "productOffering" => catalog.offerings.get(&SpecId::new(id)).map(|one| one.valid),
            "productOfferingPrice" => catalog.prices.get(id).map(|one| one.valid),
            _ => catalog.specs.get(&SpecId::new(id)).map(|one| one.valid),
        };
        if valid?.holds(Some(now)) {
            return None;
        }
        ("NOT_ON_SALE", "validFor", "is not valid now".into())
    };
    Some(Reason { code: code.into(), entity: id.into(), attribute, message })
}
