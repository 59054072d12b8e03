//! The limits of the engine.

use std::num::NonZero;

/// Limits of open orders and callbacks, from `[limits]` and `[retention]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Max open orders and runs.
    pub open_orders: u64,
    /// Max bytes of the journals of open orders that are in memory: documents, plans, outputs, payloads.
    pub open_orders_bytes: u64,
    /// Bytes of the journals of open orders in memory; above it, those that wait leave memory until
    /// something concerns them.
    pub orders_in_memory_bytes: u64,
    /// Max callbacks kept that arrived before their task asked for them.
    pub callbacks_kept: u64,
    /// Max bytes of all callbacks that are kept.
    pub callbacks_kept_bytes: u64,
    /// How long a callback is kept, in milliseconds.
    pub callback_keep_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            open_orders: 200_000,
            open_orders_bytes: 1024 << 20,
            orders_in_memory_bytes: 16 << 20,
            callbacks_kept: 20_000,
            callbacks_kept_bytes: 16 << 20,
            callback_keep_ms: 60 * 60_000,
        }
    }
}

/// Max bytes of the log of one attempt.
pub const LOG_BYTES_MAX: usize = 64 << 10;

/// Max bytes of the exchanges of one attempt.
pub const EXCHANGES_BYTES_MAX: usize = 64 << 10;

/// Max bytes of a callback's name: it is part of a key of the store.
pub const CALLBACK_NAME_BYTES_MAX: usize = 300;

/// Limits of one turn of a fulfilment, after which others get theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shares {
    /// Max concurrent calls of one fulfilment.
    pub calls: usize,
    /// Max actions of one fulfilment in one turn.
    pub turn: usize,
    /// Max items whose documents are written at once, when an order is planned or ends.
    pub items: NonZero<usize>,
    /// Max bytes of a record that is written at once.
    pub record_bytes: NonZero<usize>,
}

/// The default of [`Shares::items`].
const ITEMS_AT_ONCE: NonZero<usize> = NonZero::new(64).expect("it is not 0");

/// The default of [`Shares::record_bytes`].
const RECORD_BYTES: NonZero<usize> = NonZero::new(256 << 10).expect("it is not 0");

impl Default for Shares {
    fn default() -> Self {
        Self { calls: 64, turn: 128, items: ITEMS_AT_ONCE, record_bytes: RECORD_BYTES }
    }
}
