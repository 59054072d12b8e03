//! A key on the store of a server that does not run: the user of its files may do everything.

use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use engine::audit::{Act, Actor, Audited, Subject};
use engine::clock::{Clock as _, System};
use engine::documents::audited_batch;
use engine::store::{Epoch, Scan, Store, TenantNumber, View, pages};
use engine::tenant::TenantName;
use server::access::Narrowing;
use server::access::RoleName;
use server::access::keys::{Creator, KEYS_MAX, Names, NewKey, Record, State, Token};
use server::config::{Auditing, Config};

use super::{New, show};
use crate::cli::store::{self, Missing};

/// Facts that are read from the store at once.
const FACTS_AT_ONCE: usize = 256;

pub(super) async fn make(new: &New) -> Result<()> {
    let config = Config::read(new.config.as_deref())?;
    let tenant = new.at.login.tenant()?;
    if let Some(name) = tenant.as_ref().filter(|name| !config.tenants.contains_key(*name)) {
        bail!("the settings have no `[tenants.{name}]`: name their file with `--config`");
    }
    let (roles, known) = server::serve::roles(&config)?;
    let names: Vec<RoleName> = new.roles.iter().map(RoleName::new).collect();
    if let Some(wrong) = names.iter().find(|role| !roles.knows(role)) {
        let all: Vec<&str> = roles.names().map(RoleName::as_str).collect();
        bail!("there is no role `{wrong}`: there are {}", all.join(", "));
    }
    Narrowing::read(&new.scope, &known).context("the scope cannot be used")?;
    if let Some(wrong) = new.plugins.iter().find(|id| !host::manifest::is_id(id)) {
        bail!("`{wrong}` is no id of a plugin");
    }
    let asked = NewKey {
        name: new.name.to_owned(),
        roles: names.into_iter().collect(),
        plugins: new.plugins.iter().map(ToOwned::to_owned).collect(),
        scope: new.scope.to_owned(),
        days: new.days,
        created_by: Creator { subject: "local".into(), proof: "off".into() },
        names: Names::All,
        request: None,
    };
    asked.check()?;
    let store = store::opened(&config, new.data.clone(), Missing::Made).await?;
    let (store, epoch) = view(store, tenant.as_ref()).await?;
    let now = System::default().now();
    let mut active = 0;
    for page in pages(&store, Scan::prefix(engine::keys::API_KEYS, FACTS_AT_ONCE)) {
        let records = page?;
        let records = records.iter().filter_map(Record::read);
        active += records.filter(|(_, record)| record.state(now) == State::Active).count();
    }
    if active >= KEYS_MAX {
        bail!("there are {KEYS_MAX} keys, which is the limit: start the server and revoke some");
    }
    let token = Token::draw()?;
    let record = asked.record(&token, now);
    let write = record.fact(&token.id)?;
    let audited = match config.audit.mode {
        Auditing::On => Some(Audited::done(Arc::new(act(token.id.as_str())), now)),
        Auditing::Off => None,
    };
    store.append(audited_batch(epoch, now, (vec![write], Vec::new()), audited)).await?;
    show(token.id.as_str(), &record.expires.to_string(), &token.text())
}

/// The act that the entry of a key names: with the folder a user of this machine has every right.
fn act(id: &str) -> Act {
    let actor =
        Actor { subject: "local".into(), authentication: "folder".into(), ..Actor::default() };
    let subject = Subject { resource: "keys".into(), id: Some(id.into()) };
    Act { actor, action: "POST keys".into(), subject: Some(subject), ..Act::default() }
}

/// The part of a store that a tenant has, and the epoch of its owner.
async fn view(store: Arc<dyn Store>, tenant: Option<&TenantName>) -> Result<(View, Epoch)> {
    let epoch = store.claim()?;
    match tenant {
        None => Ok((View::of_default(store), epoch)),
        Some(name) => {
            let number = TenantNumber::of(&*store, epoch, name).await?;
            Ok((View::of(store, number), epoch))
        }
    }
}
