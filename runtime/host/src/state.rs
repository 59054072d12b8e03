//! What a wasm store holds for one call.

use std::fmt;
use std::sync::Arc;

use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::capability::config::Config;
use crate::capability::http::Outbound;
use crate::capability::inventory::Inventory;
use crate::capability::log::Log;
use crate::capability::reservation::Reservation;
use crate::capability::scratch::Scratch;
use crate::capability::secrets::Secrets;
use crate::limits::{Memory, Meter};

/// What a call has at hand; it lives as long as the call.
pub(crate) struct State {
    pub(crate) wasi: WasiCtx,
    pub(crate) http: WasiHttpCtx,
    pub(crate) table: ResourceTable,
    pub(crate) memory: Memory,
    pub(crate) meter: Arc<Meter>,
    pub(crate) log: Log,
    pub(crate) config: Config,
    pub(crate) secrets: Arc<Secrets>,
    pub(crate) scratch: Scratch,
    pub(crate) outbound: Outbound,
    pub(crate) inventory: Inventory,
    pub(crate) reservation: Reservation,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").field("log", &self.log).finish_non_exhaustive()
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.outbound, table: &mut self.table, ctx: &mut self.http }
    }
}
