//! The reservations of pools, and whether they are used: a reservation may outlive its instance, if an
//! operator gave up its undo.

use engine::documents::Error;
use std::fmt;
use std::sync::Arc;

use engine::store::{Fact, Scan, pages};
use engine::{Held, keys};
use model::expr::Expressions;
use model::{End, Fulfilment, FulfilmentId, InstanceId, ItemId, Phase, PoolId};

use super::existing::installed;
use super::{Orders, SubmitError};
use crate::documents::Session;

/// The user of a reserved value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Use<'a> {
    /// An order or a run that is open, or quarantined.
    Open(&'a FulfilmentId),
    /// An installed instance.
    Instance(InstanceId),
    /// An order or a run that has ended, and keeps a value that belongs to no instance.
    Ended(&'a FulfilmentId),
    Nothing,
}

impl fmt::Display for Use<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open(id) => write!(f, "order `{id}` is open"),
            Self::Instance(id) => write!(f, "the {} `{}` has it", id.resource(), id.id()),
            Self::Ended(id) => write!(f, "`{id}` took it for no instance, and keeps it"),
            Self::Nothing => f.write_str("nothing"),
        }
    }
}

impl Orders {
    /// Reservations, with their positions in the pool.
    pub(crate) async fn reserved(&self, scan: Scan) -> Result<Vec<(u64, Held)>, Error> {
        let facts = self.documents.read(move |session| session.scan(&scan)).await?;
        Ok(facts.iter().filter_map(held).collect())
    }

    /// The reservation of a value; `None` if it is free.
    pub(crate) async fn reserved_as(
        &self,
        pool: &PoolId,
        value: &str,
    ) -> Result<Option<(u64, Held)>, Error> {
        let (prefix, value) = (keys::reservations(pool), value.to_owned());
        self.documents.read(move |session| reserved_as(session, prefix, &value)).await
    }

    /// The user of a reserved value.
    pub(crate) async fn use_of<'a>(
        &self,
        pool: &PoolId,
        index: u64,
        held: &'a Held,
    ) -> Result<Use<'a>, SubmitError> {
        let taker = match self.quarantined(&held.fulfilment).await? {
            Some(aside) if aside.as_ref().is_none_or(|aside| aside.given_up.is_none()) => {
                return Ok(Use::Open(&held.fulfilment));
            }
            // Its journal cannot be read.
            Some(_) => None,
            None => self.engine().get(&held.fulfilment).await?,
        };
        if taker.as_ref().is_some_and(|taker| !taker.is_ended()) {
            return Ok(Use::Open(&held.fulfilment));
        }
        if let Some(holder) = held.holder.as_ref().map(|holder| InstanceId::new(holder.as_str()))
            && let Some(owner) = self.owner_of(&holder).await?
        {
            let (fulfilment, item) = owner;
            let prior_work = fulfilment.prior_work(item, &mut Expressions::default());
            let reservations = prior_work.map_err(SubmitError::Plan)?;
            let mut reservations = reservations.iter().flat_map(|(_, made)| &made.reservations);
            let has = reservations
                .any(|reservation| reservation.pool == *pool && reservation.index == index);
            return Ok(if has { Use::Instance(holder) } else { Use::Nothing });
        }
        Ok(match taker {
            Some(taker) if keeps(&taker, held) => Use::Ended(&held.fulfilment),
            Some(_) | None => Use::Nothing,
        })
    }

    /// The fulfilment that owns an installed instance, and its item there.
    async fn owner_of(
        &self,
        instance: &InstanceId,
    ) -> Result<Option<(Arc<Fulfilment>, ItemId)>, SubmitError> {
        let id = instance.clone();
        let installed = self.documents.read(move |session| installed(session, &id));
        let Some(installed) = installed.await? else { return Ok(None) };
        let owner = self.engine().get(&installed.owner).await?;
        Ok(owner.map(|owner| (owner, installed.item)))
    }
}

fn held((key, bytes): &Fact) -> Option<(u64, Held)> {
    let (_, index) = std::str::from_utf8(key).ok()?.rsplit_once('/')?;
    Some((u64::from_str_radix(index, 16).ok()?, serde_json::from_slice(bytes).ok()?))
}

fn reserved_as(
    session: &Session,
    prefix: Vec<u8>,
    value: &str,
) -> Result<Option<(u64, Held)>, Error> {
    const AT_ONCE: usize = 1_000;
    for page in pages(session.store(), Scan::prefix(prefix, AT_ONCE)) {
        let page = page?;
        let mut found = page.iter().filter_map(held);
        if let Some(found) = found.find(|(_, held)| held.value == value) {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Whether a fulfilment that has ended keeps a reservation that belongs to no instance.
fn keeps(taker: &Fulfilment, held: &Held) -> bool {
    let is_of_instance = held.holder.as_ref().is_some_and(|holder| holder.contains('/'));
    let is_done = matches!(taker.phase(), Phase::Ended(End::Completed | End::Partial, _));
    is_done && !is_of_instance
}
