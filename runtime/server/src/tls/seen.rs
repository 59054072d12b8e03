//! The certificate that a client showed, once the TLS library has verified its chain: whose it is, as text. A part
//! that cannot be read is left out, so it matches no rule.

use std::fmt::Write as _;
use std::net::IpAddr;

use host::der::element;
use host::not_after;
use host::peer::Shown;
use sha2::{Digest as _, Sha256};
use tmf::time::Timestamp;

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OBJECT_IDENTIFIER: u8 = 0x06;
const OCTET_STRING: u8 = 0x04;
const UTF8_STRING: u8 = 0x0c;
const PRINTABLE_STRING: u8 = 0x13;
const IA5_STRING: u8 = 0x16;
const BMP_STRING: u8 = 0x1e;
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;

/// `subjectAltName`, 2.5.29.17.
const ALTERNATIVE_NAMES: [u8; 3] = [0x55, 0x1d, 0x11];

/// Max alternative names that are read.
const NAMES_MAX: usize = 64;

/// A client certificate that a trusted CA issued and that is valid now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The subject as text (RFC 4514), the most specific part first: `CN=olt-1,O=Example`.
    pub subject: String,
    /// The alternative names, such as `DNS:olt-1.example`, `IP:10.0.0.7`, `URI:spiffe://example/olt-1` and
    /// `email:noc@example.com`.
    pub sans: Vec<String>,
    /// SHA-256 of the certificate, in lower-case hex.
    pub fingerprint_sha256: String,
    /// The end of its validity.
    pub not_after: Timestamp,
}

impl ClientCertificate {
    /// What rules look at.
    pub(crate) fn shown(&self) -> Shown<'_> {
        let Self { subject, sans, fingerprint_sha256: fingerprint, not_after } = self;
        Shown { subject, sans, fingerprint, not_after: *not_after }
    }

    /// Reads a certificate in DER; `None` if it has no subject or no end that can be read.
    pub(crate) fn read(der: &[u8]) -> Option<Self> {
        let (SEQUENCE, certificate, _) = element(der)? else { return None };
        let (SEQUENCE, mut rest, _) = element(certificate)? else { return None };
        if let (VERSION, _, after) = element(rest)? {
            rest = after;
        }
        // The serial number, the algorithm, the issuer and the validity.
        for _ in 0..4 {
            rest = element(rest)?.2;
        }
        let (SEQUENCE, subject, rest) = element(rest)? else { return None };
        Some(Self {
            subject: name(subject)?,
            sans: alternative_names(rest).unwrap_or_default(),
            fingerprint_sha256: hex::encode(Sha256::digest(der)),
            not_after: not_after(der)?,
        })
    }
}

/// A name as text: its parts from the last to the first.
fn name(mut parts: &[u8]) -> Option<String> {
    let mut texts = Vec::new();
    while !parts.is_empty() {
        let (SET, mut part, rest) = element(parts)? else { return None };
        parts = rest;
        let mut text = String::new();
        while !part.is_empty() {
            let (SEQUENCE, attribute, rest) = element(part)? else { return None };
            part = rest;
            if !text.is_empty() {
                text.push('+');
            }
            write_attribute(&mut text, attribute)?;
        }
        texts.push(text);
    }
    texts.reverse();
    Some(texts.join(","))
}

fn write_attribute(text: &mut String, attribute: &[u8]) -> Option<()> {
    let (OBJECT_IDENTIFIER, kind, value) = element(attribute)? else { return None };
    let known = keyword(kind);
    match known {
        Some(keyword) => text.push_str(keyword),
        None => dotted(text, kind)?,
    }
    text.push('=');
    let (tag, bytes, _) = element(value)?;
    match known.and_then(|_| decoded(tag, bytes)) {
        Some(decoded) => escape(text, &decoded),
        None => {
            text.push('#');
            text.push_str(&hex::encode(value));
        }
    }
    Some(())
}

/// The keywords of RFC 4514, 3.
fn keyword(kind: &[u8]) -> Option<&'static str> {
    const UID: [u8; 10] = [0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 0x01, 0x01];
    const DC: [u8; 10] = [0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 0x01, 0x19];
    match kind {
        [0x55, 0x04, 3] => Some("CN"),
        [0x55, 0x04, 6] => Some("C"),
        [0x55, 0x04, 7] => Some("L"),
        [0x55, 0x04, 8] => Some("ST"),
        [0x55, 0x04, 9] => Some("STREET"),
        [0x55, 0x04, 10] => Some("O"),
        [0x55, 0x04, 11] => Some("OU"),
        kind if kind == UID => Some("UID"),
        kind if kind == DC => Some("DC"),
        _ => None,
    }
}

/// An object identifier with dots.
fn dotted(text: &mut String, kind: &[u8]) -> Option<()> {
    let mut number: u64 = 0;
    let mut is_first = true;
    for byte in kind {
        number = number.checked_mul(128)?.checked_add(u64::from(byte & 0x7f))?;
        if byte & 0x80 != 0 {
            continue;
        }
        if is_first {
            let root = (number / 40).min(2);
            write!(text, "{root}.{}", number - root * 40).ok()?;
        } else {
            write!(text, ".{number}").ok()?;
        }
        (number, is_first) = (0, false);
    }
    Some(())
}

/// The text of a string; `None` if it has another type or is malformed.
fn decoded(tag: u8, bytes: &[u8]) -> Option<String> {
    match tag {
        UTF8_STRING => String::from_utf8(bytes.to_vec()).ok(),
        PRINTABLE_STRING | IA5_STRING => ascii(bytes),
        BMP_STRING if bytes.len().is_multiple_of(2) => {
            let units = bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
            String::from_utf16(&units.collect::<Vec<_>>()).ok()
        }
        _ => None,
    }
}

fn ascii(bytes: &[u8]) -> Option<String> {
    String::from_utf8(bytes.to_vec()).ok().filter(|text| text.is_ascii())
}

/// Escapes a value (RFC 4514, 2.4), and what cannot be printed too: two subjects never have one text.
fn escape(text: &mut String, value: &str) {
    let end = value.chars().count().saturating_sub(1);
    for (at, c) in value.chars().enumerate() {
        let is_edge = c == ' ' && (at == 0 || at == end);
        if is_edge || (at == 0 && c == '#') || "\"+,;<>\\=".contains(c) {
            text.push('\\');
            text.push(c);
        } else if c.is_control() {
            for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                text.push('\\');
                text.push_str(&hex::encode([byte]));
            }
        } else {
            text.push(c);
        }
    }
}

/// The alternative names, from what follows the subject.
fn alternative_names(mut rest: &[u8]) -> Option<Vec<String>> {
    let extensions = loop {
        let (tag, content, after) = element(rest)?;
        if tag == EXTENSIONS {
            break content;
        }
        rest = after;
    };
    let (SEQUENCE, mut extensions, _) = element(extensions)? else { return None };
    while !extensions.is_empty() {
        let (SEQUENCE, extension, after) = element(extensions)? else { return None };
        extensions = after;
        let (OBJECT_IDENTIFIER, kind, mut value) = element(extension)? else { return None };
        if kind != ALTERNATIVE_NAMES {
            continue;
        }
        // Whether it is critical stands before it, if it is.
        loop {
            let (tag, content, after) = element(value)?;
            if tag == OCTET_STRING {
                return names(content);
            }
            value = after;
        }
    }
    Some(Vec::new())
}

fn names(content: &[u8]) -> Option<Vec<String>> {
    let (SEQUENCE, mut rest, _) = element(content)? else { return None };
    let mut names = Vec::new();
    while !rest.is_empty() && names.len() < NAMES_MAX {
        let (tag, content, after) = element(rest)?;
        rest = after;
        names.extend(alternative_name(tag, content));
    }
    Some(names)
}

/// One name; `None` for kinds that no rule can name.
fn alternative_name(tag: u8, content: &[u8]) -> Option<String> {
    // No rule names a text that cannot be printed.
    let text = || ascii(content).filter(|text| text.bytes().all(|byte| byte.is_ascii_graphic()));
    match tag {
        0x81 => text().map(|mail| format!("email:{mail}")),
        0x82 => text().map(|name| format!("DNS:{}", name.to_ascii_lowercase())),
        0x86 => text().map(|uri| format!("URI:{uri}")),
        0x87 => {
            let address = <[u8; 4]>::try_from(content).map(IpAddr::from).ok();
            let address = address.or_else(|| <[u8; 16]>::try_from(content).map(IpAddr::from).ok());
            address.map(|address| format!("IP:{address}"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
