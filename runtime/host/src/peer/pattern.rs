//! A pattern of a name, such as `CN=*.crm.example.com,O=Example`. One that no name can fit is refused.

use std::net::IpAddr;

/// What a `*` does not stand for: it stays within one part of a name.
const BORDERS: &[char] = &['.', ',', '+', '=', '/', '\\', ':', '@'];

/// Max bytes of a pattern.
const BYTES_MAX: usize = 512;

/// Texts with a `*` between each two, which stands for one or more characters within a part of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(Vec<String>);

/// Why a pattern cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum PatternError {
    #[error("a pattern has 1 to {BYTES_MAX} bytes")]
    Length,
    #[error("a pattern has at most one `*`")]
    Stars,
    #[error("the pattern is for every name: write more than `*`")]
    All,
    #[error(
        "a subject is written as `CN=crm,O=Example`, without spaces around `,` and `=`, with the keys {}, or an OID; \
         `\\` stands before `,`, `+`, `=`, `\"`, `;`, `<` and `>` in a value",
        KEYWORDS.join(", ")
    )]
    Subject,
    #[error(
        "an alternative name has its kind before it: `DNS:crm.example.com`, `IP:10.0.0.7`, \
         `URI:spiffe://example/crm` or `email:crm@example.com`"
    )]
    San,
    #[error("behind `IP:` stands an address, such as `IP:10.0.0.7`")]
    Address,
}

/// The keys of the parts of a subject (RFC 4514) that are not written as an OID.
const KEYWORDS: [&str; 9] = ["CN", "C", "L", "ST", "STREET", "O", "OU", "UID", "DC"];

impl Pattern {
    /// Reads a pattern of subjects, which are written as in RFC 4514.
    pub(super) fn subject(text: &str) -> Result<Self, PatternError> {
        let pattern = Self::read(text)?;
        if is_subject(text) { Ok(pattern) } else { Err(PatternError::Subject) }
    }

    /// Reads a pattern of alternative names, which have their kind before them.
    pub(super) fn san(text: &str) -> Result<Self, PatternError> {
        let (kind, rest) = text.split_once(':').ok_or(PatternError::San)?;
        if rest.is_empty() || !rest.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(PatternError::San);
        }
        match kind {
            // They are compared in lower case.
            "DNS" => Self::read(&format!("DNS:{}", rest.to_ascii_lowercase())),
            "IP" if !rest.contains('*') => {
                let address: IpAddr = rest.parse().map_err(|_| PatternError::Address)?;
                Self::read(&format!("IP:{address}"))
            }
            "IP" | "URI" | "email" => Self::read(text),
            _ => Err(PatternError::San),
        }
    }

    fn read(text: &str) -> Result<Self, PatternError> {
        if text.is_empty() || text.len() > BYTES_MAX {
            return Err(PatternError::Length);
        }
        let pieces: Vec<String> = text.split('*').map(str::to_owned).collect();
        if pieces.len() > 2 {
            return Err(PatternError::Stars);
        }
        let fixed: String = pieces.concat();
        let is_all = !fixed.chars().any(char::is_alphanumeric) || fixed.ends_with(['=', ':']);
        if pieces.len() == 2 && is_all { Err(PatternError::All) } else { Ok(Self(pieces)) }
    }

    pub(super) fn text(&self) -> String {
        self.0.join("*")
    }

    pub(super) fn fits(&self, name: &str) -> bool {
        let [before, rest @ ..] = self.0.as_slice() else { return false };
        let [after] = rest else { return name == before };
        let within =
            name.strip_prefix(before.as_str()).and_then(|rest| rest.strip_suffix(after.as_str()));
        within.is_some_and(|within| !within.is_empty() && !within.contains(BORDERS))
    }
}

/// Whether a text can be a subject: its parts have a key that is known, and no space that is not in the value.
fn is_subject(text: &str) -> bool {
    let (mut parts, mut is_escaped) = (vec![String::new()], false);
    for letter in text.chars() {
        let part = parts.last_mut().expect("there is one from the start");
        match letter {
            ',' | '+' if !is_escaped => parts.push(String::new()),
            // It stands for any character that may have to be escaped.
            _ if is_escaped => part.push('_'),
            '\\' => {}
            _ => part.push(letter),
        }
        is_escaped = letter == '\\' && !is_escaped;
    }
    !is_escaped && parts.iter().all(|part| is_attribute(part))
}

fn is_attribute(part: &str) -> bool {
    let Some((key, value)) = part.split_once('=') else { return false };
    let is_oid = key.contains('.') && key.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    (is_oid || KEYWORDS.contains(&key))
        && value.trim_matches(' ') == value
        && !value.contains(['=', '"', ';', '<', '>'])
}
