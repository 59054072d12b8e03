//! The documents that a list reads: those in an index, if the filter asks for a value
//! of an indexed attribute, or all.

use engine::documents::{Document, Error, number};
use engine::keys;
use engine::store::{Fact, Store};
use std::collections::BTreeSet;
use tmf::index;
use tmf::resource::Resource;

use super::filter::{Filter, Wanted};
use crate::access::Scope;
use crate::documents::{Facts, Ids, Session};

/// Documents that may be on a list, in the order of their ids: those that the client may read.
pub(crate) struct Candidates {
    resource: &'static Resource,
    scope: Scope,
    source: Source,
    /// How many of them match.
    pub(crate) total: Total,
    /// Whether each of them matches.
    pub(crate) are_wanted: bool,
}

/// The number of matching documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Total {
    Known(usize),
    /// They have to be counted.
    Counted,
}

enum Source {
    All(Facts),
    /// Documents with one of some values of an attribute: an iterator for each value, and its
    /// next id.
    Index(Vec<(Ids, Option<String>)>),
}

impl Candidates {
    /// The documents that may match a filter, of those that a scope covers. The
    /// counts that are kept include hidden ones, and are not used then.
    pub(crate) fn of(
        session: &Session,
        (resource, scope): (&'static Resource, &Scope),
        filter: &Filter,
    ) -> Result<Self, Error> {
        let scope = scope.clone();
        let store = session.store();
        let state = resource.lifecycle.map(|lifecycle| lifecycle.attribute);
        let mut usable: Vec<Wanted<'_>> =
            filter.wanted().filter(|wanted| resource.indexes().any(|p| p == wanted.path)).collect();
        // The state has many documents: any other attribute is preferred.
        usable.sort_by_key(|wanted| Some(wanted.path) == state);
        let Some(wanted) = usable.first() else {
            let source = Source::All(Facts::new(keys::documents(resource.key)));
            let are_wanted = filter.is_empty() && resource.only_type.is_none() && scope.is_all();
            let total = match are_wanted {
                true => Total::Known(count(store, &keys::total(resource.key))?),
                false => Total::Counted,
            };
            return Ok(Self { resource, scope, source, total, are_wanted });
        };
        let values: BTreeSet<&str> = wanted.values.iter().copied().collect();
        let is_whole = values.iter().all(|value| index::value(value) == **value);
        let are_wanted =
            is_whole && wanted.is_all && resource.only_type.is_none() && scope.is_all();
        let total = match are_wanted && Some(wanted.path) == state {
            true => Total::Known(values.iter().try_fold(0, |sum, value| {
                Ok::<_, Error>(sum + count(store, &keys::count(resource.key, wanted.path, value))?)
            })?),
            false => Total::Counted,
        };
        let ways = values.iter().map(|value| {
            let mut ids = Ids::new(resource.key, wanted.path, value);
            let next = ids.next(store)?;
            Ok::<_, Error>((ids, next))
        });
        let source = Source::Index(ways.collect::<Result<_, _>>()?);
        Ok(Self { resource, scope, source, total, are_wanted })
    }

    /// Begins after an id.
    pub(crate) fn begin_after(&mut self, session: &Session, id: &str) -> Result<(), Error> {
        match &mut self.source {
            Source::All(facts) => facts.begin_after(id),
            Source::Index(ways) => {
                for (ids, next) in ways {
                    ids.begin_after(id);
                    *next = ids.next(session.store())?;
                }
            }
        }
        Ok(())
    }

    /// The next document. Unreadable and hidden documents are skipped.
    pub(crate) fn next(&mut self, session: &Session) -> Result<Option<Document>, Error> {
        loop {
            let fact = match &mut self.source {
                Source::All(facts) => facts.next(session.store())?,
                Source::Index(_) => self.next_indexed(session)?,
            };
            let Some(fact) = fact else { return Ok(None) };
            let document = session.read_one(&fact);
            let document = document.filter(|document| self.scope.covers(&document.body));
            if document.is_some() {
                return Ok(document);
            }
        }
    }

    fn next_indexed(&mut self, session: &Session) -> Result<Option<Fact>, Error> {
        while let Some(id) = self.next_id(session)? {
            let key = keys::document(self.resource.key, &id);
            // A document may be removed between its index and itself.
            if let Some(bytes) = session.get(&key)? {
                return Ok(Some((key, bytes)));
            }
        }
        Ok(None)
    }

    /// Skips the next document; false at the end.
    pub(crate) fn skip(&mut self, session: &Session) -> Result<bool, Error> {
        match &mut self.source {
            Source::All(facts) => Ok(facts.next(session.store())?.is_some()),
            Source::Index(_) => Ok(self.next_id(session)?.is_some()),
        }
    }

    /// The smallest next id of all iterators, which advances those that have it.
    fn next_id(&mut self, session: &Session) -> Result<Option<String>, Error> {
        let Source::Index(ways) = &mut self.source else { return Ok(None) };
        let smallest = ways.iter().filter_map(|(_, next)| next.clone()).min();
        for (ids, next) in ways {
            if *next == smallest && smallest.is_some() {
                *next = ids.next(session.store())?;
            }
        }
        Ok(smallest)
    }
}

fn count(store: &dyn Store, key: &[u8]) -> Result<usize, Error> {
    let count = number(store.get(key)?.as_deref());
    Ok(usize::try_from(count).unwrap_or(usize::MAX))
}
