//! Secrets of the operator. The plugin never has a value: it gets a placeholder, which it puts into a header or
//! the body of a request, and the host puts the value in on the way to a place that the secret was
//! granted for.
//!
//! ```no_run
//! # use ferrule_plugin::{Failure, http::Request, secrets};
//! # fn send(url: &str) -> Result<(), Failure> {
//! let token = secrets::require("nms-token")?;
//! let request = Request::get(url).header("authorization", &format!("Bearer {token}"));
//! # Ok(())
//! # }
//! ```

use crate::{Failure, host};

/// The placeholder of a secret; `None` if it was not granted or has no value, which the log explains.
pub fn get(name: &str) -> Option<String> {
    host::secret(name)
}

/// The placeholder of a mandatory secret. Fails with `SECRET_MISSING` (class operator).
pub fn require(name: &str) -> Result<String, Failure> {
    get(name).ok_or_else(|| {
        let message = format!(
            "secret `{name}` is missing; grant it under `[plugins.<id>.secrets]` in the operator's \
             ferrule.toml, the log has the lines"
        );
        Failure::operator("SECRET_MISSING", message)
    })
}

/// The header `Authorization` of a user and a password, which may be a placeholder: the host reads the
/// base64 of this header.
pub fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", base64(format!("{user}:{password}").as_bytes()))
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let whole = chunk.iter().fold(0_usize, |whole, &byte| whole << 8 | usize::from(byte));
        let whole = whole << (8 * (3 - chunk.len()));
        for place in 0..=chunk.len() {
            text.push(char::from(ALPHABET[whole >> (18 - 6 * place) & 63]));
        }
        text.push_str(&"=".repeat(3 - chunk.len()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::Host;

    #[test]
    fn a_secret_is_a_placeholder_and_a_missing_one_a_failure_for_the_operator() {
        let _host = Host::new().secret("nms").start();
        let placeholder = require("nms").unwrap();
        assert_eq!(placeholder, "secret-nms");
        assert_eq!(get("acs"), None);
        assert_eq!(require("acs").unwrap_err().code, "SECRET_MISSING");
    }

    #[test]
    fn a_user_and_a_password_are_a_header() {
        for (user, password, header) in [
            ("u", "pw", "Basic dTpwdw=="),
            ("admin", "hunter2-hunter2", "Basic YWRtaW46aHVudGVyMi1odW50ZXIy"),
        ] {
            assert_eq!(basic(user, password), header);
        }
    }
}
