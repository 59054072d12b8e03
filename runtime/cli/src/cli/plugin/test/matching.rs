//! Compares requests with the patterns of a case.

use super::case::Exchange;
use super::json::{Json, Names, cut};
use super::wire::Received;

/// By what a request differs from an exchange, and how far away that is.
pub(super) fn mismatch(
    exchange: &Exchange,
    received: &Received,
    names: &Names,
) -> Option<(u32, String)> {
    let request = &exchange.request;
    let (is_path, is_method) =
        (names.matches(&request.path.0, &received.target), request.method.0 == received.method);
    if !is_path {
        let distance = if is_method { 3 } else { 4 };
        return Some((distance, format!("its path is {}", request.path.0)));
    }
    if !is_method {
        return Some((2, format!("its method is {}", request.method.0)));
    }
    for (name, expected) in &request.headers {
        let found = received.header(&name.to_lowercase());
        if !found.is_some_and(|found| names.matches(expected, found)) {
            let found = found.map_or_else(|| "missing".into(), cut);
            return Some((1, format!("the header `{name}` is {found}, expected {expected}")));
        }
    }
    if let Some(text) = &request.text {
        let found = String::from_utf8_lossy(&received.body);
        if !names.matches(text, &found) {
            return Some((1, format!("the body is {}, expected {}", cut(&found), cut(text))));
        }
    }
    let expected = request.body.as_ref()?;
    let Some(found) = Json::read(&received.body) else {
        return Some((1, "the body is no JSON".into()));
    };
    expected.difference(&found, names).map(|difference| (1, difference))
}
