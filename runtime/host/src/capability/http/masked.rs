//! An answer without the secrets of the plugin: an element may repeat what it was sent, and the plugin
//! must not have it. An answer that is compressed cannot be masked, so it is not passed on.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http_body_util::BodyExt as _;
use hyper::Response;
use hyper::body::{Body, Bytes, Frame};
use hyper::header::{self, HeaderMap, HeaderValue};
use wasmtime_wasi_http::{Error, WasiBody};

use crate::mask::{Mask, Patterns, Stream};

/// Max characters of a coding that are shown.
const CODING_CHARS_MAX: usize = 32;

/// Has the target of a request answer in plain, if the plugin has secrets.
pub(super) fn ask_for_plain(headers: &mut HeaderMap, mask: &Mask) {
    if mask.secrets().is_some_and(|patterns| !patterns.is_empty()) {
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        headers.remove("grpc-accept-encoding");
    }
}

/// Takes the secrets of a plugin out of an answer. Fails with the coding of one that is compressed.
pub(super) fn response(
    response: Response<WasiBody>,
    mask: &Mask,
) -> Result<Response<WasiBody>, String> {
    let Some(patterns) = mask.secrets().filter(|patterns| !patterns.is_empty()) else {
        return Ok(response);
    };
    // Without a body there is nothing to decode, as in an answer to `HEAD`.
    let coding = coding(response.headers()).filter(|_| !response.body().is_end_stream());
    if let Some(coding) = coding {
        return Err(coding);
    }
    let (mut head, incoming) = response.into_parts();
    mask_headers(&mut head.headers, &patterns);
    // How long it will be shows only its end.
    if !incoming.is_end_stream() {
        head.headers.remove(header::CONTENT_LENGTH);
    }
    let body = Masked {
        incoming,
        stream: Stream::new(&patterns),
        patterns,
        trailers: None,
        is_over: false,
    };
    Ok(Response::from_parts(head, body.boxed_unsync()))
}

/// By what a body is compressed, if it is.
fn coding(headers: &HeaderMap) -> Option<String> {
    let names = ["content-encoding", "transfer-encoding", "grpc-encoding"];
    let values = names.into_iter().flat_map(|name| headers.get_all(name));
    let codings = values.flat_map(|value| value.as_bytes().split(|&byte| byte == b','));
    let plain = |coding: &&[u8]| {
        let is = |plain: &str| coding.eq_ignore_ascii_case(plain.as_bytes());
        is("") || is("identity") || is("chunked")
    };
    let coded = codings.map(<[u8]>::trim_ascii).find(|coding| !plain(coding))?;
    let shown: String = String::from_utf8_lossy(coded).chars().take(CODING_CHARS_MAX).collect();
    Some(shown)
}

fn mask_headers(headers: &mut HeaderMap, patterns: &Arc<Patterns>) {
    for header in headers.values_mut() {
        let mut stream = Stream::new(patterns);
        let mut text = stream.push(header.as_bytes());
        text.extend(stream.finish());
        if text != header.as_bytes() {
            *header = HeaderValue::from_bytes(&text)
                .unwrap_or_else(|_| HeaderValue::from_static("[secret]"));
        }
    }
}

/// A body without secrets.
struct Masked {
    incoming: WasiBody,
    stream: Stream,
    patterns: Arc<Patterns>,
    /// They come after the last bytes.
    trailers: Option<HeaderMap>,
    is_over: bool,
}

impl Body for Masked {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = &mut *self;
        while !this.is_over {
            let frame = ready!(Pin::new(&mut this.incoming).poll_frame(context));
            let bytes = match frame.transpose()?.map(Frame::into_data) {
                Some(Ok(data)) => this.stream.push(&data),
                Some(Err(trailers)) => {
                    this.is_over = true;
                    this.trailers = trailers.into_trailers().ok();
                    this.stream.finish()
                }
                None => {
                    this.is_over = true;
                    this.stream.finish()
                }
            };
            if !bytes.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(bytes.into()))));
            }
        }
        Poll::Ready(this.trailers.take().map(|mut trailers| {
            mask_headers(&mut trailers, &this.patterns);
            Ok(Frame::trailers(trailers))
        }))
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use http_body_util::StreamBody;

    use super::*;
    use crate::grants::{Grants, SecretGrant};
    use crate::secret::{Safe, Secret};

    #[tokio::test]
    async fn an_answer_is_masked_in_headers_body_and_trailers() {
        let value = Secret::new(b"hunter2hunter2".to_vec()).unwrap();
        let safe = Arc::new(Safe::new([("nms".to_owned(), value)].into()));
        let grant = SecretGrant { secret: "nms".into(), to: Vec::new() };
        let grants = Grants { secrets: [("a".to_owned(), grant)].into(), ..Grants::default() };
        let mask = Mask::new(&grants, &safe);
        let trailers = HeaderMap::from_iter([(
            header::HeaderName::from_static("grpc-message"),
            HeaderValue::from_static("no hunter2hunter2"),
        )]);
        let pieces = ["x hunter2", "hunter2 y hunt"].map(|piece| Frame::data(Bytes::from(piece)));
        let frames = pieces.into_iter().chain([Frame::trailers(trailers)]).map(Ok::<_, Error>);
        let frames: Vec<_> = frames.collect();
        let answer = Response::builder().header("x-echo", "hunter2hunter2");
        let answer = answer.header("content-length", "23");
        let body = StreamBody::new(stream::iter(frames)).boxed_unsync();
        let (head, body) = response(answer.body(body).unwrap(), &mask).unwrap().into_parts();
        assert_eq!(head.headers["x-echo"], "[secret a]");
        assert!(!head.headers.contains_key("content-length"));
        let body = body.collect().await.unwrap();
        assert_eq!(body.trailers().unwrap()["grpc-message"], "no [secret a]");
        assert_eq!(body.to_bytes(), "x [secret a] y hunt");
    }

    #[test]
    fn an_answer_that_is_compressed_in_any_way_is_known() {
        for (name, value, expected) in [
            ("content-encoding", "gzip", Some("gzip")),
            ("content-encoding", "identity, Br", Some("Br")),
            ("content-encoding", "Identity", None),
            ("transfer-encoding", "gzip, chunked", Some("gzip")),
            ("transfer-encoding", "Chunked", None),
            ("grpc-encoding", "snappy", Some("snappy")),
            ("accept-encoding", "gzip", None),
        ] {
            let value = HeaderValue::from_static(value);
            let headers = HeaderMap::from_iter([(header::HeaderName::from_static(name), value)]);
            assert_eq!(coding(&headers).as_deref(), expected, "{headers:?}");
        }
    }
}
