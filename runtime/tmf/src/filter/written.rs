//! A query before decoding: its characters with their encoding, split where
//! no quotes keep them together.

/// The characters of operators.
pub(super) const SIGNS: &str = "<>=!~*";

/// A character of a query.
#[derive(Clone, Copy, Debug)]
struct Char {
    /// Its meaning; a plus is a space, as in forms.
    read: char,
    /// Its meaning if a plus is a plus.
    plain: char,
    /// Whether it was percent-encoded.
    is_encoded: bool,
    /// Whether it is in quotes, or is such a quote.
    is_quoted: bool,
    /// Where it begins in the query.
    at: usize,
}

/// A part of a parameter: its characters from one up to another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Span {
    pub(super) fn is_empty(self) -> bool {
        self.start >= self.end
    }
}

/// A part of a query between `&`, such as `state=held;state=failed`.
#[derive(Clone, Debug)]
pub struct Parameter {
    chars: Vec<Char>,
    raw: String,
}

/// A value in quotes.
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The parameters of a query, in order. An ampersand within quotes does not separate them.
pub fn parameters(query: &str) -> Vec<Parameter> {
    let mut parameters = Vec::new();
    let mut current: Vec<Char> = Vec::new();
    let mut quotes = Quotes::default();
    for mut char in decoded(query) {
        char.is_quoted = quotes.hold(char.read);
        if char.read == '&' && !char.is_encoded && !char.is_quoted {
            parameters.extend(Parameter::of(std::mem::take(&mut current), query, char.at));
            quotes = Quotes::default();
        } else {
            current.push(char);
        }
    }
    parameters.extend(Parameter::of(current, query, query.len()));
    parameters
}

impl Parameter {
    fn of(chars: Vec<Char>, query: &str, end: usize) -> Option<Self> {
        let begin = chars.first()?.at;
        let raw = query.get(begin..end).unwrap_or_default().to_string();
        Some(Self { chars, raw })
    }

    /// The part before the first equals sign.
    pub fn name(&self) -> String {
        let end = self.equals().unwrap_or(self.chars.len());
        self.read(Span { start: 0, end }).trim().to_string()
    }

    /// The part after the first equals sign.
    pub fn value(&self) -> String {
        let after = |at: usize| self.read(Span { start: at + 1, ..self.whole() });
        self.equals().map(after).unwrap_or_default()
    }

    /// Its text in the query.
    pub fn raw(&self) -> &str {
        &self.raw
    }

    fn equals(&self) -> Option<usize> {
        self.chars.iter().position(|char| char.read == '=')
    }

    pub(super) fn whole(&self) -> Span {
        Span { start: 0, end: self.chars.len() }
    }

    fn chars(&self, span: Span) -> &[Char] {
        &self.chars[span.start..span.end]
    }

    pub(super) fn read(&self, span: Span) -> String {
        self.chars(span).iter().map(|char| char.read).collect()
    }

    /// A part, decoded, in which a plus is a plus.
    pub(super) fn plain(&self, span: Span) -> String {
        self.chars(span).iter().map(|char| char.plain).collect()
    }

    /// The parts between separators outside of quotes, and whether the separator before each was
    /// percent-encoded.
    pub(super) fn split(&self, span: Span, separator: char) -> Vec<(Span, bool)> {
        let mut parts = Vec::new();
        let (mut start, mut is_encoded) = (span.start, false);
        for end in span.start..span.end {
            let char = self.chars[end];
            if char.read == separator && !char.is_quoted {
                parts.push((Span { start, end }, is_encoded));
                (start, is_encoded) = (end + 1, char.is_encoded);
            }
        }
        parts.push((Span { start, ..span }, is_encoded));
        parts
    }

    /// The position of the first sign of an operator.
    pub(super) fn sign(&self, span: Span) -> Option<usize> {
        (span.start..span.end).find(|at| {
            let char = self.chars[*at];
            !char.is_quoted && SIGNS.contains(char.read)
        })
    }

    /// A part without the spaces around it.
    pub(super) fn trimmed(&self, mut span: Span) -> Span {
        let is_space = |at: usize| self.chars[at].read.is_whitespace() && !self.chars[at].is_quoted;
        while !span.is_empty() && is_space(span.start) {
            span.start += 1;
        }
        while !span.is_empty() && is_space(span.end - 1) {
            span.end -= 1;
        }
        span
    }

    /// Whether a part begins with a quote that opens.
    pub(super) fn is_quoted(&self, span: Span) -> bool {
        self.chars(span).first().is_some_and(|char| char.is_quoted)
    }
}

/// The open quotes. They open at the beginning of a value, and nowhere else.
#[derive(Default)]
struct Quotes {
    is_open: bool,
    is_escaped: bool,
    may_open: bool,
}

impl Quotes {
    /// Whether a character is within quotes, or one of them.
    fn hold(&mut self, next: char) -> bool {
        if self.is_open {
            let ends = next == '"' && !self.is_escaped;
            self.is_escaped = next == '\\' && !self.is_escaped;
            self.is_open = !ends;
            return true;
        }
        if next == '"' && self.may_open {
            (self.is_open, self.may_open) = (true, false);
            return true;
        }
        let begins_value = SIGNS.contains(next) || [',', ';'].contains(&next);
        self.may_open = begins_value || (self.may_open && next.is_whitespace());
        false
    }
}

fn decoded(query: &str) -> Vec<Char> {
    let bytes = query.as_bytes();
    let mut chars = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(next) = query.get(at..).and_then(|rest| rest.chars().next()) {
        let begin = at;
        let mut encoded = Vec::new();
        while let Some(byte) = encoded_byte(bytes, at) {
            encoded.push(byte);
            at += 3;
        }
        if encoded.is_empty() {
            let read = if next == '+' { ' ' } else { next };
            chars.push(Char { read, plain: next, is_encoded: false, is_quoted: false, at });
            at += next.len_utf8();
            continue;
        }
        let text = String::from_utf8_lossy(&encoded);
        chars.extend(text.chars().map(|read| Char {
            read,
            plain: read,
            is_encoded: true,
            is_quoted: false,
            at: begin,
        }));
    }
    chars
}

fn encoded_byte(bytes: &[u8], at: usize) -> Option<u8> {
    let [b'%', high, low] = bytes.get(at..at + 3)? else { return None };
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}
