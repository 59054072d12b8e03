//! Unknown attributes in queries. Documents may have them, since clients extend
//! them; an attribute that no document has is likely misspelt, and would match nothing.

use engine::documents::Error;

use super::candidates::Candidates;
use crate::app::App;
use crate::http::asked::Asked;
use crate::http::filter::Filter;
use crate::http::problem::Problem;
use crate::http::resources::Served;

/// Max documents read in one slice.
const SLICE: usize = 512;

/// Refuses the first attribute that no document of a resource has.
pub(in crate::http) async fn check(
    app: &App,
    served: Served,
    asked: Vec<Asked>,
) -> Result<(), Problem> {
    if asked.is_empty() {
        return Ok(());
    }
    let engine = app.engine.clone();
    let begin = move || Candidates::of(&engine, served.resource, &Filter::default());
    let candidates = app.read(begin).await.map_err(|error| Problem::ours(&error))??;
    let mut look = Look { served, asked, candidates };
    loop {
        let slice = app.read(move || look.slice().map(|is_done| (look, is_done))).await;
        let (rest, is_done) = slice.map_err(|error| Problem::ours(&error))??;
        look = rest;
        if is_done {
            return look.asked.first().map_or(Ok(()), |asked| Err(asked.refused()));
        }
    }
}

struct Look {
    served: Served,
    asked: Vec<Asked>,
    candidates: Candidates,
}

impl Look {
    /// Reads some documents; returns whether the search is done.
    fn slice(&mut self) -> Result<bool, Error> {
        for _ in 0..SLICE {
            let Some(document) = self.candidates.next()? else { return Ok(true) };
            let seen = self.served.shown(document.body);
            self.asked.retain(|asked| !asked.is_in(&seen));
            if self.asked.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
