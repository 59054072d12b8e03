//! Placeholders for the secrets of the operator. Always linked; empty without grants. The host puts a
//! value in on the way out ([`fill`]), so no plugin ever has it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wasmtime::component::{HasData, Linker};

use super::caller::Caller;
use super::calls::Interface;
use crate::contract::secrets;
use crate::denial::{Denial, Help};
use crate::grants::{self, GrantKey};
use crate::mask::{PLACEHOLDER, PLACEHOLDER_DIGITS};
use crate::secret::{Safe, Secret};

mod fill;

/// The secrets of one call.
#[derive(Debug)]
pub(crate) struct Secrets {
    caller: Arc<Caller>,
    safe: Arc<Safe>,
    issued: Mutex<BTreeMap<String, Issued>>,
}

/// A placeholder that was given to the plugin, and the value of when it was.
#[derive(Debug)]
struct Issued {
    placeholder: String,
    value: Arc<Secret>,
}

impl Secrets {
    pub(crate) fn new(caller: &Arc<Caller>, safe: &Arc<Safe>) -> Self {
        Self { caller: Arc::clone(caller), safe: Arc::clone(safe), issued: Mutex::default() }
    }

    /// The placeholder of a secret.
    fn issue(&self, name: &str) -> Option<String> {
        let mut issued = self.lock();
        self.caller.ledger.used(GrantKey::Secrets, name);
        if let Some(issued) = issued.get(name) {
            return Some(issued.placeholder.to_owned());
        }
        let Some(grant) = self.caller.grants.secrets.get(name) else {
            // Where it is needed is known when it is sent: at most to where requests may go.
            let to = self.caller.grants.names(GrantKey::Http);
            let lines = grants::secret::lines(&self.caller.plugin, name, name, &to);
            self.deny(Denial::Secret, name, "it is not granted", Help::Lines(lines));
            return None;
        };
        let Some(value) = self.safe.get(&grant.secret) else {
            let secret = &grant.secret;
            let instead = format!("see `[secrets.{secret}]`");
            self.deny(Denial::SecretValue, name, "it has no value now", Help::Instead(instead));
            return None;
        };
        let Some(placeholder) = placeholder() else {
            self.caller.note(&format!("secret `{name}`: the system gave no random bytes"));
            return None;
        };
        let one = Issued { placeholder: placeholder.to_owned(), value };
        issued.insert(name.to_owned(), one);
        Some(placeholder)
    }

    /// Denies a use of a secret.
    fn deny(&self, denial: Denial, name: &str, why: &str, help: Help) {
        self.caller.deny(denial, &format!("secret `{name}`"), why, help);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Issued>> {
        // Every change leaves the map consistent, so a poisoned lock is still good.
        self.issued.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A text that cannot be guessed, and that no escaping changes.
fn placeholder() -> Option<String> {
    let mut random = [0; PLACEHOLDER_DIGITS / 2];
    getrandom::fill(&mut random).ok()?;
    Some(format!("{PLACEHOLDER}{}", hex::encode(random)))
}

impl secrets::Host for Arc<Secrets> {
    fn get(&mut self, name: String) -> Option<String> {
        self.caller.calls.count(Interface::Secrets);
        let placeholder = self.issue(&name);
        self.caller.tape.issued(&name, placeholder.as_deref());
        placeholder
    }
}

pub(crate) struct HasSecrets;

impl HasData for HasSecrets {
    type Data<'a> = &'a mut Arc<Secrets>;
}

/// Links the interface `secrets`. `of` finds its data in that of the wasm store.
pub(crate) fn add_to_linker<T: 'static>(
    linker: &mut Linker<T>,
    of: fn(&mut T) -> &mut Arc<Secrets>,
) -> wasmtime::Result<()> {
    secrets::add_to_linker::<_, HasSecrets>(linker, of)
}

#[cfg(test)]
mod tests;
