//! What the engine holds at the most.

/// Bounds of what open orders and callbacks may hold, from `[limits]` and `[retention]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Max open orders and runs.
    pub open_orders: u64,
    /// Max bytes of the journals of open orders: documents, plans, outputs, payloads.
    pub open_orders_bytes: u64,
    /// Max callbacks that are kept before their task waits for them.
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
            callbacks_kept: 20_000,
            callbacks_kept_bytes: 16 << 20,
            callback_keep_ms: 60 * 60_000,
        }
    }
}

/// Max bytes of the log of one attempt.
pub const LOG_BYTES_MAX: usize = 64 << 10;

/// Max bytes of a callback's name: it is part of a key of the store.
pub const CALLBACK_NAME_BYTES_MAX: usize = 300;
