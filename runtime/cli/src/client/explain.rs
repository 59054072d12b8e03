//! What a failed connection or a refusal means, and what to do about it.

use std::error::Error;
use std::io;

use hyper::StatusCode;
use rustls::{AlertDescription, CertificateError, Error as TlsError};

/// What to do about a failed request.
pub(super) fn failure(error: &(dyn Error + 'static), uri: &str) -> String {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(explained) = tls_error(error).and_then(|error| tls(error, uri)) {
            return explained;
        }
        cause = error.source();
    }
    format!("no answer from {uri}: is the server running there?")
}

/// What to do about an answer that refuses.
pub(super) fn refusal(status: StatusCode) -> Option<&'static str> {
    match status {
        StatusCode::UNAUTHORIZED => Some(
            "give a token by FERRULE_TOKEN or `--token-file`, or a client certificate by `--cert` and `--cert-key`; one that \
             was given has expired, was revoked, or is of another server",
        ),
        StatusCode::FORBIDDEN => {
            Some("the identity is known, and has no role that allows it: ask an administrator")
        }
        _ => None,
    }
}

/// The error of TLS in one of input and output, which does not name it as its source.
fn tls_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a TlsError> {
    let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    match inner {
        Some(inner) => inner.downcast_ref::<TlsError>(),
        None => error.downcast_ref::<TlsError>(),
    }
}

fn tls(error: &TlsError, uri: &str) -> Option<String> {
    if let TlsError::InvalidCertificate(error) = error {
        return Some(certificate(error, uri));
    }
    if let TlsError::AlertReceived(alert) = error {
        return client_certificate(*alert, uri);
    }
    let is_plain = matches!(error, TlsError::InvalidMessage(_));
    is_plain.then(|| format!("{uri} does not speak TLS: use `http://` if that is meant"))
}

/// Why the certificate of the server was refused.
fn certificate(error: &CertificateError, uri: &str) -> String {
    use CertificateError as E;
    if matches!(error, E::UnknownIssuer) {
        format!(
            "unknown CA: no CA that is trusted here issued the certificate of {uri}: give the file of its CA by `--ca` \
             or FERRULE_CA"
        )
    } else if matches!(error, E::NotValidForName | E::NotValidForNameContext { .. }) {
        format!(
            "wrong host: the certificate of {uri} is of another name: use that name, or have the certificate issued for \
             this one"
        )
    } else if matches!(error, E::Expired | E::ExpiredContext { .. }) {
        format!("expired: the certificate of {uri} has to be renewed on the server")
    } else if matches!(error, E::NotValidYet | E::NotValidYetContext { .. }) {
        format!(
            "not valid yet: the certificate of {uri} begins later: set the clock of this machine, or wait"
        )
    } else {
        format!("the certificate of {uri} cannot be used: {error}")
    }
}

/// Why the server refused the certificate of this side.
fn client_certificate(alert: AlertDescription, uri: &str) -> Option<String> {
    if alert == AlertDescription::CertificateRequired {
        return Some(format!(
            "{uri} asks for a client certificate: give it by `--cert` and `--cert-key`"
        ));
    }
    is_of_certificate(alert).then(|| {
        format!(
            "{uri} refuses the client certificate ({alert:?}): use one that is valid, of a CA that the server trusts"
        )
    })
}

fn is_of_certificate(alert: AlertDescription) -> bool {
    [
        AlertDescription::BadCertificate,
        AlertDescription::UnsupportedCertificate,
        AlertDescription::CertificateRevoked,
        AlertDescription::CertificateExpired,
        AlertDescription::CertificateUnknown,
        AlertDescription::UnknownCA,
        AlertDescription::DecryptError,
    ]
    .contains(&alert)
}
