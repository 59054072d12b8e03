//! Who holds the values of pools, and whether they are used: a value may be held by what is gone, if an
//! operator gave up its undo.

use std::fmt;
use std::sync::Arc;

use engine::documents::Error;
use engine::store::Scan;
use engine::{Held, keys};
use model::expr::Expressions;
use model::{End, Fulfilment, FulfilmentId, InstanceId, ItemId, Phase, PoolId};

use super::{App, SubmitError, aside};

/// What uses a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// An order or a run that is open, or set aside.
    Open(FulfilmentId),
    /// An instance that is installed.
    Instance(InstanceId),
    /// An order or a run that has ended, and keeps what it took for no instance.
    Ended(FulfilmentId),
    /// Nothing.
    Nothing,
}

impl fmt::Display for Use {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open(id) => write!(f, "order `{id}` is open"),
            Self::Instance(id) => write!(f, "the {} `{}` has it", id.resource(), id.id()),
            Self::Ended(id) => write!(f, "`{id}` took it for no instance, and keeps it"),
            Self::Nothing => f.write_str("nothing"),
        }
    }
}

impl App {
    /// Values that are reserved, with their positions.
    pub(crate) fn reserved(&self, scan: &Scan) -> Result<Vec<(u64, Held)>, Error> {
        aside(|| {
            let facts = self.engine.store().scan(scan)?;
            let held = facts.iter().filter_map(|(key, bytes)| {
                let text = std::str::from_utf8(key).ok()?;
                let (_, index) = text.rsplit_once('/')?;
                Some((u64::from_str_radix(index, 16).ok()?, serde_json::from_slice(bytes).ok()?))
            });
            Ok(held.collect())
        })
    }

    /// A value that is reserved, by its name; `None` if it is not.
    pub(crate) fn reserved_as(
        &self,
        pool: &PoolId,
        value: &str,
    ) -> Result<Option<(u64, Held)>, Error> {
        const AT_ONCE: usize = 1_000;
        let mut scan = Scan::prefix(keys::reservations(pool), AT_ONCE);
        loop {
            let found = self.reserved(&scan)?;
            let last = found.last().map(|(index, _)| keys::reservation(pool, *index));
            if let Some(found) = found.into_iter().find(|(_, held)| held.value == value) {
                return Ok(Some(found));
            }
            match last {
                Some(last) => scan.after = Some(last),
                None => return Ok(None),
            }
        }
    }

    /// What uses a value that is reserved.
    pub(crate) async fn use_of(
        &self,
        pool: &PoolId,
        index: u64,
        held: &Held,
    ) -> Result<Use, SubmitError> {
        let is_set_aside = || {
            let all = self.engine.quarantine().map_err(SubmitError::of_store)?;
            let own = all.iter().find(|(id, _)| *id == held.fulfilment);
            Ok::<_, SubmitError>(
                own.map(|(_, aside)| aside.as_ref().is_none_or(|aside| aside.given_up.is_none())),
            )
        };
        let taker = match is_set_aside()? {
            Some(true) => return Ok(Use::Open(held.fulfilment.clone())),
            // Its journal cannot be read.
            Some(false) => None,
            None => self.engine.get(&held.fulfilment).await?,
        };
        if taker.as_ref().is_some_and(|taker| !taker.is_ended()) {
            return Ok(Use::Open(held.fulfilment.clone()));
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
            Some(taker) if keeps(&taker, held) => Use::Ended(taker.id().clone()),
            Some(_) | None => Use::Nothing,
        })
    }

    /// The fulfilment that owns an installed instance, and its item there.
    async fn owner_of(
        &self,
        instance: &InstanceId,
    ) -> Result<Option<(Arc<Fulfilment>, ItemId)>, SubmitError> {
        let Some(installed) = self.installed(instance)? else { return Ok(None) };
        let owner = self.engine.get(&installed.owner).await?;
        Ok(owner.map(|owner| (owner, installed.item)))
    }
}

/// Whether a fulfilment that has ended keeps what a task took for no instance, or what was taken
/// before holders were named.
fn keeps(taker: &Fulfilment, held: &Held) -> bool {
    let is_of_instance = held.holder.as_ref().is_some_and(|holder| holder.contains('/'));
    let is_done = matches!(taker.phase(), Phase::Ended(End::Completed | End::Partial, _));
    is_done && !is_of_instance
}
