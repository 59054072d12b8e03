//! How often a call of a plugin called the host, by interface. The log counts its own.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};

/// An interface of the host that is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interface {
    Config,
    Secrets,
    Scratch,
    Inventory,
    Reservation,
    Http,
    WasiHttp,
}

/// The counts of one call.
#[derive(Debug, Default)]
pub(crate) struct Calls([AtomicU32; Interface::ALL.len()]);

impl Interface {
    const ALL: [Self; 7] = [
        Self::Config,
        Self::Secrets,
        Self::Scratch,
        Self::Inventory,
        Self::Reservation,
        Self::Http,
        Self::WasiHttp,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Secrets => "secrets",
            Self::Scratch => "scratch",
            Self::Inventory => "inventory",
            Self::Reservation => "reservation",
            Self::Http => "http",
            Self::WasiHttp => "wasi:http",
        }
    }
}

impl Calls {
    /// Counts one.
    pub(crate) fn count(&self, interface: Interface) {
        if let Some(count) = self.0.get(interface as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The interfaces that were called, with how often.
    pub(crate) fn all(&self) -> BTreeMap<String, u32> {
        let counts = Interface::ALL.into_iter().zip(&self.0);
        let counts = counts.map(|(one, count)| (one.name(), count.load(Ordering::Relaxed)));
        counts.filter(|(_, count)| *count > 0).map(|(name, count)| (name.into(), count)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_interface_has_a_count_of_its_own() {
        let calls = Calls::default();
        for (count, interface) in (1..).zip(Interface::ALL) {
            (0..count).for_each(|_| calls.count(interface));
        }
        let all = calls.all();
        let counts = Interface::ALL.map(|interface| all[interface.name()]);
        assert_eq!(counts, [1, 2, 3, 4, 5, 6, 7]);
        assert!(Calls::default().all().is_empty());
    }
}
