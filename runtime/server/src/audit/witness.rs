//! What changes outside the store and over no request: the file of the settings, plugins that are dropped into
//! the folder, packs. Their digests are compared with those that were seen last, which is a fact, and each
//! difference has an entry in the commit that changes this fact. So it is noticed too if it happened while the
//! server was down, or was killed between the change and its entry.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use engine::Engine;
use engine::audit::{Act, Actor, Audited, Digested, Subject};
use engine::documents::Error;
use engine::keys;
use host::{Host, State, regular};
use model::Digest;

use crate::config::FILE_BYTES_MAX;
use crate::documents::Documents;
use crate::rulebooks::Rulebooks;

/// How often it looks.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// The names of what is compared.
const SETTINGS: &str = "settings";
const PACK: &str = "pack";
const PLUGIN: &str = "plugin";

/// Looks at what is in use.
pub(crate) struct Witness {
    pub(crate) documents: Documents,
    pub(crate) host: Host,
    pub(crate) rulebooks: Rulebooks,
    pub(crate) settings: Option<PathBuf>,
}

/// The digests of what is in use, by kind and name with a `/` between.
type Seen = BTreeMap<String, String>;

impl Witness {
    /// Looks at intervals until `stopped` ends, from when the plugins are ready.
    pub(crate) async fn run(self, ready: impl Future, stopped: impl Future<Output = ()>) {
        let mut stopped = std::pin::pin!(stopped);
        tokio::select! {
            () = &mut stopped => return,
            _ = ready => {}
        }
        loop {
            if let Err(error) = self.look().await {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "changes outside the store cannot be added to the audit");
            }
            tokio::select! {
                () = &mut stopped => return,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }

    /// Adds an entry for each difference.
    pub(crate) async fn look(&self) -> Result<(), Error> {
        let seen = self.documents.read(|session| session.get(keys::AUDIT_SEEN)).await?;
        let mut seen: Seen =
            seen.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        let now = self.now().await;
        let names: Vec<String> = now.keys().chain(seen.keys()).map(String::from).collect();
        for name in names {
            let (before, after) = (seen.get(&name), now.get(&name));
            if before == after {
                continue;
            }
            let (before, after) = (before.map(String::from), after.map(String::from));
            match &after {
                Some(after) => drop(seen.insert(name.as_str().into(), after.as_str().into())),
                None => drop(seen.remove(&name)),
            }
            self.add(&seen, &name, (before, after)).await?;
        }
        Ok(())
    }

    async fn now(&self) -> Seen {
        let mut now = Seen::new();
        if let Some(path) = self.settings.as_deref().map(Path::to_owned) {
            let read = move || regular::read_text(&path, FILE_BYTES_MAX).ok();
            let text = tokio::task::spawn_blocking(read).await.ok().flatten();
            let digest = text.map(|text| Digest::of(text.as_bytes()).to_string());
            // A file that cannot be read now is not a change of it.
            now.extend(digest.map(|digest| (SETTINGS.to_string(), digest)));
        }
        for pack in self.rulebooks.current().packs() {
            now.insert(format!("{PACK}/{}", pack.name), pack.digest.to_string());
        }
        for entry in self.host.list() {
            if let (true, State::Ready, Some(id), Some(digest)) =
                (entry.is_current, entry.state, entry.id, entry.digest)
            {
                now.insert(format!("{PLUGIN}/{id}"), digest);
            }
        }
        now
    }

    async fn add(
        &self,
        seen: &Seen,
        name: &str,
        (before, after): (Option<String>, Option<String>),
    ) -> Result<(), Error> {
        let (kind, id) = name.split_once('/').unwrap_or((name, ""));
        let verb = match (kind, &before, &after) {
            (SETTINGS, ..) | (_, Some(_), Some(_)) => "changed",
            (_, None, _) => "installed",
            (_, Some(_), None) => "removed",
        };
        let id = (!id.is_empty()).then(|| id.into());
        let act = Act {
            actor: Actor::system("server"),
            action: format!("{kind}.{verb}"),
            subject: Some(Subject { resource: kind.into(), id }),
            ..Act::default()
        };
        let engine: &Engine = self.documents.engine();
        let digests = vec![Digested { what: name.into(), before, after }];
        let audited = Audited { digests, ..Audited::done(Arc::new(act), engine.now()) };
        let bytes = serde_json::to_vec(seen).expect("texts can be written");
        let fact = (keys::AUDIT_SEEN.to_vec(), Some(bytes));
        engine.append_as(vec![fact], Vec::new(), audited).await
    }
}
