//! Unknown attributes in queries. Documents may have them, since clients extend
//! them; an attribute that no document has is likely misspelt, and would match nothing.

use engine::documents::Error;
use tmf::version::View;

use crate::access::Scope;

use super::{Asked, Candidates, Filter, SearchError};
use crate::documents::{Documents, Session, Turn};

/// Max documents read in one slice.
const SLICE: usize = 512;

/// Refuses the first attribute that no document of a resource has, of those that a scope covers.
pub(crate) async fn check(
    documents: &Documents,
    (served, scope): (View, &Scope),
    asked: Vec<Asked>,
) -> Result<(), SearchError> {
    if asked.is_empty() {
        return Ok(());
    }
    let scope = scope.clone();
    let begin = move |session: &Session| {
        Candidates::of(session, (served.resource, &scope), &Filter::default())
    };
    let candidates = documents.slice(begin).await?;
    let mut look = Look { served, asked, candidates };
    loop {
        let slice = move |session: &Session| look.slice(session).map(|is_done| (look, is_done));
        let (rest, is_done) = documents.slice(slice).await?;
        look = rest;
        if is_done {
            return look.asked.first().map_or(Ok(()), |asked| Err(asked.refused()));
        }
    }
}

struct Look {
    served: View,
    asked: Vec<Asked>,
    candidates: Candidates,
}

impl Look {
    /// Reads some documents; returns whether the search is done.
    fn slice(&mut self, session: &Session) -> Result<bool, Error> {
        let mut turn = Turn::of(SLICE);
        while turn.goes_on() {
            let Some(document) = self.candidates.next(session)? else { return Ok(true) };
            let seen = self.served.shown(document.body);
            self.asked.retain(|asked| !asked.is_in(&seen));
            if self.asked.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
