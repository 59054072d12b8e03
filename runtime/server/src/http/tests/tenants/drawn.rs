//! Hides what differs from one time to the next: times, and ids that are drawn. An id has the same name
//! wherever it stands, so that what leads where is compared.

use std::collections::BTreeMap;

use super::Answer;

/// A run of hexadecimal digits and `-` that is at least this long is an id or a secret.
const DRAWN_MIN: usize = 12;

/// The ids that were seen, each with its name.
#[derive(Default)]
pub(super) struct Drawn(BTreeMap<String, usize>);

impl Drawn {
    /// An answer without them.
    pub(super) fn hide(&mut self, answer: &Answer) -> String {
        let text = format!("{} {}\n{}", answer.status, answer.headers, answer.text);
        let (mut hidden, mut run) = (String::new(), String::new());
        for letter in text.chars() {
            if letter.is_ascii_hexdigit() || "-:.TZ".contains(letter) {
                run.push(letter);
                continue;
            }
            hidden.push_str(&self.name(&std::mem::take(&mut run)));
            hidden.push(letter);
        }
        hidden + &self.name(&run)
    }

    fn name(&mut self, run: &str) -> String {
        let digits = run.chars().filter(char::is_ascii_digit).count();
        // `2026-11-30T01:12:16Z`, or a time in a header.
        if digits >= 8 && run.contains(':') {
            return "<time>".into();
        }
        if run.len() < DRAWN_MIN || digits == 0 {
            return run.to_owned();
        }
        let next = self.0.len();
        format!("<{}>", self.0.entry(run.to_owned()).or_insert(next))
    }
}
