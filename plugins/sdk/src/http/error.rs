//! Why there is no answer, sorted by what a plugin would do about it.

use std::fmt;

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The address cannot be used; nothing was sent.
    Url {
        /// The address.
        url: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The request cannot be sent as it is, such as for a header that only the host may set.
    Request {
        /// What is wrong with it.
        reason: String,
    },
    /// The operator did not grant this target; nothing was sent.
    Denied {
        /// Scheme, host and port, as the operator would grant them.
        target: String,
    },
    /// No connection: no such name, no route, connection refused. Nothing was sent.
    Unreachable {
        /// The error code of the host.
        cause: String,
    },
    /// No answer in time. The request may have been carried out.
    Timeout {
        /// The error code of the host.
        cause: String,
    },
    /// The connection broke or the answer is no HTTP. The request may have been carried out.
    Broken {
        /// The error code of the host.
        cause: String,
    },
    /// The answer is larger than was asked for.
    TooLarge {
        /// The limit.
        bytes_max: usize,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url { url, reason } => write!(formatter, "address `{url}` is unusable: {reason}"),
            Self::Request { reason } => write!(formatter, "the request cannot be sent: {reason}"),
            Self::Denied { target } => write!(
                formatter,
                "`{target}` is not granted; add `http = [\"{target}\"]` under `[plugins.<id>]` in \
                 the operator's ferrule.toml"
            ),
            Self::Unreachable { cause } => write!(formatter, "no connection: {cause}"),
            Self::Timeout { cause } => write!(formatter, "no answer in time: {cause}"),
            Self::Broken { cause } => write!(formatter, "the answer broke off: {cause}"),
            Self::TooLarge { bytes_max } => {
                write!(formatter, "the answer is larger than {bytes_max} bytes")
            }
        }
    }
}

impl std::error::Error for Error {}
