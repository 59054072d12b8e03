//! Spans as OTLP has them, in JSON: ids in hexadecimal, 64-bit numbers as text.

use serde::Serialize;

use super::{Attribute, Kind, Span};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    resource_spans: [ResourceSpans; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResourceSpans {
    resource: Resource,
    scope_spans: [ScopeSpans; 1],
}

#[derive(Serialize)]
struct Resource {
    attributes: Vec<KeyValue>,
}

#[derive(Serialize)]
struct ScopeSpans {
    scope: Scope,
    spans: Vec<SpanMessage>,
}

#[derive(Serialize)]
struct Scope {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SpanMessage {
    trace_id: String,
    span_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_span_id: Option<String>,
    name: String,
    kind: u8,
    start_time_unix_nano: String,
    end_time_unix_nano: String,
    attributes: Vec<KeyValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status>,
}

#[derive(Serialize)]
struct KeyValue {
    key: &'static str,
    value: Value,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum Value {
    StringValue(String),
    IntValue(String),
}

#[derive(Serialize)]
struct Status {
    code: u8,
    message: String,
}

/// The code of a span that failed.
const ERROR: u8 = 2;

/// The message with some spans.
pub(super) fn message(spans: Vec<Span>) -> Vec<u8> {
    let scope = Scope { name: "ferrule", version: env!("CARGO_PKG_VERSION") };
    let name = KeyValue { key: "service.name", value: Value::StringValue("ferrule".into()) };
    let spans = spans.into_iter().map(SpanMessage::from).collect();
    let resource = Resource { attributes: vec![name] };
    let spans = ResourceSpans { resource, scope_spans: [ScopeSpans { scope, spans }] };
    serde_json::to_vec(&Message { resource_spans: [spans] }).expect("spans can be written")
}

impl From<Span> for SpanMessage {
    fn from(span: Span) -> Self {
        let Span { trace, parent, kind, name, began, ended, attributes, failure } = span;
        let attributes = attributes.into_iter().map(|(key, value)| {
            let value = match value {
                Attribute::Text(text) => Value::StringValue(text),
                Attribute::Number(number) => Value::IntValue(number.to_string()),
            };
            KeyValue { key, value }
        });
        Self {
            trace_id: hex::encode(trace.id),
            span_id: hex::encode(trace.span),
            parent_span_id: parent.map(hex::encode),
            name,
            kind: match kind {
                Kind::Internal => 1,
                Kind::Server => 2,
                Kind::Client => 3,
            },
            start_time_unix_nano: began.to_string(),
            end_time_unix_nano: ended.max(began).to_string(),
            attributes: attributes.collect(),
            status: failure.map(|message| Status { code: ERROR, message }),
        }
    }
}
