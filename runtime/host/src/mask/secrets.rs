//! The secrets of a plugin, as patterns that are made again when one is renewed.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::forms::deep;
use super::{BYTES_MIN, Patterns, Texts, add, add_lines};
use crate::grants::Grants;
use crate::secret::Safe;

/// The secrets that a plugin was granted.
pub(super) struct Granted {
    safe: Arc<Safe>,
    /// The name in `[secrets]`, by the name that the plugin asks for.
    names: BTreeMap<String, String>,
    settings: Texts,
    /// Made when they are first needed.
    made: RwLock<Option<Made>>,
}

/// The patterns of a generation of secrets.
struct Made {
    generation: u64,
    /// With those of settings.
    all: Arc<Patterns>,
    alone: Arc<Patterns>,
}

impl Granted {
    pub(super) fn new(grants: &Grants, safe: Arc<Safe>, settings: Texts) -> Self {
        let names = grants.secrets.iter();
        let names = names.map(|(name, grant)| (name.to_owned(), grant.secret.to_owned())).collect();
        Self { safe, names, settings, made: RwLock::default() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The patterns of secrets and settings.
    pub(super) fn all(&self) -> Arc<Patterns> {
        self.now(|made| Arc::clone(&made.all))
    }

    /// The patterns of secrets that are long enough to be taken out of what elements answer.
    pub(super) fn alone(&self) -> Arc<Patterns> {
        self.now(|made| Arc::clone(&made.alone))
    }

    fn now<T>(&self, of: impl Fn(&Made) -> T) -> T {
        let generation = self.safe.generation();
        let made = self.made.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(made) = made.as_ref().filter(|made| made.generation == generation) {
            return of(made);
        }
        drop(made);
        let mut made = self.made.write().unwrap_or_else(PoisonError::into_inner);
        of(made.insert(self.make(generation)))
    }

    fn make(&self, generation: u64) -> Made {
        let mut alone = Texts::new();
        let settings = self.settings.iter();
        let mut all: Texts =
            settings.map(|(form, stand_in)| (form.to_owned(), Arc::clone(stand_in))).collect();
        for (name, secret) in &self.names {
            let stand_in = Arc::from(format!("[secret {name}]"));
            for value in self.safe.all(secret) {
                add(&mut all, deep(value.expose()), &stand_in);
                add_lines(&mut all, value.expose(), &stand_in);
                // A short value is in many answers by chance.
                if value.expose().len() >= BYTES_MIN {
                    add(&mut alone, deep(value.expose()), &stand_in);
                }
            }
        }
        Made {
            generation,
            all: Arc::new(Patterns::new(&all)),
            alone: Arc::new(Patterns::new(&alone)),
        }
    }
}
