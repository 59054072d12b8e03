//! Why there is no answer: a code for the guest, and in the log what failed and the remedy.

use std::error::Error as StdError;
use std::io::{self, ErrorKind};
use std::sync::Arc;

use engine::causes::chain;
use hyper::Uri;
use rustls::{AlertDescription, CertificateError, InvalidMessage};
use tmf::time::Timestamp;
use wasmtime_wasi_http::Error;

use super::address::Prohibited;
use super::client::Client;
use super::connect::NotTried;
use crate::capability::caller::Caller;
use crate::denial::{Denial, Help};
use crate::grants::rule::Rule;
use crate::grants::{self, Target};
use crate::tls::Secured;

/// Logs why a request has no answer, and returns the code.
pub(super) fn explain(
    caller: &Caller,
    client: &Client,
    uri: &Uri,
    error: &hyper_util::client::legacy::Error,
) -> Error {
    let target = Aimed { caller, secured: client.tls().of(uri), uri };
    let (text, code) = target.explained(error);
    caller.note(&text);
    code
}

/// A request that has no answer.
struct Aimed<'a> {
    caller: &'a Caller,
    secured: Option<&'a Arc<Secured>>,
    uri: &'a Uri,
}

impl Aimed<'_> {
    fn explained(&self, error: &hyper_util::client::legacy::Error) -> (String, Error) {
        let uri = self.uri;
        let Some(cause) = io_error(error) else {
            let text = format!("{uri}: {}", chain(error));
            return (text, Error::ConnectionTerminated);
        };
        let inner = cause.get_ref();
        if let Some(Prohibited { address }) = inner.and_then(|inner| inner.downcast_ref()) {
            let more = Rule::of_address(uri, *address);
            let lines = self.caller.http_lines(&more);
            let call = format!("a request to {uri}");
            let why = format!("it leads to `{address}`, which is inside");
            let text = self.caller.denied(Denial::HttpAddress, &call, &why, Help::Lines(lines));
            return (text, Error::DestinationIpProhibited);
        }
        if let Some(error) = inner.and_then(|inner| inner.downcast_ref()) {
            return self.not_secured(error);
        }
        if let Some(not_tried) = inner.and_then(|inner| inner.downcast_ref()) {
            return (self.not_tried(not_tried), Error::TlsCertificateError);
        }
        (format!("{uri}: {cause}"), connection(cause))
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "rustls has 40 errors, and may have more")]
    fn not_secured(&self, error: &rustls::Error) -> (String, Error) {
        let uri = self.uri;
        match error {
            rustls::Error::InvalidCertificate(error) => {
                let text = format!("{uri}: {}", self.distrusted(error));
                (text, Error::TlsCertificateError)
            }
            rustls::Error::AlertReceived(alert) => (self.refused(*alert), received(*alert)),
            rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
                let text =
                    format!("{uri}: the answer is not TLS: see whether the port speaks http");
                (text, Error::TlsProtocolError)
            }
            rustls::Error::PeerIncompatible(_) => {
                let text = format!(
                    "{uri}: no common version or algorithm of TLS ({error}): the target must speak \
                     TLS 1.2 or 1.3"
                );
                (text, Error::TlsProtocolError)
            }
            error => (format!("{uri}: TLS failed: {error}"), Error::TlsProtocolError),
        }
    }

    /// Why the target's certificate is not accepted.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the rest has no remedy of its own")]
    fn distrusted(&self, error: &CertificateError) -> String {
        match error {
            // A CA may have the name of one that is trusted, and another key.
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                let trusted = match self.secured.and_then(|secured| secured.ca.as_ref()) {
                    Some(ca) => format!("by a CA of `{}`", ca.display()),
                    None => "by a CA that the system trusts".into(),
                };
                let lines = self.lines("ca = \"its-ca.pem\"");
                format!("its certificate is not signed {trusted}; to trust its CA, set\n{lines}")
            }
            CertificateError::ExpiredContext { not_after, .. } => {
                format!("its certificate expired on {}: have it renewed", day(not_after.as_secs()))
            }
            CertificateError::NotValidYetContext { not_before, .. } => {
                let day = day(not_before.as_secs());
                format!("its certificate is valid from {day}: see whether both clocks are right")
            }
            CertificateError::NotValidForNameContext { expected, presented } => {
                let presented = match presented.is_empty() {
                    true => "no name".into(),
                    false => presented.join(", "),
                };
                let lines = self.lines("server-name = \"its-name\"");
                format!(
                    "its certificate is not for `{}` but for {presented}; if that is the target, \
                     set\n{lines}",
                    expected.to_str()
                )
            }
            error => format!("its certificate is not accepted: {error}"),
        }
    }

    /// What the target refused.
    fn refused(&self, alert: AlertDescription) -> String {
        let uri = self.uri;
        let ours = self.secured.and_then(|secured| secured.certificate.as_ref());
        match (alert, ours) {
            (AlertDescription::ProtocolVersion, _) => format!(
                "{uri}: the target speaks no TLS 1.2 or 1.3, and nothing older is used: update it"
            ),
            (AlertDescription::NoApplicationProtocol, _) => format!(
                "{uri}: the target does not speak HTTP/2 by TLS: remove `http2 = \"always\"`"
            ),
            (
                AlertDescription::CertificateRequired
                | AlertDescription::HandshakeFailure
                | AlertDescription::BadCertificate
                | AlertDescription::AccessDenied,
                None,
            ) => {
                let lines = self.lines("certificate = \"ours.pem\"\nkey = \"ours.key\"");
                format!(
                    "{uri}: the target refused the connection ({alert:?}), as one does that asks for \
                     a certificate; to show one, set\n{lines}"
                )
            }
            (alert, Some((file, _))) => format!(
                "{uri}: the target refused the connection ({alert:?}): see that it trusts the CA of \
                 `{}`, and that the certificate is for clients",
                file.display()
            ),
            (alert, None) => format!("{uri}: the target refused the connection ({alert:?})"),
        }
    }

    fn not_tried(&self, why: &NotTried) -> String {
        let (uri, expired) = (self.uri, self.secured.and_then(|secured| secured.expired()));
        match (why, expired) {
            (NotTried::Expired, Some((file, end))) => format!(
                "{uri}: our certificate `{}` expired on {}: replace the file, which counts without a \
                 restart",
                file.display(),
                end.date()
            ),
            (NotTried::Expired | NotTried::NotSet | NotTried::NoName | NotTried::NoKey, _) => {
                format!("{uri}: {why}")
            }
        }
    }

    /// The lines of `ferrule.toml` that set something about the target.
    fn lines(&self, setting: &str) -> String {
        let target = Target::of(self.uri).unwrap_or(Target::Others);
        format!("{}\n{setting}", grants::target_table(&self.caller.plugin, &target))
    }
}

fn received(alert: AlertDescription) -> Error {
    let message = format!("{alert:?}");
    Error::TlsAlertReceived { alert_id: Some(alert.into()), alert_message: Some(message) }
}

fn day(seconds: u64) -> String {
    let ms = i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1_000);
    Timestamp(ms).date()
}

fn io_error<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a io::Error> {
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(error) = cause.downcast_ref() {
            return Some(error);
        }
        source = cause.source();
    }
    None
}

fn connection(error: &io::Error) -> Error {
    if error.to_string().contains("lookup address") {
        return Error::DnsError { rcode: None, info_code: None };
    }
    let kind = error.kind();
    if kind == ErrorKind::ConnectionRefused {
        Error::ConnectionRefused
    } else if kind == ErrorKind::TimedOut {
        Error::ConnectionTimeout
    } else if matches!(kind, ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable) {
        Error::DestinationIpUnroutable
    } else {
        Error::ConnectionTerminated
    }
}
