//! The addresses at which elements answer tasks. Who knows one can answer, so a client that may not answer tasks gets none:
//! their tokens are masked wherever a plugin or an element wrote them, in logs, exchanges, outputs and failures.

use engine::address::Addresses;
use serde_json::Value;

use super::texts::{self, MASK};
use crate::access::{Admitted, Permission, Verb};

/// Digits of a token.
const DIGITS: usize = 32;

/// Max bytes of a key before its token that are looked at.
const KEY_BYTES_MAX: usize = 128;

/// Whether a client may answer tasks.
pub(super) fn may_answer(admitted: &Admitted) -> bool {
    admitted.reader.may(&Permission::own("/callbacks", Verb::Act)).is_all()
}

/// Masks the tokens in an answer, unless the client may answer tasks.
pub(super) fn masked(addresses: &Addresses, admitted: &Admitted, mut shown: Value) -> Value {
    if !may_answer(admitted) {
        texts::replace(&mut shown, &|text| without_tokens(addresses, text));
    }
    shown
}

/// A text without tokens; `None` if it has none.
fn without_tokens(addresses: &Addresses, text: &str) -> Option<String> {
    let mut masked: Option<String> = None;
    let (mut done, mut at) = (0, 0);
    while let Some(found) = text.get(at..).and_then(|rest| rest.find('.')) {
        let begin = at + found + 1;
        at = begin;
        let Some(token) = text.get(begin..begin + DIGITS) else { continue };
        if is_token(addresses, text.get(..begin - 1).unwrap_or_default(), token) {
            let masked = masked.get_or_insert_default();
            masked.push_str(text.get(done..begin).unwrap_or_default());
            masked.push_str(MASK);
            done = begin + DIGITS;
            at = done;
        }
    }
    masked.map(|masked| masked + text.get(done..).unwrap_or_default())
}

/// Whether a text is the token of a key that ends right before it.
fn is_token(addresses: &Addresses, before: &str, token: &str) -> bool {
    if !token.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return false;
    }
    let token = token.to_ascii_lowercase();
    let near = before.ceil_char_boundary(before.len().saturating_sub(KEY_BYTES_MAX));
    let near = before.get(near..).unwrap_or_default();
    // A key is written as it is, or escaped as in a URL.
    let written = percent_encoding::percent_decode_str(near).decode_utf8_lossy();
    let mut begins = written.char_indices().map(|(begin, _)| begin);
    begins.any(|begin| addresses.key(&format!("{}.{token}", &written[begin..])).is_some())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn tokens_are_masked_however_an_address_is_written() {
        let addresses = Addresses::new(&[7; 32]);
        let own = ["0a1b:0", "0a1b:0:undo", "run-k:12", "a/b:1"].map(|key| addresses.of(key));
        for address in &own {
            let (key, token) = address.rsplit_once('.').unwrap();
            for text in [
                format!("http://f/orchestration/v1/callbacks/{address}"),
                format!("{{\"url\":\"http:\\/\\/f\\/callbacks\\/{address}\"}}"),
                format!("back={}&x=1", address.replace(':', "%3A").replace('/', "%2F")),
                format!("é{address}."),
                format!("<url>{key}.{}</url>", token.to_uppercase()),
                format!("{address} and {address}"),
            ] {
                let mut shown = json!([{ "a": text }]);
                texts::replace(&mut shown, &|text| without_tokens(&addresses, text));
                let masked = shown[0]["a"].as_str().unwrap();
                let is_left = masked.to_lowercase().contains(token);
                assert!(masked.contains(".***") && !is_left, "{text}: {masked}");
            }
        }
    }

    #[test]
    fn other_texts_stay_as_they_are() {
        let addresses = Addresses::new(&[7; 32]);
        let other = Addresses::new(&[8; 32]).of("0a1b:0");
        for text in [other.as_str(), "", ".", "1.5 and 2.5", "é.é", "a.0123456789abcdef"] {
            let mut shown = json!(text);
            texts::replace(&mut shown, &|text| without_tokens(&addresses, text));
            assert_eq!(shown, json!(text));
        }
    }
}
