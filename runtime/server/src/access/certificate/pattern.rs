//! A pattern of a name, such as `CN=*.crm.example.com,O=Example`.

/// What a `*` does not stand for: it stays within one part of a name.
const BORDERS: &[char] = &['.', ',', '+', '=', '/', '\\', ':', '@'];

/// Max bytes of a pattern.
const BYTES_MAX: usize = 512;

/// Texts with a `*` between each two, which stands for one or more characters within a part of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(Vec<String>);

/// Why a pattern cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    #[error("a pattern has 1 to {BYTES_MAX} bytes")]
    Length,
    #[error("a pattern has at most one `*`")]
    Stars,
    #[error("the pattern is for every name: write more than `*`")]
    All,
}

impl Pattern {
    pub fn read(text: &str) -> Result<Self, PatternError> {
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

    pub fn fits(&self, name: &str) -> bool {
        let [before, rest @ ..] = self.0.as_slice() else { return false };
        let [after] = rest else { return name == before };
        let within =
            name.strip_prefix(before.as_str()).and_then(|rest| rest.strip_suffix(after.as_str()));
        within.is_some_and(|within| !within.is_empty() && !within.contains(BORDERS))
    }
}
