//! What a plugin's answer passes on its way to the engine: the values of its settings are taken
//! out, then it is held to the bounds of the model.

use model::bounds::cut;
use model::reconcile::{Difference, Holder, Reading};
use model::{BOUNDS, Failure, FailureClass, FailureCode, Outcome};

use crate::invoke::Production;
use crate::mask::Mask;

/// An outcome as it may be kept and shown.
pub(crate) fn outcome(outcome: Outcome, mask: &Mask) -> Outcome {
    let masked = match outcome {
        // Depth is bounded where the text is read, so masking may recurse.
        Outcome::Done(outputs) => Outcome::Done(mask.object(outputs)),
        Outcome::Waiting(wait) => match wait.keys.iter().any(|key| mask.is_shown_in(key)) {
            // With another key in its place the answer would never be found.
            true => Outcome::Failed(shown("a key of a wait")),
            false => Outcome::Waiting(wait),
        },
        Outcome::Failed(failure) => Outcome::Failed(masked(failure, mask)),
    };
    BOUNDS.outcome(masked)
}

/// A failure as it may be kept and shown.
pub(crate) fn failure(failure: Failure, mask: &Mask) -> Failure {
    BOUNDS.failure(masked(failure, mask))
}

/// The result of an observation, as it may be kept and shown.
pub(crate) fn looked(looked: Result<Reading, Failure>, mask: &Mask) -> Result<Reading, Failure> {
    looked
        .map_err(|failure| self::failure(failure, mask))
        .and_then(|reading| self::reading(reading, mask))
}

/// The result of a decomposition, as it may be kept and shown.
pub(crate) fn decomposed(
    made: Result<Vec<Production>, Failure>,
    mask: &Mask,
) -> Result<Vec<Production>, Failure> {
    made.map_err(|failure| self::failure(failure, mask))
        .and_then(|productions| self::productions(productions, mask))
}

/// What was read back, as it may be kept and shown.
pub(crate) fn reading(reading: Reading, mask: &Mask) -> Result<Reading, Failure> {
    let reading = match reading {
        Reading::Nothing | Reading::Pending => return Ok(reading),
        Reading::Held { outputs, differences, holder } => Reading::Held {
            outputs: mask.object(outputs),
            differences: differences.into_iter().map(|one| difference(one, mask)).collect(),
            holder: match holder {
                Holder::Other(key) => Holder::Other(cut(mask.text(key), BOUNDS.key_bytes_max)),
                Holder::Ours | Holder::Unknown => holder,
            },
        },
    };
    reading.check(&BOUNDS).map_err(|exceeded| exceeded.failure())?;
    Ok(reading)
}

/// What an item becomes, as it may be kept and shown.
pub(crate) fn productions(
    productions: Vec<Production>,
    mask: &Mask,
) -> Result<Vec<Production>, Failure> {
    if productions.iter().any(|one| mask.is_shown_in(one.spec.as_str())) {
        return Err(shown("a specification"));
    }
    let one = |one: Production| {
        let characteristics = mask.object(one.characteristics.into_iter().collect());
        let characteristics = characteristics.into_iter().collect();
        Production { characteristics, ..one }
    };
    let productions: Vec<_> = productions.into_iter().map(one).collect();
    BOUNDS
        .productions(productions.iter().map(|one| &one.characteristics))
        .map_err(|exceeded| exceeded.failure())?;
    Ok(productions)
}

/// Lines of a log as they may be kept and shown.
pub(crate) fn log(lines: Vec<String>, mask: &Mask) -> Vec<String> {
    lines.into_iter().map(|line| mask.text(line)).collect()
}

/// The failure of a plugin that shows the value of a setting where it cannot be masked.
pub(crate) fn shown(place: &str) -> Failure {
    let message = format!(
        "the plugin answered with {place} that holds the value of one of its settings; mend the \
         plugin, then retry the task"
    );
    Failure::new(FailureClass::Operator, FailureCode::PluginShowsSetting, message)
}

fn masked(failure: Failure, mask: &Mask) -> Failure {
    Failure {
        code: mask.text(failure.code.to_string()).into(),
        message: mask.text(failure.message),
        ..failure
    }
}

fn difference(difference: Difference, mask: &Mask) -> Difference {
    let Difference { name, expected, found } = difference;
    Difference { name: mask.text(name), expected: mask.value(expected), found: mask.value(found) }
}

#[cfg(test)]
mod tests;
