//! Idioms that comments, messages, names and documentation do without, because a stranger would have
//! to translate them.

use std::path::Path;

use regex_lite::Regex;

/// A pattern, and what to write instead.
const IDIOMS: [(&str, &str); 13] = [
    (r"(?i)\bnothing where\b", "`None` if, or `empty if`"),
    (r"(?i)\bso (?:many|long|much)\b", "`max`, `limit`, `timeout`, or the number"),
    (r"(?i)\bwhoever\b", "the role: client, operator, caller, subscriber"),
    (r"(?i)\b(?:some|no)body\b", "the role: client, operator, caller; `no one` of people"),
    (
        r"(?i)\b(?:take|takes|taken|taking|took)(?: \w+)? back\b",
        "`undo`, `roll back`, `revert` or `return`",
    ),
    (r"(?i)\b(?:is|are|was|were) no more\b", "`was removed`, `no longer exists`"),
    (r"(?i)\bin another way\b", "`with other input`, `differently`"),
    (r"(?i)\banother now\b", "`has changed`"),
    (r"(?i)\b(?:held|hold|holds|holding)(?: \w+){0,3} against\b", "`validated against`"),
    (r"(?i)\bsays\b", "`has`, `names`, `sets`, `states`, or the verb of the function"),
    (r"(?i)\b(?:come|comes|came|coming) to be\b", "`is created`, `becomes`"),
    (r"(?i)\bat the most\b", "`at most`"),
    (WHAT, "a noun as the subject: `missing attributes`, `the failed task`"),
];

/// A sentence whose subject is a clause with `what`, or a test whose name begins with it.
const WHAT: &str = concat!(
    r"(?:^|[.|] )What(?: [^ .,;:?]+){2,9}? (?:is|are|was|were) \w+",
    r"|^(?:pub )?(?:async )?fn what ",
);

/// The kinds of files that are searched. Published contracts (`wit/0.1`) are frozen.
const SEARCHED: [&str; 6] = ["md", "rs", "toml", "txt", "wit", "yaml"];

#[test]
fn idioms_are_plain_english() {
    let Some(files) = super::tracked() else { return };
    let idioms = IDIOMS.map(|(pattern, instead)| (Regex::new(pattern).unwrap(), instead));
    let searched = files.iter().filter(|(name, _)| is_searched(name));
    let places: Vec<String> =
        searched.flat_map(|(name, text)| places(name, text, &idioms)).collect();
    assert!(places.is_empty(), "\n{}", places.join("\n"));
}

#[test]
fn idioms_are_found_across_lines() {
    let idioms = IDIOMS.map(|(pattern, instead)| (Regex::new(pattern).unwrap(), instead));
    let text = "/// Is empty, and nothing\n/// where it is gone.\nfn a() {}\n";
    let found = places("a.rs", text, &idioms);
    assert_eq!(found, ["a.rs:1: nothing where: write `None` if, or `empty if`"]);
    let text = "#[test]\nfn what_is_gone_is_gone() {\n    let a = 1; // So that it ends.\n}\n";
    let found = places("a.rs", text, &idioms);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("a.rs:2: fn what :"), "{found:?}");
}

fn is_searched(name: &str) -> bool {
    let kind = Path::new(name).extension().and_then(|kind| kind.to_str()).unwrap_or_default();
    let is_frozen = name.starts_with("wit/0.1/");
    SEARCHED.contains(&kind) && name != "tests/it/tidy/words.rs" && !is_frozen
}

fn places(name: &str, text: &str, idioms: &[(Regex, &str)]) -> Vec<String> {
    let mut places = Vec::new();
    for passage in passages(name, text) {
        for (idiom, instead) in idioms {
            for found in idiom.find_iter(&passage.text) {
                let line = passage.line_at(found.start());
                places.push(format!("{name}:{line}: {}: write {instead}", found.as_str()));
            }
        }
    }
    places
}

/// Lines that are read as one: a comment, a paragraph, or a line of code.
#[derive(Default)]
struct Passage {
    text: String,
    /// Where each line begins in the text, and its number.
    lines: Vec<(usize, usize)>,
}

impl Passage {
    fn add(&mut self, number: usize, line: &str) {
        if !self.text.is_empty() {
            self.text.push(' ');
        }
        self.lines.push((self.text.len(), number));
        self.text.push_str(line);
    }

    fn line_at(&self, offset: usize) -> usize {
        let before = self.lines.iter().take_while(|(start, _)| *start <= offset);
        before.last().map_or(0, |(_, number)| *number)
    }
}

fn passages(name: &str, text: &str) -> Vec<Passage> {
    let is_prose = name.ends_with(".md");
    let mut passages = vec![Passage::default()];
    let mut continues = false;
    for (number, line) in (1..).zip(text.lines()) {
        let (line, is_text) = match comment(name, line) {
            Some(comment) => (comment.to_string(), true),
            None if is_prose => (line.trim().to_string(), !begins(line.trim())),
            None => (line.trim().replace('_', " "), false),
        };
        if !(continues && is_text) {
            passages.push(Passage::default());
        }
        let line = line.trim_start_matches(['|', ' ', '-', '#']);
        passages.last_mut().expect("there is one").add(number, line);
        continues = !line.is_empty() && (is_text || is_prose);
    }
    passages
}

/// The text of a line that is a comment.
fn comment<'a>(name: &str, line: &'a str) -> Option<&'a str> {
    let line = line.trim_start();
    if name.ends_with(".rs") || name.ends_with(".wit") {
        let text = line.strip_prefix("//")?;
        return Some(text.trim_start_matches(['/', '!']).trim());
    }
    if name.ends_with(".md") { None } else { line.strip_prefix('#').map(str::trim) }
}

/// Whether a line of Markdown begins a heading, an item or a row.
fn begins(line: &str) -> bool {
    line.is_empty() || line.starts_with(['#', '|', '-', '*', '`', '>'])
}
