//! Finds what a component needs of WASI 0.3, which this host does not run: imports of that version, and
//! functions that are async.

use wasmparser::{CanonicalFunction, CanonicalOption, Parser, Payload};

use crate::error::InstallError;

/// The version of WASI that is served.
const SERVED: (u64, u64) = (0, 2);

/// Refuses a component that needs a later WASI, by the first import or function that does.
pub(crate) fn check(bytes: &[u8], imports: &[String]) -> Result<(), InstallError> {
    if let Some(import) = imports.iter().find(|import| is_later(import)) {
        return Err(InstallError::LaterWasi { needs: format!("`{import}`") });
    }
    match has_async(bytes).map_err(InstallError::Malformed)? {
        true => Err(InstallError::LaterWasi { needs: "functions that are async".into() }),
        false => Ok(()),
    }
}

/// Whether an import, such as `wasi:http/client@0.3.0`, is of a later version.
fn is_later(import: &str) -> bool {
    let version = import.strip_prefix("wasi:").and_then(|name| name.split_once('@'));
    let mut numbers = version.into_iter().flat_map(|(_, version)| version.split('.'));
    let mut next = || numbers.next().and_then(|number| number.parse().ok());
    next().zip(next()).is_some_and(|found: (u64, u64)| found > SERVED)
}

fn has_async(bytes: &[u8]) -> Result<bool, wasmparser::BinaryReaderError> {
    for payload in Parser::new(0).parse_all(bytes) {
        let Payload::ComponentCanonicalSection(section) = payload? else { continue };
        for function in section {
            let (CanonicalFunction::Lift { options, .. }
            | CanonicalFunction::Lower { options, .. }) = function?
            else {
                continue;
            };
            if options.contains(&CanonicalOption::Async) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests;
