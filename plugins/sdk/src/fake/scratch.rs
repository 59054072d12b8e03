//! The scratch space of the host of a test. Writes are kept at once, whatever the call answers.

use super::with;
use crate::bindings::step::ferrule::plugin::scratch::{Entry, Expected, Listed};
use crate::{Failure, FailureClass};

/// Max bytes of a key.
const KEY_BYTES_MAX: usize = 128;

/// Max keys that are listed at once.
const LISTED_MAX: usize = 1_000;

pub(crate) fn get(key: &str) -> Result<Option<Entry>, Failure> {
    check_key(key)?;
    Ok(with(|host| {
        let (value, number) = host.scratch.get(key)?;
        Some(Entry { value: value.clone(), revision: number.to_string() })
    }))
}

pub(crate) fn put(key: &str, value: &[u8], expected: &Expected) -> Result<(), Failure> {
    write(key, Some(value), expected)
}

pub(crate) fn delete(key: &str, expected: &Expected) -> Result<(), Failure> {
    write(key, None, expected)
}

pub(crate) fn keys(prefix: &str, after: Option<&str>, limit: u32) -> Result<Vec<Listed>, Failure> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX).min(LISTED_MAX);
    Ok(with(|host| {
        let found = host.scratch.iter().filter(|(key, _)| {
            key.starts_with(prefix) && after.is_none_or(|after| key.as_str() > after)
        });
        let listed = found.map(|(key, (value, number))| Listed {
            key: key.clone(),
            bytes: u32::try_from(value.len()).unwrap_or(u32::MAX),
            revision: number.to_string(),
        });
        listed.take(limit).collect()
    }))
}

fn write(key: &str, value: Option<&[u8]>, expected: &Expected) -> Result<(), Failure> {
    check_key(key)?;
    with(|host| {
        let revision = host.scratch.get(key).map(|(_, number)| number.to_string());
        let is_expected = match expected {
            Expected::Any => true,
            Expected::Absent => revision.is_none(),
            Expected::Revision(expected) => revision.as_ref() == Some(expected),
        };
        if !is_expected {
            return Err(Failure {
                class: FailureClass::Retry,
                code: "SCRATCH_CONFLICT".into(),
                message: format!("the key `{key}` of the scratch space was written meanwhile"),
                retry_after_ms: None,
                attributes: Vec::new(),
            });
        }
        host.scratch_writes += 1;
        match value {
            Some(value) => {
                host.scratch.insert(key.to_owned(), (value.to_vec(), host.scratch_writes));
            }
            None => drop(host.scratch.remove(key)),
        }
        Ok(())
    })
}

fn check_key(key: &str) -> Result<(), Failure> {
    if !key.is_empty() && key.len() <= KEY_BYTES_MAX && !key.chars().any(char::is_control) {
        return Ok(());
    }
    let message = "a key of the scratch space has 1 to 128 bytes and no control character";
    Err(Failure::operator("SCRATCH_KEY", message))
}
