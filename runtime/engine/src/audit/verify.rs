//! Verifies the chain, entry by entry: it names each that was changed, is missing, was inserted, stands at
//! another place, or was cut off at the end.

use std::collections::BTreeMap;

use super::chain::{Anchor, Hash, Head, Stored};
use super::{Entry, PRUNED};
use crate::keys;
use crate::store::{Error, Scan, Store, pages};

/// Facts that are read from the store at once.
const FACTS_AT_ONCE: usize = 1_024;

/// Max findings; after them only their number is counted.
const FINDINGS_MAX: usize = 1_000;

/// Something wrong with the chain. Entries are named by their numbers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Finding {
    #[error("entry {0} was changed")]
    Changed(u64),
    #[error("entry {0} may have been changed: the entry after it holds another hash than it has")]
    Doubtful(u64),
    #[error("entry {0} is missing")]
    Missing(u64),
    #[error("entries {from} to {to} are missing")]
    Gap { from: u64, to: u64 },
    #[error("entry {0} was inserted: there are two of this number")]
    Inserted(u64),
    #[error("entry {0} was inserted after the head")]
    AfterHead(u64),
    #[error("entry {0} stands at another place: after entry {1}")]
    Reordered(u64, u64),
    #[error("the entries after {last} were cut off: the head is entry {head}")]
    Truncated { last: u64, head: u64 },
    #[error("the beginning of the chain is not where the last removal of entries left it")]
    AnchorUnknown,
    #[error("the head that was kept is not in the chain: it was cut off or written anew since")]
    HeadUnknown,
    #[error("what stands in the place of entry {0} cannot be read")]
    Unreadable(u64),
}

/// Follows a chain.
#[derive(Debug)]
pub struct Verifier {
    findings: Vec<Finding>,
    /// The number of findings beyond the limit.
    pub more: u64,
    /// The number of entries.
    pub entries: u64,
    /// The last entry of those in order.
    last: Head,
    /// Whether the hash of the last entry is what the next one must hold.
    link: Link,
    /// The ranges that were missing when they were passed, with the hash that their last entry must have.
    gaps: BTreeMap<u64, (u64, Option<Hash>)>,
    /// A head that was kept elsewhere, until it is found.
    kept: Option<Hash>,
    /// Where the chain begins, until the entry that tells of it is found.
    anchor: Option<Hash>,
    /// The number before the first entry: no entry has it.
    begin: u64,
}

/// What is known of the last entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    /// It follows from the entry before.
    Sound,
    /// It holds another hash than the entry before has: one of the two was changed, and the next entry
    /// tells which.
    Doubtful,
    /// Its hash is not known.
    Unknown,
}

impl Verifier {
    /// Begins after an anchor, which is the beginning of the chain by default. `kept` is a head that was
    /// kept elsewhere, and must be in the chain.
    pub fn after(anchor: Anchor, kept: Option<Hash>) -> Self {
        let kept = kept.filter(|kept| *kept != anchor.hash);
        let (findings, gaps) = (Vec::new(), BTreeMap::new());
        let begins = (anchor != Anchor::default()).then_some(anchor.hash);
        Self {
            findings,
            more: 0,
            entries: 0,
            last: anchor,
            link: Link::Sound,
            gaps,
            kept,
            anchor: begins,
            begin: anchor.sequence,
        }
    }

    /// Begins before any entry: the first one that is given is where the chain begins.
    pub fn anywhere(kept: Option<Hash>) -> Self {
        Self { link: Link::Unknown, ..Self::after(Anchor::default(), kept) }
    }

    /// The last entry that was in order.
    pub fn last(&self) -> Head {
        self.last
    }

    /// Takes what stands in the place of the next entry and is none.
    pub fn unreadable(&mut self) {
        let sequence = self.last.sequence + 1;
        self.find(Finding::Unreadable(sequence));
        if self.is_before_first() {
            return;
        }
        self.doubts();
        self.last = Head { sequence, hash: Hash::default() };
        self.link = Link::Unknown;
    }

    /// Takes the next entry, of which a line holds this hash.
    pub fn take_line(&mut self, stored: &Stored, hash: Hash) {
        let before = self.last;
        self.take(stored);
        if stored.hash() != hash && self.last != before {
            self.doubts();
            self.find(Finding::Changed(self.last.sequence));
            self.link = Link::Unknown;
        }
    }

    /// Takes the next entry.
    pub fn take(&mut self, stored: &Stored) {
        let Ok(entry) = stored.entry() else { return self.unreadable() };
        self.entries += 1;
        let (sequence, hash) = (entry.sequence, stored.hash());
        if self.kept == Some(hash) {
            self.kept = None;
        }
        if entry.action == PRUNED && self.is_anchored_by(&entry) {
            self.anchor = None;
        }
        if self.is_before_first() {
            self.last = Head { sequence, hash };
            self.link = Link::Sound;
            return;
        }
        if sequence <= self.last.sequence {
            return self.late(sequence, hash);
        }
        let next = self.last.sequence + 1;
        if sequence > next {
            self.doubts();
            self.gaps.insert(next, (sequence - 1, Some(stored.previous)));
            self.link = Link::Unknown;
        }
        self.link = match self.link {
            Link::Unknown => Link::Sound,
            _ if stored.previous != self.last.hash => {
                // The last of a row that does not fit was changed; those before it may have been.
                self.doubts();
                Link::Doubtful
            }
            Link::Doubtful => {
                self.changed_before();
                Link::Sound
            }
            Link::Sound => Link::Sound,
        };
        self.last = Head { sequence, hash };
    }

    /// Whether an entry tells of the removal that left the chain to begin where it does.
    fn is_anchored_by(&self, entry: &Entry) -> bool {
        let told = entry.digests.iter().find_map(|digested| digested.after.as_deref());
        self.anchor.is_some_and(|anchor| told == Some(anchor.to_string().as_str()))
    }

    /// Whether no entry was taken, and any may be the first.
    fn is_before_first(&self) -> bool {
        self.link == Link::Unknown && self.last == Head::default()
    }

    /// An entry that stands behind a later one.
    fn late(&mut self, sequence: u64, hash: Hash) {
        let gap = self.gaps.range(..=sequence).next_back().map(|(from, gap)| (*from, *gap));
        let Some((from, (to, held))) = gap.filter(|(_, (to, _))| *to >= sequence) else {
            return self.find(Finding::Inserted(sequence));
        };
        self.find(Finding::Reordered(sequence, self.last.sequence));
        if sequence == to && held.is_some_and(|held| held != hash) {
            self.find(Finding::Changed(sequence));
        }
        self.gaps.remove(&from);
        if from < sequence {
            self.gaps.insert(from, (sequence - 1, None));
        }
        if sequence < to {
            self.gaps.insert(sequence + 1, (to, held));
        }
    }

    /// Ends at a head; without one the last entry is the end.
    pub fn end(mut self, head: Option<Head>) -> (Vec<Finding>, u64) {
        if let Some(head) = head {
            if self.last.sequence < head.sequence {
                self.doubts();
                let last = self.last.sequence;
                self.find(Finding::Truncated { last, head: head.sequence });
            } else if self.last.sequence > head.sequence {
                self.doubts();
                for sequence in head.sequence + 1..=self.last.sequence.min(head.sequence + 100) {
                    self.find(Finding::AfterHead(sequence));
                }
            } else if self.link != Link::Unknown && self.last.hash != head.hash {
                self.doubts();
                self.find(Finding::Changed(self.last.sequence));
            } else if self.link == Link::Doubtful {
                self.changed_before();
            }
        } else {
            self.doubts();
        }
        for (from, (to, _)) in std::mem::take(&mut self.gaps) {
            let gap = if from == to { Finding::Missing(from) } else { Finding::Gap { from, to } };
            self.find(gap);
        }
        if self.anchor.is_some() {
            self.find(Finding::AnchorUnknown);
        }
        if self.kept.is_some() {
            self.find(Finding::HeadUnknown);
        }
        (self.findings, self.more)
    }

    /// The entry before the last does not fit, and the last does: a first entry that is sound, and follows from
    /// nothing, is not the first one of this chain.
    fn changed_before(&mut self) {
        let before = self.last.sequence - 1;
        if before > self.begin {
            return self.find(Finding::Changed(before));
        }
        self.anchor = None;
        self.find(Finding::AnchorUnknown);
    }

    /// Tells of a doubt that is not resolved: either of two may have been changed.
    fn doubts(&mut self) {
        if self.link == Link::Doubtful && self.last.sequence - 1 > self.begin {
            self.find(Finding::Doubtful(self.last.sequence - 1));
        }
    }

    fn find(&mut self, finding: Finding) {
        match self.findings.len() < FINDINGS_MAX {
            true => self.findings.push(finding),
            false => self.more += 1,
        }
    }
}

/// Verifies the chain of a store that is not written meanwhile. Returns what was found, the number of
/// findings beyond the limit, the number of entries, and the head.
pub fn verify(
    store: &dyn Store,
    kept: Option<Hash>,
) -> Result<(Vec<Finding>, u64, u64, Head), Error> {
    let (anchor, head) = (Head::anchor(store)?, Head::of(store)?);
    let mut verifier = Verifier::after(anchor, kept);
    for page in pages(store, Scan::prefix(keys::AUDIT, FACTS_AT_ONCE)) {
        for (_, bytes) in page? {
            match Stored::read(bytes) {
                Some(stored) => verifier.take(&stored),
                None => verifier.unreadable(),
            }
        }
    }
    let entries = verifier.entries;
    let (findings, more) = verifier.end(Some(head));
    Ok((findings, more, entries, head))
}
