//! Documents that meet several conditions at once. The index entries of all conditions are read side by
//! side, and ids that only some of them have are skipped: the cost depends on the results and the rarest
//! condition, not on the most common one.

use std::collections::VecDeque;

use tmf::index;

use super::{Document, Error};
use crate::keys;
use crate::store::{Direction, Scan, Store};

/// Index entries that are read at once.
const PAGE: usize = 16;

/// Max reads of indexes for one search.
const READS_MAX: usize = 2_048;

/// One of some attributes has one of some values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// The dotted paths of attributes by which documents of the resource are found.
    pub paths: Vec<String>,
    /// The values.
    pub values: Vec<String>,
}

/// Why a search failed.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// It would read too many index entries.
    #[error("more than {READS_MAX} reads of indexes are needed: add a condition that fewer meet")]
    TooWide,
    /// The store cannot be read.
    #[error("the store cannot be read")]
    Store(#[source] Error),
}

/// The documents of a resource that meet all of some conditions, those with the latest ids first, at
/// most `limit`. Without any condition there are none.
pub fn search(
    store: &dyn Store,
    resource: &str,
    conditions: &[Condition],
    limit: usize,
) -> Result<Vec<Document>, SearchError> {
    let mut ways: Vec<Way> = conditions.iter().map(|one| Way::new(resource, one)).collect();
    let (mut found, mut reads) = (Vec::new(), 0);
    let mut bound = Bound::Open;
    while found.len() < limit {
        let Some(id) = next(store, &mut ways, &mut bound, &mut reads)? else { break };
        let key = keys::document(resource, &id);
        bound = Bound::Below(id);
        let Some(bytes) = store.get(&key).map_err(store_error)? else { continue };
        let document = Document::read_at(&key, &bytes).map_err(SearchError::Store)?;
        // An index has only the beginning of a long value, and the document may have changed since.
        let meets = |one: &Condition| {
            let mut paths = one.paths.iter();
            paths.any(|path| index::leads_to(&document.body, path, &one.values))
        };
        if conditions.iter().all(meets) {
            found.push(document);
        }
    }
    Ok(found)
}

fn store_error(error: crate::store::Error) -> SearchError {
    SearchError::Store(error.into())
}

/// The latest id within a bound that meets all conditions, by the indexes.
fn next(
    store: &dyn Store,
    ways: &mut [Way],
    bound: &mut Bound,
    reads: &mut usize,
) -> Result<Option<String>, SearchError> {
    loop {
        let mut lowest: Option<String> = None;
        let mut agree = true;
        for way in &mut *ways {
            let Some(id) = way.latest(store, bound, reads)? else { return Ok(None) };
            agree &= lowest.as_ref().is_none_or(|lowest| *lowest == id);
            if lowest.as_ref().is_none_or(|lowest| id < *lowest) {
                lowest = Some(id);
            }
        }
        match lowest {
            Some(id) if agree => return Ok(Some(id)),
            Some(id) => *bound = Bound::UpTo(id),
            None => return Ok(None),
        }
    }
}

/// The ids that are still of interest.
#[derive(Debug)]
enum Bound {
    /// All.
    Open,
    /// This one and those before it.
    UpTo(String),
    /// Those before this one.
    Below(String),
}

impl Bound {
    fn holds(&self, id: &str) -> bool {
        match self {
            Self::Open => true,
            Self::UpTo(bound) => id <= bound.as_str(),
            Self::Below(bound) => id < bound.as_str(),
        }
    }

    /// The key that a backward scan of the entries under a prefix begins after.
    fn after(&self, prefix: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Open => None,
            // The key after that of the id itself.
            Self::UpTo(bound) => Some([prefix, bound.as_bytes(), &[0]].concat()),
            Self::Below(bound) => Some([prefix, bound.as_bytes()].concat()),
        }
    }
}

/// The ids that a condition leads to, from the latest.
struct Way(Vec<Entries>);

impl Way {
    fn new(resource: &str, condition: &Condition) -> Self {
        let entries = condition.paths.iter().flat_map(|path| {
            condition.values.iter().map(move |value| Entries {
                scan: Scan {
                    direction: Direction::Backward,
                    ..Scan::prefix(keys::entries(resource, path, &index::value(value)), PAGE)
                },
                page: VecDeque::new(),
                is_over: false,
            })
        });
        Self(entries.collect())
    }

    fn latest(
        &mut self,
        store: &dyn Store,
        bound: &Bound,
        reads: &mut usize,
    ) -> Result<Option<String>, SearchError> {
        let mut latest: Option<String> = None;
        for entries in &mut self.0 {
            if let Some(id) = entries.latest(store, bound, reads)?
                && latest.as_deref().is_none_or(|latest| latest < id)
            {
                latest = Some(id.to_string());
            }
        }
        Ok(latest)
    }
}

/// The ids that have one value of one attribute, as far as they were read.
struct Entries {
    scan: Scan,
    page: VecDeque<String>,
    /// Whether there are none before those of the page.
    is_over: bool,
}

impl Entries {
    fn latest(
        &mut self,
        store: &dyn Store,
        bound: &Bound,
        reads: &mut usize,
    ) -> Result<Option<&str>, SearchError> {
        while self.page.front().is_some_and(|id| !bound.holds(id)) {
            self.page.pop_front();
        }
        if self.page.is_empty() && !self.is_over {
            *reads += 1;
            if *reads > READS_MAX {
                return Err(SearchError::TooWide);
            }
            self.scan.after = bound.after(&self.scan.prefix);
            let entries = store.scan(&self.scan).map_err(store_error)?;
            self.is_over = entries.len() < PAGE;
            let ids = entries.iter().filter_map(|(key, _)| key.get(self.scan.prefix.len()..));
            self.page = ids.map(|id| String::from_utf8_lossy(id).into_owned()).collect();
        }
        Ok(self.page.front().map(String::as_str))
    }
}

#[cfg(test)]
mod tests;
