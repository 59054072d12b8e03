//! `ferrule plugin test --record URL`: does the work of a case on a real element, and writes what was said into
//! the case.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use model::TaskState;

use super::bench::{Bench, KEY, Real, Subject};
use super::board::Phase;
use super::case::Case;
use super::drive::{Play, Script};
use super::json::Json;
use super::judge::ending;
use super::recorded::{Known, Said, exchanges};
use super::written;
use crate::cli::{Usage, say};
use server::config::Config;

/// Records the cases without exchanges.
pub(super) async fn record(
    subject: &Arc<Subject>,
    cases: &[Arc<Case>],
    url: &str,
    config: &Config,
    cache: &Path,
) -> Result<()> {
    let open: Vec<&Arc<Case>> =
        cases.iter().filter(|case| case.written.exchanges.is_empty()).collect();
    if open.is_empty() {
        let what = "every case has exchanges: write one with `task` and `settings` alone, or remove its \
                    `exchanges`";
        return Err(Usage(what.into()).into());
    }
    let real = real(subject, url, config);
    for case in open {
        if case.written.task.replaces.is_some() {
            let place = case.place(case.lines.replaces);
            let what = "what changes earlier work cannot be recorded: write its exchanges by hand";
            return Err(Usage(format!("{place}: {what}")).into());
        }
        let bench = Bench::with(Arc::clone(subject), Arc::clone(case), cache, Some(&real)).await?;
        let text = recorded(&bench, case, &real)
            .await
            .with_context(|| format!("the case `{}` cannot be recorded", case.file.display()))?;
        std::fs::write(&case.file, text)
            .with_context(|| format!("cannot write `{}`", case.file.display()))?;
        say(&format!("{} is recorded", case.file.display()))?;
    }
    Ok(())
}

fn real(subject: &Subject, url: &str, config: &Config) -> Real {
    let grants = config.plugins.get(&subject.manifest.id);
    let settings = grants.into_iter().flat_map(|grants| &grants.config);
    Real {
        url: url.trim_end_matches('/').into(),
        secrets: settings
            .map(|(name, value)| (format!("secret.{name}"), value.to_owned()))
            .collect(),
    }
}

/// The text of a case with what was said.
async fn recorded(bench: &Bench, case: &Case, real: &Real) -> Result<String> {
    // First a lost outcome and a lost undo, which show how the element answers what it has done; then
    // a probe before the work.
    let mut first = Play::new(bench, Script { lose: Some(Phase::Run), ..Script::default() })?;
    first.carry().await?;
    let TaskState::Done(output) = first.state() else {
        bail!("the task does not succeed: {}", ending(&first));
    };
    let outputs = Json(serde_json::to_value(&output.outputs)?);
    first.lose_undo();
    let mut said = said(&first);
    if bench.subject.can_undo {
        first.roll_back().await?;
        said = self::said(&first);
        let mut second = Play::new(bench, Script { crash_before: true, ..Script::default() })?;
        second.carry().await?;
        second.roll_back().await?;
        said.extend(self::said(&second));
    }
    let known = Known { base: Some(real.url.to_owned()), key: KEY.into() };
    let exchanges = exchanges(&said, &known);
    let text = std::fs::read_to_string(&case.file)?;
    let outputs = case.written.expect.outputs.is_none().then_some(&outputs);
    written::extended(&text, &exchanges, outputs)
}

/// The exchanges of the calls of a play.
fn said(play: &Play<'_>) -> Vec<Said> {
    let calls = play.calls.iter();
    let said = calls.flat_map(|made| {
        let kept = made.telemetry.exchanges.kept.iter();
        kept.map(|exchange| Said { phase: made.phase, exchange: exchange.clone() })
    });
    said.collect()
}
