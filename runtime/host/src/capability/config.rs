//! Reads the settings that the operator gave a plugin. Always linked; empty without settings.

use std::sync::Arc;

use wasmtime::component::{HasData, Linker};

use crate::capability::caller::Caller;
use crate::capability::calls::Interface;
use crate::contract::config;
use crate::grants::GrantKey;
use crate::setting::Declared;

/// The settings of the plugin that is called.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) caller: Arc<Caller>,
    pub(crate) declared: Arc<Declared>,
}

impl config::Host for Config {
    fn get(&mut self, name: String) -> Option<String> {
        let Caller { calls, ledger, grants, .. } = &*self.caller;
        calls.count(Interface::Config);
        ledger.used(GrantKey::Config, &name);
        let value = grants.config.get(&name).or_else(|| self.declared.default(&name));
        if value.is_none()
            && let Some(example) = self.declared.needed(&name)
        {
            self.caller.miss(name, example);
            return None;
        }
        value.cloned()
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
    use crate::grants::Grants;

    #[test]
    fn a_setting_that_was_not_made_is_nothing() {
        let config = [("token".to_owned(), "t".to_owned())].into();
        let grants = Grants { config, ..Grants::default() };
        let setting = |default: &str| toml::from_str(default).unwrap();
        let declared = Declared::new(
            &[
                ("token".to_owned(), setting("type = \"text\"\ndefault = \"default\"")),
                ("timeout".to_owned(), setting("type = \"duration\"\ndefault = \"30s\"")),
                ("spare".to_owned(), setting("type = \"text\"")),
            ]
            .into(),
        );
        let caller = Arc::new(Caller::of_test(grants));
        let mut config = Config { caller: Arc::clone(&caller), declared: Arc::new(declared) };
        assert_eq!(config.get("token".into()).as_deref(), Some("t"));
        assert_eq!(config.get("timeout".into()).as_deref(), Some("30s"));
        assert_eq!((config.get("spare".into()), config.get("Token".into())), (None, None));
        let missed = caller.missed.lock().unwrap();
        assert_eq!(
            missed.keys().collect::<Vec<_>>(),
            ["Token"],
            "one that is optional may be unset"
        );
    }
}
