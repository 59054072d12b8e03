//! What a registry asks for before it answers: the header `WWW-Authenticate`.

/// How to prove who asks.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    /// By name and password, with each request.
    Basic,
    /// By a token, which is to be had at a URL.
    Bearer { realm: String, service: Option<String>, scope: Option<String> },
}

impl Challenge {
    /// The first challenge of a header that can be met.
    pub(super) fn parse(header: &str) -> Option<Self> {
        let mut challenges: Vec<(&str, Vec<(&str, String)>)> = Vec::new();
        for element in elements(header) {
            let (word, rest) = element.split_once(char::is_whitespace).unwrap_or((element, ""));
            let is_parameter = word.contains('=') || rest.trim_start().starts_with('=');
            match challenges.last_mut().filter(|_| is_parameter) {
                Some((_, known)) => known.extend(parameters(element)),
                None => challenges.push((word, parameters(rest))),
            }
        }
        challenges.into_iter().find_map(|(scheme, parameters)| Self::of(scheme, parameters))
    }

    fn of(scheme: &str, parameters: Vec<(&str, String)>) -> Option<Self> {
        if scheme.eq_ignore_ascii_case("basic") {
            return Some(Self::Basic);
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let (mut realm, mut service, mut scope) = (None, None, None);
        for (name, value) in parameters {
            match name.to_ascii_lowercase().as_str() {
                "realm" => realm = Some(value),
                "service" => service = Some(value),
                "scope" => scope = Some(value),
                _ => {}
            }
        }
        realm.map(|realm| Self::Bearer { realm, service, scope })
    }
}

/// The parts of a header between its commas; a quoted comma is none.
fn elements(header: &str) -> impl Iterator<Item = &str> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    let parts = header.split(move |c| {
        let is_plain = !std::mem::take(&mut is_escaped);
        match c {
            '"' if is_plain => is_quoted = !is_quoted,
            '\\' if is_plain => is_escaped = is_quoted,
            _ => {}
        }
        c == ',' && !is_quoted
    });
    parts.map(str::trim).filter(|part| !part.is_empty())
}

/// The parameters of a challenge: `name="value"`, with commas between them.
fn parameters(mut text: &str) -> Vec<(&str, String)> {
    let mut found = Vec::new();
    while let Some((name, rest)) = text.split_once('=') {
        let name = name.trim_matches([' ', ',', '\t']);
        let Some(quoted) = rest.strip_prefix('"') else {
            let (value, rest) = rest.split_once(',').unwrap_or((rest, ""));
            found.push((name, value.trim().to_owned()));
            text = rest;
            continue;
        };
        let (mut value, mut chars) = (String::new(), quoted.char_indices());
        let mut end = quoted.len();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    end = at + 1;
                    break;
                }
                '\\' => value.extend(chars.next().map(|(_, c)| c)),
                c => value.push(c),
            }
        }
        found.push((name, value));
        text = quoted.get(end..).unwrap_or_default();
    }
    found
}

#[cfg(test)]
mod tests;
