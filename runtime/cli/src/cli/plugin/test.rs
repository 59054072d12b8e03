//! `ferrule plugin test`: proves a plugin against a simulated element that fails in every way.

mod bench;
pub(super) mod board;
pub(super) mod case;
pub(super) mod cell;
mod decomposed;
mod drive;
mod element;
mod fault;
mod html;
pub(super) mod json;
mod judge;
mod junit;
mod matching;
mod matrix;
mod peak;
mod perform;
mod planned;
pub(super) mod problem;
mod record;
pub(super) mod recorded;
pub(super) mod report;
mod spoilt;
mod wire;
pub(super) mod written;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use clap::Args;
use engine::pools::Pools;
use engine::store::Memory;
use host::{Host, Options};
use model::Digest;
use tempfile::TempDir;

use self::bench::Subject;
use self::case::Case;
use self::matrix::Prepared;
use self::report::Report;
use super::project::Project;
use super::{Inspector, read_file};
use crate::cli::{Usage, say};
use server::config::Config;

/// The plugin under test, with its cases.
#[derive(Debug, Args)]
pub(super) struct Target {
    /// The folder of the project, which is built first, or a plugin.
    #[arg(default_value = ".")]
    pub(super) plugin: PathBuf,
    /// The folder with the cases; `tests` of the project by default.
    #[arg(long, value_name = "FOLDER")]
    cases: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Test {
    #[command(flatten)]
    target: Target,
    /// Play only the cells with this in their name, such as `set-speed` or `lost-answer`.
    #[arg(long, value_name = "CELL")]
    only: Option<String>,
    /// Record the cases that have no exchanges: the work is done on the element at this URL, and undone.
    #[arg(long, value_name = "URL", conflicts_with_all = ["only", "list", "json", "junit", "html"])]
    record: Option<String>,
    /// With --record: the settings with those of the plugin. Their values are left out of the case.
    #[arg(long, value_name = "FILE", requires = "record")]
    config: Option<PathBuf>,
    /// List the cells and play none.
    #[arg(long)]
    list: bool,
    /// Print the results as JSON.
    #[arg(long)]
    json: bool,
    /// Write the results for a build server too.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Write the results as a page too.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

/// Plays all cells and reports them. Fails if one of them does.
pub(super) async fn run(test: Test) -> Result<()> {
    let ready = Ready::open(&test.target).await?;
    if let Some(url) = &test.record {
        let config = Config::read(test.config.as_deref())?;
        let (subject, cache) = (&ready.subject, ready.cache.path());
        return record::record(subject, &ready.cases, url, &config, cache).await;
    }
    let mut prepared = ready.prepare().await?;
    if let Some(only) = &test.only {
        choose(&mut prepared, only)?;
    }
    if test.list {
        let cells = prepared.iter().flat_map(|prepared| &prepared.cells);
        let mut lines = cells.map(|cell| format!("{}: {}", cell.name, cell.about));
        return lines.try_for_each(|line| say(&line));
    }
    let report = ready.play(&prepared).await?;
    if let Some(path) = &test.junit {
        write(path, &junit::written(&report))?;
    }
    if let Some(path) = &test.html {
        write(path, &html::written(&report))?;
    }
    match test.json {
        true => say(&serde_json::to_string_pretty(&report)?)?,
        false => report.lines().iter().try_for_each(|line| say(line))?,
    }
    report.verdict()
}

/// A plugin that is ready to be tested.
#[derive(Debug)]
pub(super) struct Ready {
    /// The file of the plugin.
    pub(super) file: PathBuf,
    subject: Arc<Subject>,
    cases: Vec<Arc<Case>>,
    cache: TempDir,
}

impl Ready {
    /// Builds the plugin if it is a project, and reads it with its cases.
    pub(super) async fn open(target: &Target) -> Result<Self> {
        let (file, folder) = files(target).await?;
        let cases = case::read_all(&folder)?.into_iter().map(Arc::new).collect();
        let bytes = read_file(&file)?;
        let cache = TempDir::with_prefix("ferrule-test-")?;
        let subject = Arc::new(subject(bytes, &file, cache.path()).await?);
        Ok(Self { file, subject, cases, cache })
    }

    /// Plays each case undisturbed, and makes its cells.
    async fn prepare(&self) -> Result<Vec<Prepared>> {
        let mut prepared = Vec::new();
        for case in &self.cases {
            let ready = matrix::prepare(case, &self.subject, self.cache.path()).await;
            prepared.push(ready.with_context(|| format!("the case `{}`", case.file.display()))?);
        }
        Ok(prepared)
    }

    async fn play(&self, prepared: &[Prepared]) -> Result<Report> {
        let count = prepared.iter().map(|prepared| prepared.cells.len()).sum();
        let progress = report::Progress::new(count);
        let tell = |result: &cell::Result| progress.tell(result);
        let results = matrix::play(prepared, &self.subject, self.cache.path(), &tell).await;
        progress.finish();
        Ok(Report::new(&self.subject, results?))
    }

    /// Plays every cell.
    pub(super) async fn prove(&self) -> Result<Report> {
        self.play(&self.prepare().await?).await
    }

    /// The digest of all cases.
    pub(super) fn cases_digest(&self) -> Result<Digest> {
        let mut bytes = Vec::new();
        for case in &self.cases {
            bytes.extend(case.name.as_bytes());
            bytes.push(0);
            bytes.extend(std::fs::read(&case.file)?);
            bytes.push(0);
        }
        Ok(Digest::of(&bytes))
    }
}

/// The plugin and the folder of its cases.
async fn files(target: &Target) -> Result<(PathBuf, PathBuf)> {
    let path = &target.plugin;
    let cases = |project: &Path| target.cases.to_owned().unwrap_or_else(|| project.join("tests"));
    if path.is_dir() {
        let project = Project::open(path)?;
        // Without a case it is not worth building.
        case::read_all(&cases(path))?;
        let inspector = Inspector::new(&Config::default())?;
        return Ok((project.build(&inspector).await?, cases(path)));
    }
    let beside = path.parent().unwrap_or_else(|| Path::new("."));
    let project = if beside.ends_with("dist") { beside.parent().unwrap_or(beside) } else { beside };
    Ok((path.to_owned(), cases(project)))
}

/// Inspects the plugin by a host whose cache the benches share, so that it is compiled once.
async fn subject(bytes: Vec<u8>, file: &Path, cache: &Path) -> Result<Subject> {
    let host = Host::new(Options::new(Arc::new(Memory::default()), Pools::default(), cache))?;
    let inspected = host.inspect(bytes.to_vec()).await;
    let inspected = inspected.with_context(|| format!("`{}` is no plugin", file.display()))?;
    let digest = Digest::of(&bytes);
    Ok(Subject { bytes, digest, can_undo: inspected.can_undo, manifest: inspected.manifest })
}

/// Leaves out the cells whose names do not contain a text.
fn choose(prepared: &mut Vec<Prepared>, only: &str) -> Result<(), Usage> {
    let names: Vec<String> = prepared
        .iter()
        .flat_map(|prepared| prepared.cells.iter().map(|cell| cell.name.to_owned()))
        .collect();
    for prepared in prepared.iter_mut() {
        prepared.cells.retain(|cell| cell.name.contains(only));
        prepared.left_out.retain(|result| result.cell.contains(only));
    }
    prepared.retain(|prepared| !prepared.cells.is_empty());
    if !prepared.is_empty() {
        return Ok(());
    }
    let parts = names.iter().flat_map(|name| name.split('/'));
    let near = tmf::nearest::nearest(only, parts);
    let meant = near.map(|near| format!("; is `{near}` meant?")).unwrap_or_default();
    Err(Usage(format!("no cell has `{only}` in its name{meant} `--list` lists them")))
}

fn write(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).with_context(|| format!("cannot write `{}`", path.display()))
}
