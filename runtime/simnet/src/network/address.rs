//! Where callbacks may go.

use axum::http::Uri;

use crate::refusal::Refusal;

/// Refuses an address that is not plain HTTP on this machine.
pub(super) fn check(url: &str) -> Result<(), Refusal> {
    let wrong = || {
        Refusal::malformed(format!("`X-Callback-Url` is not http on a loopback address: `{url}`"))
    };
    let uri: Uri = url.parse().map_err(|_| wrong())?;
    let host = uri.host().ok_or_else(wrong)?;
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let address = bare.parse::<std::net::IpAddr>();
    let here = bare == "localhost" || address.is_ok_and(|address| address.is_loopback());
    if uri.scheme_str() != Some("http") || !here {
        return Err(wrong());
    }
    Ok(())
}
