//! The query of a request: parameters by name (TMF630: fields, sort, offset, limit), and the
//! rest, which are filters.

use tmf::filter::Parameter;

use super::SearchError;

/// Max parameters of a query.
const PARAMETERS_MAX: usize = 64;

/// ASCII characters that a URL cannot have.
const NOT_IN_URL: &percent_encoding::AsciiSet =
    &percent_encoding::CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'#').add(b'`');

/// The parameters, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query {
    parameters: Vec<Named>,
}

/// A parameter with its name and value, decoded.
#[derive(Clone, Debug)]
struct Named {
    name: String,
    value: String,
    parameter: Parameter,
}

impl Query {
    /// Parses a query.
    pub(crate) fn parse(text: &str) -> Result<Self, SearchError> {
        let parameters = tmf::filter::parameters(text);
        if let Some(parameter) = parameters.get(PARAMETERS_MAX) {
            let message = format!("a query may have {PARAMETERS_MAX} parameters");
            return Err(SearchError::parameter(parameter.name(), message));
        }
        let named = parameters.into_iter().map(|parameter| Named {
            name: parameter.name(),
            value: parameter.value(),
            parameter,
        });
        Ok(Self { parameters: named.collect() })
    }

    /// The last value of a parameter; an empty one counts as none.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().rev().find(|known| known.name == name);
        found.map(|known| known.value.as_str()).filter(|value| !value.is_empty())
    }

    pub(crate) fn number(&self, name: &str) -> Result<Option<usize>, SearchError> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        let number = value.trim().trim_matches('"').parse();
        let wrong = |_| SearchError::parameter(name, format!("`{name}` is a whole number from 0"));
        number.map(Some).map_err(wrong)
    }

    /// Whether a parameter is `true`.
    pub(crate) fn is_true(&self, name: &str) -> bool {
        self.get(name) == Some("true")
    }

    /// Every parameter, with its name and value.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = (&str, &str, &Parameter)> {
        let parameters = self.parameters.iter();
        parameters.map(|known| (known.name.as_str(), known.value.as_str(), &known.parameter))
    }

    /// The query without a parameter.
    pub(crate) fn without(&self, name: &str) -> Self {
        let parameters = self.parameters.iter().filter(|known| known.name != name);
        Self { parameters: parameters.cloned().collect() }
    }

    /// The query of another page of the list.
    pub(crate) fn with_page(&self, offset: usize, limit: usize) -> String {
        let mut text = String::new();
        for Named { name, parameter, .. } in &self.parameters {
            if !["offset", "limit"].contains(&name.as_str()) {
                text.push_str(&in_url(parameter.raw()));
                text.push('&');
            }
        }
        text.push_str(&format!("offset={offset}&limit={limit}"));
        text
    }
}

/// A query with escapes for characters that a URL cannot have; its escapes are left as they are.
pub fn in_url(query: &str) -> String {
    percent_encoding::utf8_percent_encode(query, NOT_IN_URL).to_string()
}

/// A text as the value of a filter that equals only that text.
pub(crate) fn literal(text: &str) -> String {
    let quoted = tmf::filter::quoted(text);
    percent_encoding::utf8_percent_encode(&quoted, percent_encoding::NON_ALPHANUMERIC).to_string()
}
