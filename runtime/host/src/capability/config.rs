//! Reads the settings that the operator gave a plugin. Always linked; empty without settings.

use std::collections::BTreeMap;
use std::sync::Arc;

use wasmtime::component::{HasData, Linker};

use crate::capability::calls::{Calls, Interface};
use crate::contract::config;
use crate::grants::{GrantKey, Grants};
use crate::used::Ledger;

/// The settings of the plugin that is called.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) grants: Arc<Grants>,
    pub(crate) defaults: Arc<BTreeMap<String, String>>,
    pub(crate) calls: Arc<Calls>,
    pub(crate) ledger: Arc<Ledger>,
}

impl config::Host for Config {
    fn get(&mut self, name: String) -> Option<String> {
        self.calls.count(Interface::Config);
        self.ledger.used(GrantKey::Config, &name);
        self.grants.config.get(&name).or_else(|| self.defaults.get(&name)).cloned()
    }
}

pub(crate) struct HasConfig;

impl HasData for HasConfig {
    type Data<'a> = &'a mut Config;
}

/// Links the interface `config`. `of` finds its data in that of the wasm store.
pub(crate) fn add_to_linker<T: 'static>(
    linker: &mut Linker<T>,
    of: fn(&mut T) -> &mut Config,
) -> wasmtime::Result<()> {
    config::add_to_linker::<_, HasConfig>(linker, of)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::config::Host;

    #[test]
    fn a_setting_that_was_not_made_is_nothing() {
        let config = [("token".to_owned(), "t".to_owned())].into();
        let grants = Arc::new(Grants { config, ..Grants::default() });
        let defaults = [("token", "default"), ("timeout", "30s")];
        let defaults = defaults.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let defaults = Arc::new(defaults.into());
        let ledger = Arc::new(Ledger::new(&grants, None, &Arc::default()));
        let mut config = Config { grants, defaults, calls: Arc::default(), ledger };
        assert_eq!(config.get("token".into()).as_deref(), Some("t"));
        assert_eq!(config.get("timeout".into()).as_deref(), Some("30s"));
        assert_eq!(config.get("Token".into()), None);
    }
}
