//! Reserves values of pools. Granted per pool.

use std::sync::Arc;

use engine::pools::{Pools, ReserveError};
use model::{FailureCode, PoolId};
use wasmtime::component::{HasData, Linker};

use crate::capability::caller::Caller;
use crate::capability::calls::Interface;
use crate::capability::inventory::failure;
use crate::capability::tape::NotTaped;
use crate::contract::reservation::{self, Failure, Request, Reserved};
use crate::contract::types::{Attribute, FailureClass};
use crate::denial::{Denial, Help};
use crate::grants::{self, GrantKey};
use crate::mask::Mask;

/// The pools as the plugin that is called may use them, for the task that it is called for.
#[derive(Debug)]
pub(crate) struct Reservation {
    pub(crate) caller: Arc<Caller>,
    pub(crate) pools: Pools,
    pub(crate) mask: Arc<Mask>,
}

/// Max bytes of the name of a pool, or of a reservation.
const NAME_BYTES_MAX: usize = 256;

impl reservation::Host for Reservation {
    fn reserve(&mut self, request: Request) -> Result<Reserved, Failure> {
        self.caller.calls.count(Interface::Reservation);
        self.check_names(&request)?;
        let name = request.pool;
        let Caller { plugin, grants, fulfilment, task, .. } = &*self.caller;
        let Some(granted) = grants.pool(&name) else {
            let lines = grants::lines(plugin, "pools", &grants.pools, &name);
            let call = format!("pool `{name}`");
            self.caller.deny(Denial::Pool, &call, "it is not granted", Help::Lines(lines));
            let message = format!("pool `{name}` is not granted: the log has the lines to add");
            return Err(failure(FailureClass::Operator, FailureCode::NotGranted, message));
        };
        self.caller.ledger.used(GrantKey::Pools, granted);
        match self.caller.tape.reserved(&name, &request.name) {
            Some(Ok(reserved)) => return Ok(reserved),
            Some(Err(NotTaped)) => return Err(not_taped(&name)),
            None => {}
        }
        let reservation = self
            .pools
            .reserve(fulfilment, *task, PoolId::new(name.as_str()), &request.name)
            .map_err(|error| {
                let code = match error {
                    ReserveError::Unknown(_) => FailureCode::UnknownPool,
                    ReserveError::Exhausted { .. } => FailureCode::PoolExhausted,
                };
                failure(FailureClass::Operator, code, error.to_string())
            })?;
        let pool = self.pools.definition(&reservation.pool);
        let attributes = pool
            .map(|pool| pool.attributes(reservation.index))
            .into_iter()
            .flatten()
            .map(|(name, value)| Attribute { name, value: value.to_string() })
            .collect();
        let pool = reservation.pool.as_str().into();
        let reserved = Reserved { pool, value: reservation.value, attributes };
        self.caller.tape.reserve(&name, &request.name, &reserved);
        Ok(reserved)
    }
}

/// The failure of a call in shadow that asks for a value that the version in use did not ask for. The call
/// is ended, so this is not read.
fn not_taped(pool: &str) -> Failure {
    let message = format!("nothing is reserved of pool `{pool}` in shadow");
    failure(FailureClass::Operator, FailureCode::NotGranted, message)
}

impl Reservation {
    /// Checks names that would be kept in the journal as they are.
    fn check_names(&self, request: &Request) -> Result<(), Failure> {
        for (what, name) in [("pool", &request.pool), ("reservation", &request.name)] {
            if name.len() > NAME_BYTES_MAX {
                let bytes = name.len();
                let message = format!(
                    "the name of a {what} has {bytes} bytes, the limit is {NAME_BYTES_MAX}"
                );
                return Err(failure(FailureClass::Operator, FailureCode::NameTooLong, message));
            }
            if self.mask.is_shown_in(name) {
                let message = format!("the name of a {what} holds the value of a setting");
                return Err(failure(
                    FailureClass::Operator,
                    FailureCode::PluginShowsSetting,
                    message,
                ));
            }
        }
        Ok(())
    }
}

pub(crate) struct HasReservation;

impl HasData for HasReservation {
    type Data<'a> = &'a mut Reservation;
}

/// Links the interface `reservation`. `of` finds its data in that of the wasm store.
pub(crate) fn add_to_linker<T: 'static>(
    linker: &mut Linker<T>,
    of: fn(&mut T) -> &mut Reservation,
) -> wasmtime::Result<()> {
    reservation::add_to_linker::<_, HasReservation>(linker, of)
}
