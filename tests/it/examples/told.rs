//! The examples as they stand in the page.

use std::collections::BTreeMap;

/// What has to be set for an example: its lines before the first date.
pub(crate) type Settings = BTreeMap<String, String>;

#[derive(Clone, Debug)]
pub(crate) struct Example {
    /// The rule above it, such as `2.4`.
    pub(crate) rule: String,
    pub(crate) settings: Settings,
    pub(crate) steps: Vec<Step>,
    pub(crate) text: String,
}

/// A line that is told at a time.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    /// Milliseconds since 1970.
    pub(crate) at: i64,
    pub(crate) line: String,
    pub(crate) words: String,
}

/// A step without an hour is told at eight.
const HOUR: &str = "08:00";

pub(crate) fn read(page: &str) -> Vec<Example> {
    let mut examples = Vec::new();
    let mut rule = String::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let number = line.split(". ").next().unwrap_or_default();
        let is_rule = number.split('.').count() == 2
            && number.split('.').all(|part| !part.is_empty() && part.parse::<u32>().is_ok());
        if is_rule {
            rule = number.to_owned();
        }
        if line == "```example" {
            let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            examples.push(example(&rule, &block));
        }
    }
    examples
}

fn example(rule: &str, block: &[&str]) -> Example {
    let mut settings = Settings::new();
    let mut steps = Vec::new();
    for line in block.iter().filter(|line| !line.starts_with(' ')) {
        let (first, rest) = line.split_once(' ').unwrap_or((line, ""));
        if !first.starts_with(|c: char| c.is_ascii_digit()) {
            settings.insert(first.to_owned(), rest.trim().to_owned());
            continue;
        }
        let (hour, words) = match rest.split_once(' ') {
            Some((hour, words)) if hour.contains(':') && hour.len() == 5 => (hour, words),
            _ => (HOUR, rest),
        };
        let at = instant(first, hour);
        steps.push(Step { at, line: (*line).to_owned(), words: words.trim().to_owned() });
    }
    Example { rule: rule.to_owned(), settings, steps, text: block.join("\n") }
}

/// A date and an hour in UTC.
pub(crate) fn instant(date: &str, hour: &str) -> i64 {
    let text = format!("{date}T{hour}:00Z");
    tmf::time::Timestamp::parse(&text).unwrap_or_else(|| panic!("`{text}` is no time")).0
}
