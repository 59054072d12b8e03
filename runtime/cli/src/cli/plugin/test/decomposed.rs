//! Plays a decomposer: the same item twice, and what it becomes.

use anyhow::Result;
use host::Decomposition;
use model::SpecId;
use tmf::document::Characteristics;

use super::bench::Bench;
use super::json::Json;
use super::judge::shown;
use super::problem::{Kind, Problem};

/// The parts that an item becomes, a line each; or the failure.
type Made = Result<Vec<String>, String>;

/// Decomposes the item of a case twice, and judges the answers. Also tells what was made.
pub(super) async fn play(bench: &Bench) -> Result<(Vec<Problem>, Vec<String>)> {
    let (one, again) = (decompose(bench).await, decompose(bench).await);
    let mut problems = Vec::new();
    if one != again {
        let what = format!("the same item becomes {}, then {}", told(&one), told(&again));
        problems.push(Problem::new(Kind::Deterministic, what));
    }
    let expect = &bench.case.written.expect;
    match (&one, &expect.productions, &expect.failure) {
        (Ok(made), Some(expected), _) => {
            let specs = made.iter().map(|line| line.split(' ').next().unwrap_or_default());
            if !specs.eq(expected.iter().map(String::as_str)) {
                let what = format!("the item becomes {}", told(&one));
                problems.push(Problem::new(Kind::Outputs, what));
            }
        }
        (Err(failure), _, Some(expected)) if failure.contains(&expected.code) => {}
        (Ok(_), None, None) => {}
        (Ok(_), None, Some(expected)) => {
            let what =
                format!("it must fail with code {}, and becomes {}", expected.code, told(&one));
            problems.push(Problem::new(Kind::Ending, what));
        }
        (Err(failure), ..) => problems.push(Problem::new(Kind::Ending, failure.as_str())),
    }
    let planted = bench.planted();
    let texts = [told(&one), told(&again)].concat();
    if let Some((name, _)) = planted.iter().find(|(_, planted)| texts.contains(planted.as_str())) {
        problems.push(Problem::new(Kind::Secret, format!("the answer shows `{name}`")));
    }
    Ok((problems, vec![format!("decompose: {}", told(&one))]))
}

async fn decompose(bench: &Bench) -> Made {
    let task = &bench.case.written.task;
    let filled = |json: &Json| json.replaced(&|text| bench.fill(text)).0;
    let characteristics: Characteristics =
        task.characteristics.iter().map(|(name, value)| (name.to_owned(), filled(value))).collect();
    let item = Decomposition {
        spec: &SpecId::new(&task.spec),
        action: super::planned::action(task.action),
        characteristics: &characteristics,
        order: &filled(&task.input),
    };
    let (made, _log) = bench.host.decompose(&bench.plugin.digest, item).await;
    let made = made.map_err(|failure| shown(&failure))?;
    let line =
        |part: &host::Production| format!("{} {}", part.spec, part.characteristics.to_value());
    Ok(made.iter().map(line).collect())
}

fn told(made: &Made) -> String {
    match made {
        Ok(made) => made.join("; "),
        Err(failure) => format!("a failure: {failure}"),
    }
}
