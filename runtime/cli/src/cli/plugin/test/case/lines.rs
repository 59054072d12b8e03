//! The lines of a file at which parts of a case stand.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_saphyr::Spanned;

/// The lines of the parts that messages name.
#[derive(Debug, Default)]
pub(in crate::cli::plugin) struct Lines {
    exchanges: Vec<u64>,
    pub(in crate::cli::plugin) expect: u64,
    pub(in crate::cli::plugin) replaces: u64,
    pub(in crate::cli::plugin) inventory: u64,
}

type Place = Option<Spanned<IgnoredAny>>;

/// A case as far as its lines matter.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Places {
    task: Task,
    inventory: Place,
    exchanges: Vec<Spanned<IgnoredAny>>,
    expect: Place,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Task {
    replaces: Place,
}

impl Lines {
    /// The lines in the text of a case that can be read.
    pub(super) fn of(text: &str) -> Self {
        let places: Places = serde_saphyr::from_str(text).unwrap_or_default();
        let line = |place: &Place| place.as_ref().map_or(1, |place| place.referenced.line());
        Self {
            exchanges: places.exchanges.iter().map(|one| one.referenced.line()).collect(),
            expect: line(&places.expect),
            replaces: line(&places.task.replaces),
            inventory: line(&places.inventory),
        }
    }

    /// The line of an exchange, by its place from 0.
    pub(in crate::cli::plugin) fn exchange(&self, at: usize) -> u64 {
        self.exchanges.get(at).copied().unwrap_or(1)
    }
}
