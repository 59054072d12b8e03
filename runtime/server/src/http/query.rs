//! The query of a request: what it asks for by name (TMF630: fields, sort, offset, limit), and the
//! rest, which are filters.

use super::problem::Problem;

/// So many parameters are read.
const PARAMETERS_MAX: usize = 64;

/// The parameters, decoded, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Query {
    parameters: Vec<(String, String)>,
}

impl Query {
    /// Takes a query apart.
    pub(super) fn parse(text: &str) -> Result<Self, Problem> {
        let pieces = text.split('&').filter(|piece| !piece.is_empty());
        let parameters: Vec<_> = pieces
            .take(PARAMETERS_MAX + 1)
            .map(|piece| {
                let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
                (decode(name), decode(value))
            })
            .collect();
        if parameters.len() > PARAMETERS_MAX {
            return Err(Problem::bad(format!("a query may have {PARAMETERS_MAX} parameters")));
        }
        Ok(Self { parameters })
    }

    /// The last value of a parameter; an empty one is as good as none.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().rev().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// A whole number.
    pub(super) fn number(&self, name: &str) -> Result<Option<usize>, Problem> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        let number = value.trim_matches('"').parse();
        let wrong = |_| Problem::bad(format!("`{name}` is a whole number from 0")).about(name);
        number.map(Some).map_err(wrong)
    }

    /// Whether a parameter says `true`.
    pub(super) fn says(&self, name: &str) -> bool {
        self.get(name) == Some("true")
    }

    /// Every parameter.
    pub(super) fn parameters(&self) -> impl Iterator<Item = (&str, &str)> {
        self.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The query without a parameter.
    pub(super) fn without(&self, name: &str) -> Self {
        let parameters = self.parameters.iter().filter(|(known, _)| known != name);
        Self { parameters: parameters.cloned().collect() }
    }

    /// The query again, with another page of the list.
    pub(super) fn with_page(&self, offset: usize, limit: usize) -> String {
        let mut text = String::new();
        for (name, value) in self.parameters() {
            if name != "offset" && name != "limit" {
                text.push_str(&encode(name));
                text.push('=');
                text.push_str(&encode(value));
                text.push('&');
            }
        }
        text.push_str(&format!("offset={offset}&limit={limit}"));
        text
    }
}

/// Without escapes; a plus is a space, as forms write it.
fn decode(text: &str) -> String {
    let spaced = text.replace('+', " ");
    percent_encoding::percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}

/// With escapes.
pub(super) fn encode(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}
