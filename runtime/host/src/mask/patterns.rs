//! The values that are masked, and what stands in the place of each.

use std::collections::BTreeMap;
use std::sync::Arc;

use aho_corasick::{AhoCorasick, MatchKind};
use zeroize::Zeroizing;

use super::SECRET_BYTES_MIN;

/// What is masked. Of values that begin at one place the longest is found.
pub(crate) struct Patterns {
    /// `None` if there are none.
    find: Option<AhoCorasick>,
    forms: Vec<Zeroizing<String>>,
    /// What stands in the place of each.
    stand_ins: Vec<Arc<str>>,
    longest: usize,
}

impl Patterns {
    /// The patterns of these texts, which are not empty.
    pub(super) fn new(texts: &BTreeMap<String, Arc<str>>) -> Self {
        let longest = texts.keys().map(String::len).max().unwrap_or(0);
        let find = (!texts.is_empty()).then(|| {
            let mut builder = AhoCorasick::builder();
            builder.match_kind(MatchKind::LeftmostLongest).build(texts.keys())
        });
        let find = find.map(|find| find.expect("settings and secrets are bounded in size"));
        Self {
            find,
            forms: texts.keys().map(|form| Zeroizing::new(form.to_owned())).collect(),
            stand_ins: texts.values().map(Arc::clone).collect(),
            longest,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.find.is_none()
    }

    pub(super) fn len(&self) -> usize {
        self.stand_ins.len()
    }

    pub(super) fn longest(&self) -> usize {
        self.longest
    }

    pub(super) fn is_in(&self, text: &str) -> bool {
        self.find.as_ref().is_some_and(|find| find.is_match(text))
    }

    pub(super) fn replace(&self, text: String) -> String {
        match &self.find {
            Some(find) if find.is_match(&text) => find.replace_all(&text, &self.stand_ins),
            Some(_) | None => text,
        }
    }

    /// Replaces what begins in the first bytes of a text. Returns how far it came.
    pub(super) fn replace_to(&self, text: &[u8], end: usize, replaced: &mut Vec<u8>) -> usize {
        let mut at = 0;
        for found in self.find.iter().flat_map(|find| find.find_iter(text)) {
            if found.start() >= end {
                break;
            }
            replaced.extend_from_slice(&text[at..found.start()]);
            replaced.extend_from_slice(self.stand_ins[found.pattern().as_usize()].as_bytes());
            at = found.end();
        }
        if at < end {
            replaced.extend_from_slice(&text[at..end]);
            at = end;
        }
        at
    }

    /// The bytes at the end of a text that begin a value.
    pub(super) fn begun(&self, text: &str) -> usize {
        let part = |form: &str| {
            let lengths = (SECRET_BYTES_MIN..form.len().min(text.len() + 1)).rev();
            let mut parts = lengths.filter(|&bytes| form.is_char_boundary(bytes));
            parts.find(|&bytes| text.ends_with(&form[..bytes])).unwrap_or(0)
        };
        self.forms.iter().map(|form| part(form)).max().unwrap_or(0)
    }

    /// What stands in the place of a whole text.
    pub(super) fn stand_in(&self, whole: &str) -> Option<&str> {
        let found = self.find.as_ref()?.find(whole)?;
        let is_whole = found.len() == whole.len();
        is_whole.then(|| &*self.stand_ins[found.pattern().as_usize()])
    }
}
