//! Imports: `PUT imports/{id}?resource=product` with a document on each line (NDJSON). The
//! progress of an import can be read at any time, and the same request continues it.

use std::sync::Arc;

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::IntoResponse as _;
use engine::documents::{Change, Document, Error, Expected, Put};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};

use crate::access::{Admitted, Identity};
use crate::bulk::import::{IMPORTS, Import, ImportError, importable};
use crate::bulk::lines::Lines;
use crate::bulk::progress::{Existing, State, Wrong};
use crate::http::body::BODY_WAIT;
use crate::http::call::Call;
use crate::http::page::Page;
use crate::http::problem::Answer;
use crate::http::problem::Problem;
use crate::http::problem::nothing_here;
use crate::http::serve::Closing;
use crate::http::{ServerState, answer};
use crate::search::Query;

/// Max length of an import's id: it becomes a key of the store.
const ID_BYTES_MAX: usize = 200;

/// The media types of imports.
const NDJSON: [&str; 3] = ["application/x-ndjson", "application/ndjson", "application/jsonl"];

/// Handles a request about imports.
pub(super) async fn dispatch(server: &ServerState, call: Call, path: &[&str]) -> Answer {
    match path {
        [] => list(server, &call).await,
        [id] => match call.method {
            Method::GET | Method::HEAD => get(server, &call, id).await,
            Method::PUT => put(server, call, id).await,
            Method::DELETE => forget(server, &call, id).await,
            _ => Err(Problem::method("DELETE, GET, HEAD, PUT")),
        },
        _ => Err(nothing_here()),
    }
}

/// The progress of all imports.
async fn list(server: &ServerState, call: &Call) -> Answer {
    let page = Page::parse(&call.query)?;
    let (from, until) = (page.offset, page.end());
    let admitted = call.admitted.clone();
    let read = server.documents.read(move |session| {
        let (mut rows, mut total) = (Vec::new(), 0);
        session.each_document(IMPORTS, |document| {
            if !is_shown(&admitted, &document) {
                return Ok::<_, Error>(());
            }
            if (from..until).contains(&total) {
                rows.push(document.body);
            }
            total += 1;
            Ok(())
        })?;
        Ok::<_, Error>((rows, total))
    });
    let (rows, total) = read.await?;
    let url = format!("{}{}/imports", call.base, super::BASE);
    let headers = page.headers(rows.len(), total, &call.query, &url);
    let mut response = answer::json(StatusCode::OK, &Value::Array(rows));
    response.headers_mut().extend(headers);
    Ok(response)
}

/// The progress of an import.
async fn get(server: &ServerState, call: &Call, id: &str) -> Answer {
    let found = find(server, call, id).await?;
    Ok(answer::json(StatusCode::OK, &found.body))
}

/// Removes the progress of an import; its documents stay.
async fn forget(server: &ServerState, call: &Call, id: &str) -> Answer {
    let found = find(server, call, id).await?;
    let put = Put::new(IMPORTS, id, Change::Forget, Expected::Revision(found.revision));
    match server.documents.write(vec![put]).await {
        Ok(()) => Ok(StatusCode::NO_CONTENT.into_response()),
        Err(Error::Conflict { .. }) => Err(ImportError::UnderWay(id.to_string()).into()),
        Err(error) => Err(error.into()),
    }
}

async fn find(server: &ServerState, call: &Call, id: &str) -> Result<Document, Problem> {
    let found = server.documents.document(IMPORTS, id).await?;
    found.filter(|found| is_shown(&call.admitted, found)).ok_or_else(|| missing(id))
}

/// Whether a client may see an import: its own, or any of what it may read as a whole. The wrong lines
/// are of its documents.
fn is_shown(admitted: &Admitted, import: &Document) -> bool {
    let text = |name: &str| import.body.get(name).and_then(Value::as_str);
    let own = admitted.identity.as_deref().and_then(Identity::namespace);
    let is_own = own.is_some() && own.as_deref() == text("owner");
    let sees_all = || admitted.reader.sees_all(&[text("resource").unwrap_or_default()]);
    admitted.shows(is_own || sees_all())
}

/// Imports lines, from the first that is not done.
async fn put(server: &ServerState, mut call: Call, id: &str) -> Answer {
    is_ndjson(&call.headers)?;
    if id.len() > ID_BYTES_MAX || id.chars().any(char::is_control) {
        let message = format!("an import's name has at most {ID_BYTES_MAX} bytes, no control");
        return Err(Problem::bad(message).about("id"));
    }
    let asked = Asked::read(&call.query)?;
    let resource = importable(&asked.resource)?;
    let importer = server.importer();
    let before = server.documents.document(IMPORTS, id).await?;
    if before.is_some_and(|before| !is_shown(&call.admitted, &before)) {
        return Err(Problem::conflict("an import has this name: choose another").about("id"));
    }
    if let Some((done, _)) = importer.progress(id).await?
        && asked.from > done.lines
    {
        let message = format!("{} lines are dealt with: send the rest from there", done.lines);
        return Err(Problem::conflict(message).about("from"));
    }
    let import = Import::open(&importer, id, resource, (asked.existing, asked.wrong)).await?;
    let mut import = import.under(Arc::clone(&call.base)).by(&call.admitted);
    if import.progress().state == State::Completed {
        return Ok(answer::json(StatusCode::OK, &json!(import.progress())));
    }
    let mut lines = Lines::after(asked.from, server.limits.body_bytes_max);
    let mut body = call.take_body();
    loop {
        let piece = match next_piece(&mut body, &mut call.closing).await {
            Ok(Some(piece)) => piece,
            Ok(None) => break,
            Err(problem) => {
                import.flush().await?;
                return Err(problem);
            }
        };
        match lines.push(&piece) {
            Ok(whole) => import.add(whole).await?,
            Err(long) => {
                import.stop_at(&long).await?;
            }
        }
    }
    import.add(lines.finish().into_iter().collect()).await?;
    Ok(answer::json(StatusCode::OK, &json!(import.finish().await?)))
}

/// The options of an import.
struct Asked {
    resource: String,
    existing: Existing,
    wrong: Wrong,
    /// Number of lines left out of the body.
    from: u64,
}

impl Asked {
    fn read(query: &Query) -> Result<Self, Problem> {
        let said = |name, default| query.get(name).unwrap_or(default);
        let resource = query.get("resource").map(str::to_string);
        let resource = resource
            .ok_or_else(|| Problem::bad("is mandatory: of what comes in?").about("resource"))?;
        let existing = Existing::parse(said("existing", "refuse"))
            .ok_or_else(|| Problem::bad("is `refuse`, `keep` or `replace`").about("existing"))?;
        let wrong = Wrong::parse(said("wrong", "stop"))
            .ok_or_else(|| Problem::bad("is `stop` or `skip`").about("wrong"))?;
        let from = query.number("from")?.unwrap_or_default() as u64;
        Ok(Self { resource, existing, wrong, from })
    }
}

/// The next piece of a body; `None` at its end.
async fn next_piece(
    body: &mut Body,
    closing: &mut Closing,
) -> Result<Option<axum::body::Bytes>, Problem> {
    loop {
        let frame = tokio::select! {
            frame = tokio::time::timeout(BODY_WAIT, body.frame()) => frame,
            () = closing.closed() => {
                return Err(Problem::unavailable("the server stops: go on when it is back"));
            }
        };
        match frame {
            Ok(None) => return Ok(None),
            Ok(Some(Ok(frame))) => {
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
            Ok(Some(Err(_))) => return Err(Problem::bad("the body ended early")),
            Err(_) => return Err(Problem::late("nothing more arrived in time")),
        }
    }
}

fn is_ndjson(headers: &HeaderMap) -> Result<(), Problem> {
    let given = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let given = given.split(';').next().unwrap_or_default().trim();
    match NDJSON.iter().any(|known| given.eq_ignore_ascii_case(known)) {
        true => Ok(()),
        false => {
            Err(Problem::media_type("send a document on each line, as `application/x-ndjson`"))
        }
    }
}

fn missing(id: &str) -> Problem {
    Problem::not_found(format!("there is no import `{id}`")).about("id")
}

impl From<ImportError> for Problem {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::Unknown(_) => Self::bad(error.to_string()).about("resource"),
            ImportError::NotMade(_) => Self::unprocessable(error.to_string()).about("resource"),
            ImportError::OfAnother { .. } | ImportError::UnderWay(_) => {
                Self::conflict(error.to_string()).about("id")
            }
            ImportError::Stopped(ref wrong) => {
                let about = format!("line {}: {}", wrong.line, wrong.path);
                Self::unprocessable(error.to_string()).about(about)
            }
            ImportError::Store(error) => error.into(),
            ImportError::Ended(_) => Self::ours(&error),
        }
    }
}
