//! Errors in `ferrule.toml`, shown without any value: it may be a secret.

use std::fmt;
use std::ops::Range;

/// Max characters of a key; a longer text is part of something else.
const KEY_CHARS_MAX: usize = 100;

/// An error and its position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The table and the key, such as `plugins.vlan.config.token`; `None` if it has none.
    pub key: Option<String>,
    /// The error.
    pub what: String,
}

impl Mistake {
    /// The error of a parser.
    pub fn of(text: &str, error: &toml::de::Error) -> Self {
        let Range { start, .. } = error.span().unwrap_or(0..0);
        let before = text.get(..start).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        let line = before.matches('\n').count() + 1;
        let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
        let key = key(text, line);
        let is_setting = key.as_deref().is_some_and(|key| {
            key.starts_with("plugins.") && key.split('.').any(|part| part == "config")
        });
        let what = match is_setting && error.message().starts_with("invalid type") {
            true => "a setting is a text in quotes".into(),
            false => without_values(error.message()),
        };
        Self { line, column, key, what }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)?;
        if let Some(key) = &self.key {
            write!(f, ", `{key}`")?;
        }
        write!(f, ": {}", self.what)
    }
}

/// The table and the key at a line. A line within a multi-line text has the key of the text.
fn key(text: &str, wanted: usize) -> Option<String> {
    let (mut table, mut key) = (String::new(), None);
    let mut open: Option<&str> = None;
    for line in text.lines().take(wanted) {
        if open.is_none() {
            let trimmed = line.trim();
            if let Some(header) = trimmed.strip_prefix('[') {
                table = header.trim_matches(['[', ']', ' ']).split('#').next()?.to_owned();
                table = table.trim_end_matches([']', ' ']).to_owned();
                key = None;
            } else {
                key = trimmed.split_once('=').and_then(|(key, _)| plain_key(key)).or(key);
            }
        }
        open = left_open(line, open);
    }
    match (plain_key(&table), key) {
        (Some(table), Some(key)) => Some(format!("{table}.{key}")),
        (table, key) => key.or(table),
    }
}

/// The delimiter of the multi-line text that is open after a line.
fn left_open<'a>(line: &str, open: Option<&'a str>) -> Option<&'a str>
where
    'static: 'a,
{
    let (mut rest, mut open) = (line, open);
    loop {
        match open {
            Some(mark) => {
                rest = rest.split_once(mark)?.1;
                open = None;
            }
            None => {
                let found = [r#"""""#, "'''"].map(|mark| (rest.find(mark), mark));
                let first = found.into_iter().filter_map(|(at, mark)| Some((at?, mark))).min()?;
                rest = &rest[first.0 + 3..];
                open = Some(first.1);
            }
        }
        if open.is_some() && !rest.contains(open.unwrap_or_default()) {
            return open;
        }
    }
}

fn plain_key(key: &str) -> Option<String> {
    let key = key.trim();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '"' | '\'');
    let is_key = !key.is_empty() && key.len() <= KEY_CHARS_MAX && key.chars().all(is_plain);
    is_key.then(|| key.to_owned())
}

/// A message without the text or number in the file: `invalid type: string "…", expected …`.
fn without_values(message: &str) -> String {
    let is_about_value =
        ["invalid type: ", "invalid value: "].iter().any(|begin| message.starts_with(begin));
    let parts = message.split_once(": ").zip(message.rsplit_once(", expected "));
    match parts {
        Some(((what, found), (_, expected))) if is_about_value => {
            let kind = found.split([' ', '`', '"']).next().unwrap_or_default();
            format!("{what}: {kind}, expected {expected}")
        }
        Some(_) | None => message.lines().next().unwrap_or_default().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn mistake(text: &str) -> Mistake {
        Mistake::of(text, &toml::from_str::<Config>(text).unwrap_err())
    }

    #[test]
    fn a_mistake_is_told_with_its_place_and_key_and_without_the_value() {
        for (text, told) in [
            ("[plugins.vlan.config]\ntoken = 482911\n", "plugins.vlan.config.token"),
            ("[plugins.vlan.config]\ntoken = \"hunter2\n", "plugins.vlan.config.token"),
            ("[plugins.vlan.config]\ntoken = hunter2\n", "plugins.vlan.config.token"),
            ("[plugins.vlan.config]\ntoken = [\"hunter2\"]\n", "plugins.vlan.config.token"),
            ("[plugins.vlan]\nconfig = { token = 482911 }\n", "plugins.vlan.config"),
            ("[plugins.vlan]\nconfig = \"hunter2\"\n", "plugins.vlan.config"),
            ("[plugins.vlan]\nlimits = \"hunter2\"\n", "plugins.vlan.limits"),
            ("[plugins.vlan]\nhttp = [\"http://u:hunter2@nms\"]\n", "plugins.vlan.http"),
            (
                "[plugins.vlan.config]\npem = \"\"\"\nhunter2==\nx\n\" \"\"\" y\n",
                "plugins.vlan.config.pem",
            ),
            ("[plugins.vlan.config]\npem = '''\nhunter2 = '1'\n'\n", "plugins.vlan.config.pem"),
        ] {
            let mistake = mistake(text);
            assert_eq!(mistake.key.as_deref(), Some(told), "{text}: {mistake}");
            let shown = mistake.to_string();
            assert!(!shown.contains("hunter2") && !shown.contains("482911"), "{text}: {shown}");
        }
    }

    #[test]
    fn the_expected_type_is_named() {
        let told = |text: &str| mistake(text).to_string();
        assert_eq!(
            told("\n[plugins.vlan.config]\n  token = 482911\n"),
            "line 3, column 11, `plugins.vlan.config.token`: a setting is a text in quotes"
        );
        let wrong = told("[billing]\ntax-rate = -1\n");
        assert!(
            wrong.starts_with(
                "line 2, column 12, `billing.tax-rate`: expected a number from 0 to 100"
            ),
            "{wrong}"
        );
        let wrong = told("listen = 5\n");
        assert!(
            wrong.starts_with("line 1, column 10, `listen`: invalid type: integer, expected"),
            "{wrong}"
        );
        let wrong = told("[host]\ncompile-cpu-s = 0\n");
        assert!(wrong.contains("`host.compile-cpu-s`: expected a number from 1 to"), "{wrong}");
    }
}
