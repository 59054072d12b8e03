//! The faults that a case is played with.

use serde::{Deserialize, Serialize};

/// How a call is disturbed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::cli::plugin) enum Fault {
    /// The connection is refused.
    Refused,
    /// The answer comes late, but in time.
    Slow,
    /// No answer, and no effect.
    TimeoutBefore,
    /// No answer, although the effect is there.
    TimeoutAfter,
    /// The connection is cut before the answer, although the effect is there.
    LostAnswer,
    /// The element gets the request twice.
    Duplicate,
    /// The answer is a page of HTML, although the effect is there.
    Garbage,
    /// The body of the answer breaks off in the middle.
    Truncated,
    /// The body is JSON that is cut off, with a length that fits.
    CutJson,
    /// The answer has another media type.
    WrongType,
    /// The answer has 8 MiB.
    Huge,
    /// The answer is an empty JSON object.
    EmptyAnswer,
    /// Status 429 with `Retry-After: 2`.
    TooMany,
    /// Status 503 with `Retry-After: 2`.
    Unavailable,
    /// Status 500.
    ServerError,
    /// Status 401.
    Unauthorized,
    /// Status 403.
    Forbidden,
    /// Status 409.
    Conflict,
    /// Status 400.
    BadRequest,
}

/// When the effect of a request happens that is disturbed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    None,
    Once,
    Twice,
}

/// Who is right to act on a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Right {
    /// The call succeeds all the same.
    Success,
    /// It fails with class retry.
    Retry,
    /// It fails with class retry, not sooner than `Retry-After`.
    RetryAfter,
    /// It fails with class retry or operator.
    RetryOrOperator,
    /// It fails with class operator.
    Operator,
    /// It fails with class operator or reject.
    Refusal,
    /// It succeeds as if nothing had happened, or fails with class retry or operator.
    SuccessOrFailure,
}

/// The milliseconds of `Retry-After` in the answers of faults.
pub(super) const RETRY_AFTER_MS: u64 = 2_000;

impl Fault {
    /// Every fault of a request, in the order of the report.
    pub(super) const ALL: [Self; 19] = [
        Self::Refused,
        Self::Slow,
        Self::TimeoutBefore,
        Self::TimeoutAfter,
        Self::LostAnswer,
        Self::Duplicate,
        Self::Garbage,
        Self::Truncated,
        Self::CutJson,
        Self::WrongType,
        Self::Huge,
        Self::EmptyAnswer,
        Self::TooMany,
        Self::Unavailable,
        Self::ServerError,
        Self::Unauthorized,
        Self::Forbidden,
        Self::Conflict,
        Self::BadRequest,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Slow => "slow",
            Self::TimeoutBefore => "timeout-before",
            Self::TimeoutAfter => "timeout-after",
            Self::LostAnswer => "lost-answer",
            Self::Duplicate => "duplicate",
            Self::Garbage => "garbage",
            Self::Truncated => "truncated",
            Self::CutJson => "cut-json",
            Self::WrongType => "wrong-type",
            Self::Huge => "huge",
            Self::EmptyAnswer => "empty-answer",
            Self::TooMany => "too-many",
            Self::Unavailable => "unavailable",
            Self::ServerError => "server-error",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::Conflict => "conflict",
            Self::BadRequest => "bad-request",
        }
    }

    /// The behaviour of the element.
    pub(super) fn about(self) -> &'static str {
        match self {
            Self::Refused => "the connection is refused",
            Self::Slow => "the answer takes 300 ms",
            Self::TimeoutBefore => "no answer, and no effect",
            Self::TimeoutAfter => "no answer, although the effect is there",
            Self::LostAnswer => "the connection is cut, although the effect is there",
            Self::Duplicate => "the element gets the request twice",
            Self::Garbage => "the answer is a page of HTML",
            Self::Truncated => "the body of the answer breaks off",
            Self::CutJson => "the body of the answer is half a JSON document",
            Self::WrongType => "the answer is sent as `text/plain`",
            Self::Huge => "the answer has 8 MiB",
            Self::EmptyAnswer => "the answer is `{}`",
            Self::TooMany => "status 429 with `Retry-After: 2`",
            Self::Unavailable => "status 503 with `Retry-After: 2`",
            Self::ServerError => "status 500",
            Self::Unauthorized => "status 401",
            Self::Forbidden => "status 403",
            Self::Conflict => "status 409",
            Self::BadRequest => "status 400",
        }
    }

    pub(super) fn effect(self) -> Effect {
        match self {
            Self::Duplicate => Effect::Twice,
            Self::Slow
            | Self::TimeoutAfter
            | Self::LostAnswer
            | Self::Garbage
            | Self::Truncated
            | Self::CutJson
            | Self::WrongType
            | Self::Huge
            | Self::EmptyAnswer => Effect::Once,
            Self::Refused
            | Self::TimeoutBefore
            | Self::TooMany
            | Self::Unavailable
            | Self::ServerError
            | Self::Unauthorized
            | Self::Forbidden
            | Self::Conflict
            | Self::BadRequest => Effect::None,
        }
    }

    pub(super) fn right(self) -> Right {
        match self {
            Self::Slow | Self::Duplicate => Right::Success,
            Self::Refused | Self::TimeoutBefore | Self::TimeoutAfter | Self::LostAnswer => {
                Right::Retry
            }
            Self::TooMany | Self::Unavailable => Right::RetryAfter,
            Self::ServerError => Right::RetryOrOperator,
            Self::Unauthorized | Self::Forbidden => Right::Operator,
            Self::Conflict | Self::BadRequest => Right::Refusal,
            Self::Garbage
            | Self::Truncated
            | Self::CutJson
            | Self::WrongType
            | Self::Huge
            | Self::EmptyAnswer => Right::SuccessOrFailure,
        }
    }

    /// The status of the answer that takes the place of the element's own.
    pub(super) fn status(self) -> Option<u16> {
        match self {
            Self::TooMany => Some(429),
            Self::Unavailable => Some(503),
            Self::ServerError => Some(500),
            Self::Unauthorized => Some(401),
            Self::Forbidden => Some(403),
            Self::Conflict => Some(409),
            Self::BadRequest => Some(400),
            Self::Refused
            | Self::Slow
            | Self::TimeoutBefore
            | Self::TimeoutAfter
            | Self::LostAnswer
            | Self::Duplicate
            | Self::Garbage
            | Self::Truncated
            | Self::CutJson
            | Self::WrongType
            | Self::Huge
            | Self::EmptyAnswer => None,
        }
    }

    /// Whether the call waits until its time is up, so that its cell takes long.
    pub(super) fn times_out(self) -> bool {
        matches!(self, Self::TimeoutBefore | Self::TimeoutAfter)
    }

    /// Whether a request that reads is disturbed by it too.
    pub(super) fn disturbs_reads(self) -> bool {
        match self {
            Self::Refused
            | Self::LostAnswer
            | Self::Garbage
            | Self::Truncated
            | Self::CutJson
            | Self::Huge
            | Self::EmptyAnswer
            | Self::TooMany
            | Self::Unavailable
            | Self::ServerError
            | Self::Unauthorized
            | Self::Forbidden => true,
            Self::Slow
            | Self::TimeoutBefore
            | Self::TimeoutAfter
            | Self::Duplicate
            | Self::WrongType
            | Self::Conflict
            | Self::BadRequest => false,
        }
    }
}
