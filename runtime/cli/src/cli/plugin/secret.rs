//! The secrets of one call, from the command line.

use std::collections::BTreeMap;

use anyhow::Result;
use host::Grants;
use host::grants::SecretGrant;
use host::secret::Secret;

use crate::cli::Usage;

/// A secret as it is given: `NAME=VALUE` or `NAME=@FILE`.
pub(super) fn read(given: &str) -> Result<(String, Secret)> {
    let Some((name, value)) = given.split_once('=') else {
        return Err(Usage("--secret is no `NAME=VALUE` or `NAME=@FILE`".into()).into());
    };
    let bytes = match value.strip_prefix('@') {
        Some(file) => std::fs::read(file)
            .map_err(|error| Usage(format!("--secret {name}: cannot read `{file}`: {error}")))?,
        None => value.as_bytes().to_vec(),
    };
    let secret = Secret::new(bytes);
    let secret =
        secret.map_err(|error| Usage(format!("--secret {name} cannot be used: {error}")))?;
    Ok((name.into(), secret))
}

/// Grants a plugin the secrets that are given, in place of those of the settings.
pub(super) fn grant(
    grants: &mut Grants,
    values: &mut BTreeMap<String, Secret>,
    given: Vec<(String, Secret)>,
) {
    for (name, value) in given {
        let secret = format!("--secret {name}");
        let before = grants.secrets.remove(&name).map(|before| before.to);
        let to = before.unwrap_or_else(|| grants.http.clone());
        grants.secrets.insert(name, SecretGrant { secret: secret.to_owned(), to });
        values.insert(secret, value);
    }
}
