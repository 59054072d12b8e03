//! The trace that a fulfilment belongs to (W3C Trace Context): it came with the request that submitted
//! it, or was begun for that. It is kept beside the journal, so that what is done after a crash belongs
//! to the same trace.
//!
//! The ids of spans that outlive a process, of a fulfilment and of its tasks, follow from the trace and
//! their names: each side computes them.

use std::fmt;

use model::{Direction, FulfilmentId, TaskId};

/// A span of a trace, as the parent of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trace {
    /// The id of the trace.
    pub id: [u8; 16],
    /// The id of the span.
    pub span: [u8; 8],
    /// Whether the trace is recorded.
    pub sampled: Sampled,
}

/// Whether a trace is recorded, as who began it decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sampled {
    /// Its spans are exported.
    Yes,
    /// It is only passed on.
    No,
}

impl Trace {
    /// Reads a header `traceparent`; `None` if it is not one.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim().split('-');
        let version = parts.next().filter(|version| version.len() == 2 && *version != "ff")?;
        from_hex::<1>(version)?;
        let id = from_hex::<16>(parts.next()?)?;
        let span = from_hex::<8>(parts.next()?)?;
        let [flags] = from_hex::<1>(parts.next()?)?;
        // Version 00 has four parts; a later one may have more.
        let is_whole = version != "00" || parts.next().is_none();
        let sampled = if flags & 1 == 1 { Sampled::Yes } else { Sampled::No };
        let is_valid = is_whole && id != [0; 16] && span != [0; 8];
        is_valid.then_some(Self { id, span, sampled })
    }

    /// The span of a fulfilment, below the request that submitted it.
    pub fn fulfilment(&self, fulfilment: &FulfilmentId) -> Self {
        self.named(fulfilment.as_str())
    }

    /// The span of a task of a fulfilment, or of its undo.
    pub fn task(&self, fulfilment: &FulfilmentId, task: TaskId, direction: Direction) -> Self {
        self.named(&match direction {
            Direction::Forward => format!("{fulfilment}:{task}"),
            Direction::Backward => format!("{fulfilment}:{task}:undo"),
        })
    }

    /// The span with this name below this one.
    pub fn named(&self, name: &str) -> Self {
        // FNV-1a: it must be the same in every build, and a collision harms only a picture.
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for byte in self.id.iter().chain(&self.span).chain(name.as_bytes()) {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
        Self { span: hash.max(1).to_be_bytes(), ..*self }
    }
}

impl fmt::Display for Trace {
    /// The header `traceparent`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flags = match self.sampled {
            Sampled::Yes => "01",
            Sampled::No => "00",
        };
        write!(f, "00-{}-{}-{flags}", hex::encode(self.id), hex::encode(self.span))
    }
}

/// Reads lower-case hexadecimal digits.
pub(crate) fn from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.contains(|letter: char| letter.is_ascii_uppercase()) {
        return None;
    }
    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes).ok().map(|()| bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn a_header_is_read_and_written() {
        let trace = Trace::parse(HEADER).unwrap();
        assert_eq!((trace.to_string().as_str(), trace.sampled), (HEADER, Sampled::Yes));
        let silent = Trace::parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00");
        assert_eq!(silent.unwrap().sampled, Sampled::No);
        let later = format!("cc{}-more", &HEADER[2..]);
        assert_eq!(Trace::parse(&later), Some(trace));
    }

    #[test]
    fn another_header_is_none() {
        for wrong in [
            "",
            "00",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319é-b7ad6b7169203331-01",
        ] {
            assert_eq!(Trace::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn spans_have_names_that_do_not_change() {
        let trace = Trace::parse(HEADER).unwrap();
        let id = FulfilmentId::new("f");
        let task = |task, direction| trace.task(&id, TaskId(task), direction);
        let (forward, backward) = (Direction::Forward, Direction::Backward);
        let spans = [trace.fulfilment(&id), task(0, forward), task(1, forward), task(0, backward)];
        let all: std::collections::BTreeSet<_> = spans.iter().map(|span| span.span).collect();
        assert_eq!(all.len(), 4);
        assert!(spans.iter().all(|span| span.id == trace.id));
        assert_eq!(hex::encode(spans[0].span), "76f73341b005bd35");
    }
}
