//! Puts the values of secrets into a request, if they may go where it goes.

use std::sync::Arc;

use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Uri};
use wasmtime_wasi_http::{Error, WasiBody};
use zeroize::Zeroizing;

use super::{Issued, Secrets};
use crate::capability::base64;
use crate::denial::{Denial, Help};
use crate::grants::Target;
use crate::limits::HOSTCALL_BYTES_MAX;
use crate::secret::Secret;

/// Max bytes of a body that may have placeholders.
const BODY_BYTES_MAX: usize = HOSTCALL_BYTES_MAX;

/// What a value must be escaped for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Json,
    Xml,
    /// The form of a web page.
    Web,
    /// Text with lengths in it, which would not fit any more.
    Counted,
    Plain,
}

/// A placeholder that was issued, with the secret that it stands for.
struct Place {
    name: String,
    placeholder: String,
    value: Arc<Secret>,
}

impl Secrets {
    /// Puts the values in. A request of a call that has asked for no secret passes as it is; the body of any
    /// other is taken as a whole, so that its length is known.
    pub(crate) async fn fill(
        &self,
        request: Request<WasiBody>,
    ) -> Result<Request<WasiBody>, Error> {
        let places = self.places();
        if places.is_empty() {
            return Ok(request);
        }
        let (mut head, body) = request.into_parts();
        let body = collect(body).await?;
        let route = Route { method: &head.method, uri: &head.uri };
        self.check_address(&places, &route)?;
        self.fill_headers(&places, &route, &mut head.headers)?;
        let form = Form::of(head.headers.get(header::CONTENT_TYPE));
        let (body, filled) = self.fill_body(&places, &route, body, form)?;
        if filled {
            let bytes = HeaderValue::from(body.len());
            head.headers.insert(header::CONTENT_LENGTH, bytes);
        }
        let body = Full::new(Bytes::from(body)).map_err(|never| match never {});
        Ok(Request::from_parts(head, body.boxed_unsync()))
    }

    fn places(&self) -> Vec<Place> {
        let issued = self.lock();
        let place = |(name, Issued { placeholder, value }): (&String, &Issued)| Place {
            name: name.to_owned(),
            placeholder: placeholder.to_owned(),
            value: Arc::clone(value),
        };
        issued.iter().map(place).collect()
    }

    /// An address is written to the logs of all that it passes.
    fn check_address(&self, places: &[Place], route: &Route<'_>) -> Result<(), Error> {
        let text = route.uri.to_string();
        match places.iter().find(|place| text.contains(&place.placeholder)) {
            None => Ok(()),
            Some(place) => {
                let help = "put it into a header or the body";
                let why = "an address may not have it, since elements log that";
                Err(self.refuse(Denial::SecretInUrl, place, route, (why, help.into())))
            }
        }
    }

    fn fill_headers(
        &self,
        places: &[Place],
        route: &Route<'_>,
        headers: &mut HeaderMap,
    ) -> Result<(), Error> {
        for (name, header) in headers.iter_mut() {
            if let Some(place) = places.iter().find(|one| name.as_str().contains(&one.placeholder))
            {
                let told = ("the name of a header may not have it", "put it into the value".into());
                return Err(self.refuse(Denial::SecretInName, place, route, told));
            }
            if let Some(filled) = self.fill_header(places, route, name, header)? {
                *header = filled;
            }
        }
        Ok(())
    }

    fn fill_header(
        &self,
        places: &[Place],
        route: &Route<'_>,
        name: &HeaderName,
        header: &HeaderValue,
    ) -> Result<Option<HeaderValue>, Error> {
        let basic = basic(name, header);
        let clear = basic.as_deref().unwrap_or(header.as_bytes());
        let Some((filled, place)) = self.fill_text(places, route, clear, Form::Plain)? else {
            return Ok(None);
        };
        let text = match basic {
            Some(_) => Zeroizing::new(format!("Basic {}", base64::encode(&filled)).into_bytes()),
            None => filled,
        };
        let Ok(mut value) = HeaderValue::from_bytes(&text) else {
            let told = (
                "it has a character that no header may have",
                "send it in the body, or change it".into(),
            );
            return Err(self.refuse(Denial::SecretInHeader, place, route, told));
        };
        value.set_sensitive(true);
        Ok(Some(value))
    }

    fn fill_body(
        &self,
        places: &[Place],
        route: &Route<'_>,
        body: Vec<u8>,
        form: Form,
    ) -> Result<(Vec<u8>, bool), Error> {
        Ok(match self.fill_text(places, route, &body, form)? {
            Some((filled, _)) => (filled.to_vec(), true),
            None => (body, false),
        })
    }

    /// A text with values in place of the placeholders that it has, and the last of them; `None` if it has
    /// none.
    fn fill_text<'a>(
        &self,
        places: &'a [Place],
        route: &Route<'_>,
        text: &[u8],
        form: Form,
    ) -> Result<Option<Filled<'a>>, Error> {
        let mut filled: Option<Filled<'_>> = None;
        for place in places {
            let before = filled.as_ref().map_or(text, |(text, _)| text);
            if find(before, place.placeholder.as_bytes()).is_none() {
                continue;
            }
            self.check(place, route)?;
            if form == Form::Counted {
                let told =
                    ("a body of gRPC or protobuf may not have it", "put it into a header".into());
                return Err(self.refuse(Denial::SecretInCounted, place, route, told));
            }
            let value = form.escape(place.value.expose());
            filled = Some((replace(before, place.placeholder.as_bytes(), value.as_bytes()), place));
        }
        Ok(filled)
    }

    /// Checks that a secret may go where a request goes.
    fn check(&self, place: &Place, route: &Route<'_>) -> Result<(), Error> {
        let grant = self.caller.grants.secrets.get(&place.name);
        if grant.is_some_and(|grant| grant.allows(route.method, route.uri)) {
            return Ok(());
        }
        let plugin = &self.caller.plugin;
        let lines = grant.map(|grant| grant.more(plugin, &place.name, route.method, route.uri));
        let lines = Help::Lines(lines.unwrap_or_default());
        Err(self.refuse(Denial::SecretPlace, place, route, ("it may not go there", lines)))
    }

    /// Denies a request with a secret.
    fn refuse(
        &self,
        denial: Denial,
        place: &Place,
        route: &Route<'_>,
        (why, help): (&str, Help),
    ) -> Error {
        let target = Target::of(route.uri).unwrap_or(Target::Others);
        let scheme = route.uri.scheme_str().unwrap_or("http");
        let call = format!("secret `{}` in {} to {scheme}://{target}", place.name, route.method);
        self.caller.deny(denial, &call, why, help);
        Error::HttpRequestDenied
    }
}

/// A text with values in place of placeholders, and the last secret that it has.
type Filled<'a> = (Zeroizing<Vec<u8>>, &'a Place);

/// Where a request goes.
struct Route<'a> {
    method: &'a Method,
    uri: &'a Uri,
}

/// The body of a request as a whole.
async fn collect(mut body: WasiBody) -> Result<Vec<u8>, Error> {
    let mut whole = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        if whole.len() + data.len() > BODY_BYTES_MAX {
            return Err(Error::HttpRequestBodySize(Some(BODY_BYTES_MAX as u64)));
        }
        whole.extend_from_slice(&data);
    }
    Ok(whole)
}

/// The user and the password of a header, which base64 hides.
fn basic(name: &HeaderName, value: &HeaderValue) -> Option<Vec<u8>> {
    if ![header::AUTHORIZATION, header::PROXY_AUTHORIZATION].contains(name) {
        return None;
    }
    let (scheme, rest) = value.as_bytes().split_at_checked(6)?;
    if !scheme.eq_ignore_ascii_case(b"basic ") {
        return None;
    }
    base64::decode(rest)
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

fn replace(text: &[u8], wanted: &[u8], value: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut replaced = Zeroizing::new(Vec::with_capacity(text.len() + value.len()));
    let mut rest = text;
    while let Some(at) = find(rest, wanted) {
        replaced.extend_from_slice(&rest[..at]);
        replaced.extend_from_slice(value);
        rest = &rest[at + wanted.len()..];
    }
    replaced.extend_from_slice(rest);
    replaced
}

impl Form {
    /// The form of a body of this type.
    fn of(content_type: Option<&HeaderValue>) -> Self {
        let text = content_type.and_then(|value| value.to_str().ok()).unwrap_or_default();
        let media = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let is = |kind: &str| {
            let (_, sub) = media.split_once('/').unwrap_or_default();
            sub == kind || sub.ends_with(&format!("+{kind}"))
        };
        if is("json") {
            Self::Json
        } else if is("xml") {
            Self::Xml
        } else if media == "application/x-www-form-urlencoded" {
            Self::Web
        } else if media.starts_with("application/grpc") || media.ends_with("protobuf") {
            Self::Counted
        } else {
            Self::Plain
        }
    }

    fn escape(self, value: &str) -> Zeroizing<String> {
        let mut escaped = Zeroizing::new(String::with_capacity(value.len() * 2));
        match self {
            Self::Counted | Self::Plain => escaped.push_str(value),
            Self::Json => value.chars().for_each(|c| match c {
                '"' | '\\' => escaped.extend(['\\', c]),
                c if c.is_control() => escaped.push_str(&format!("\\u{:04x}", u32::from(c))),
                c => escaped.push(c),
            }),
            Self::Xml => value.chars().for_each(|c| match c {
                '&' => escaped.push_str("&amp;"),
                '<' => escaped.push_str("&lt;"),
                '>' => escaped.push_str("&gt;"),
                '"' => escaped.push_str("&quot;"),
                '\'' => escaped.push_str("&apos;"),
                c => escaped.push(c),
            }),
            Self::Web => value.bytes().for_each(|byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => {
                    escaped.push(char::from(byte));
                }
                _ => escaped.push_str(&format!("%{byte:02X}")),
            }),
        }
        escaped
    }
}

#[cfg(test)]
mod tests;
