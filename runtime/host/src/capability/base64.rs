//! Base64 of `Authorization: Basic`.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The bytes of a text; `None` if it is not base64. The padding may be missing.
pub(super) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut kept, mut bits) = (0_u32, 0_u32);
    for &letter in text.trim_ascii().split(|&letter| letter == b'=').next()? {
        let index = ALPHABET.iter().position(|&known| known == letter)?;
        kept = (kept << 6 | index as u32) & 0x3fff;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((kept >> bits & 0xff) as u8);
        }
    }
    Some(bytes)
}

/// Bytes as base64, with padding.
pub(super) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let whole = chunk.iter().fold(0, |whole, &byte| whole << 8 | u32::from(byte));
        let whole = whole << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let index = (whole >> (18 - 6 * place) & 63) as usize;
            text.push(if place <= chunk.len() { char::from(ALPHABET[index]) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_bytes_are_decoded() {
        for (clear, text) in [
            ("", ""),
            ("u", "dQ=="),
            ("us", "dXM="),
            ("use", "dXNl"),
            ("user:pä/ss?", "dXNlcjpww6Qvc3M/"),
        ] {
            assert_eq!(encode(clear.as_bytes()), text);
            assert_eq!(decode(text.as_bytes()).as_deref(), Some(clear.as_bytes()));
            assert_eq!(decode(text.trim_end_matches('=').as_bytes()), Some(clear.into()));
        }
        assert_eq!(decode(b"dX-l"), None);
    }
}
