//! Where cells are played: a host with the plugin, and the simulated element that it is granted.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result, anyhow};
use engine::pools::Pools;
use engine::scratch::Changes;
use engine::stamp::Stamp;
use engine::store::{Batch, Memory, Store as _};
use engine::worker::Worker as _;
use host::{Grants, Host, Installed, Options};
use model::plan::{PriorWork, Work};
use model::{Digest, FulfilmentId, PluginId, Pool, PoolId, SpecId, TaskId, Values};

use super::board::Board;
use super::case::{Case, stock};
use super::element::Element;
use super::json::Names;
use super::peak::Peak;
use crate::cli::Usage;
use server::config::Config;
use tmf::time::Timestamp;

/// Concurrent calls of one bench.
const INSTANCES: u32 = 8;
/// Memory of the calls of one bench.
const MEMORY_MIB: u32 = 2_048;
/// The task that is played.
pub(super) const TASK: TaskId = TaskId(0);
/// The fulfilment of every play, so that its keys are the same.
pub(super) const FULFILMENT: &str = "test";
/// The idempotency key of the task.
pub(super) const KEY: &str = "test:0";
/// The fulfilment of the work that the task changes or ends.
pub(super) const EARLIER: &str = "earlier";
/// The idempotency key of that.
const EARLIER_KEY: &str = "earlier:0";
/// The text of `{{secret}}`, and the beginning of that of `{{secret.<name>}}`.
const PLANTED: &str = "planted-7f3c91e4";

/// The plugin under test.
#[derive(Debug)]
pub(super) struct Subject {
    pub(super) bytes: Vec<u8>,
    pub(super) manifest: host::Manifest,
    pub(super) can_undo: bool,
    pub(super) digest: Digest,
}

/// A host with the plugin, and its element.
#[derive(Debug)]
pub(super) struct Bench {
    pub(super) host: Host,
    pub(super) pools: Pools,
    pub(super) element: Element,
    pub(super) plugin: Installed,
    pub(super) subject: Arc<Subject>,
    pub(super) case: Arc<Case>,
    names: Names,
    peak: Mutex<Peak>,
    /// The work that the task changes or ends, once it was done.
    earlier: Mutex<Option<PriorWork>>,
    store: Memory,
    /// The last commit of its scratch space.
    committed: Mutex<Stamp>,
}

/// A real element, in the place of the simulated one.
#[derive(Debug)]
pub(super) struct Real {
    /// Its address, without a slash at its end.
    pub(super) url: String,
    /// The texts that `secret.<name>` stands for, by that.
    pub(super) secrets: Vec<(String, String)>,
}

impl Bench {
    /// Starts a host of its own; what was compiled is shared by `cache`.
    pub(super) async fn start(
        subject: Arc<Subject>,
        case: Arc<Case>,
        cache: &Path,
    ) -> Result<Self> {
        Self::with(subject, case, cache, None).await
    }

    /// The same with a real element.
    pub(super) async fn with(
        subject: Arc<Subject>,
        case: Arc<Case>,
        cache: &Path,
        real: Option<&Real>,
    ) -> Result<Self> {
        let element = Element::start(Board::new(Arc::clone(&case), Arc::default()))?;
        let url = real.map_or_else(|| element.url(), |real| real.url.clone());
        let mut names = names(&case, &url);
        if let Some(real) = real {
            let known = Arc::make_mut(&mut names.known);
            known.retain(|(name, _)| !name.starts_with("secret"));
            known.extend(real.secrets.iter().cloned());
        }
        let pools = Pools::default();
        for pool in read_pools(&case)? {
            pools.define(pool);
        }
        let store = Memory::new();
        let kept = Arc::new(Memory::clone(&store));
        check_inventory(&subject, &case)?;
        stock::fill(&*kept, &case.written.inventory).await.context("the inventory of the case")?;
        let mut options = Options::new(kept, pools.clone(), cache);
        Config::default().host.apply(&mut options);
        options.instances = INSTANCES;
        options.memory_mib = MEMORY_MIB;
        let id = PluginId::new(&subject.manifest.id);
        options.grants.insert(id, grants(&subject, &case, &url, &names)?);
        let host = Host::new(options)?;
        let plugin = host.install(subject.bytes.to_vec()).await;
        let plugin = plugin.map_err(|error| anyhow!(server::serve::reason(&error)));
        let plugin = plugin.with_context(|| {
            format!("`{}` cannot be installed for the case `{}`", subject.manifest.id, case.name)
        })?;
        let (peak, earlier, committed) = (Mutex::default(), Mutex::default(), Mutex::default());
        let bench = Self {
            host,
            pools,
            element,
            plugin,
            subject,
            case,
            names,
            peak,
            earlier,
            store,
            committed,
        };
        Ok(bench)
    }

    /// Makes the element as it is before the task.
    pub(super) fn reset(&self) {
        *self.element.board() = Board::new(Arc::clone(&self.case), Arc::clone(&self.names.known));
        self.pools.abandon(&FulfilmentId::new(FULFILMENT), TASK);
        self.keep(self.host.scratch().deletion(&self.plugin.id, None));
    }

    /// Commits what a call wrote into its scratch space, as the engine does with an answer that counts.
    pub(super) fn keep(&self, changes: Changes) {
        let mut committed = self.committed.lock().unwrap_or_else(PoisonError::into_inner);
        *committed = committed.next(Timestamp(0));
        let facts = self.host.scratch().commit(changes, *committed);
        // It is in memory, so it is written at once. The documents of the case were written by another owner.
        let epoch = self.store.claim().expect("a store in memory takes an owner");
        drop(self.store.append(Batch::of(epoch, facts)));
    }

    /// Notes the work that the task changes or ends.
    pub(super) fn stands(&self, work: PriorWork) {
        *self.earlier.lock().unwrap_or_else(PoisonError::into_inner) = Some(work);
    }

    /// What the task does: the work, a change of earlier work, or its end.
    pub(super) fn work(&self) -> Work {
        let earlier = self.earlier.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(earlier) = earlier.as_ref() else { return Work::Do };
        let earlier = Box::new(earlier.clone());
        match self.case.written.task.ends() {
            true => Work::Undo(earlier),
            false => Work::Modify(earlier),
        }
    }

    /// Notes the figures of a call.
    pub(super) fn measured(&self, figures: Peak) {
        let mut peak = self.peak.lock().unwrap_or_else(PoisonError::into_inner);
        *peak = peak.with(figures);
    }

    /// The highest figures since they were taken last.
    pub(super) fn take_peak(&self) -> Peak {
        std::mem::take(&mut *self.peak.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A text of the case with its names replaced.
    pub(super) fn fill(&self, text: &str) -> String {
        self.names.fill(text)
    }

    /// The names by which what a plugin answers is compared.
    pub(super) fn pattern_names(&self) -> Names {
        let board = self.element.board();
        board.names()
    }

    /// The texts that must not leave the plugin, each with its name.
    pub(super) fn planted(&self) -> Vec<(String, String)> {
        let secrets = self.names.known.iter().filter(|(_, text)| text.starts_with(PLANTED));
        let settings = self.case.written.settings.iter();
        let masked = settings.filter(|(_, value)| value.contains("{{secret"));
        let masked = masked.map(|(name, _)| (name.to_owned(), format!("[setting {name}]")));
        secrets.cloned().chain(masked).collect()
    }
}

/// The names of a case with their texts.
fn names(case: &Case, url: &str) -> Names {
    let mut known = vec![
        ("element".to_owned(), url.to_owned()),
        ("key".into(), KEY.into()),
        ("earlier-key".into(), EARLIER_KEY.into()),
        ("undo-key".into(), format!("{KEY}{}", model::plan::UNDO)),
        ("secret".into(), PLANTED.into()),
    ];
    let written = serde_json::to_string(&case.written).unwrap_or_default();
    for part in written.split("{{secret.").skip(1) {
        if let Some((name, _)) = part.split_once("}}") {
            known.push((format!("secret.{name}"), format!("{PLANTED}-{name}")));
        }
    }
    Names { known: Arc::new(known), ..Names::default() }
}

fn grants(subject: &Subject, case: &Case, url: &str, names: &Names) -> Result<Grants> {
    let pools: Vec<String> = case.written.pools.keys().cloned().collect();
    // The two are never granted together.
    let http = match pools.is_empty() {
        true => vec![url.parse().context("the address of the element")?],
        false => Vec::new(),
    };
    let settings = case.written.settings.iter();
    let config = settings.map(|(name, value)| (name.to_owned(), names.fill(value))).collect();
    let inventory = subject.manifest.requests.inventory.to_vec();
    let scratch = Some(subject.manifest.requests.scratch.unwrap_or_default());
    Ok(Grants { http, inventory, pools, config, scratch, ..Grants::default() })
}

/// The plugin must ask for what the case has in its inventory: a server would not grant it otherwise.
fn check_inventory(subject: &Subject, case: &Case) -> Result<(), Usage> {
    let asked = &subject.manifest.requests.inventory;
    let missing = case.written.inventory.keys().find(|kind| !asked.contains(kind));
    let Some(kind) = missing else { return Ok(()) };
    Err(Usage(format!(
        "{}: the plugin does not ask for `{kind}`: add it to `inventory` under `[requests]` of its manifest",
        case.place(case.lines.inventory)
    )))
}

fn read_pools(case: &Case) -> Result<Vec<Pool>, Usage> {
    let pools = case.written.pools.iter().map(|(name, pattern)| {
        let values = Values::pattern(pattern).map_err(|error| {
            Usage(format!("{}: the pool `{name}` cannot be used: {error}", case.file.display()))
        })?;
        Ok(Pool {
            id: PoolId::new(name),
            resource: SpecId::new(name),
            characteristic: "value".into(),
            values,
        })
    });
    pools.collect()
}
