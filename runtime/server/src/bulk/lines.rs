//! Cuts what comes in, in pieces of any size, into numbered lines.

/// A line without its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// Its number, from 1.
    pub(crate) number: u64,
    /// What stands on it.
    pub(crate) bytes: Vec<u8>,
}

/// A line is longer than may be.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {number} has more than {bytes_max} bytes")]
pub(crate) struct TooLong {
    /// Its number.
    pub(crate) number: u64,
    /// What a line may have.
    pub(crate) bytes_max: usize,
}

/// Lines in the making.
#[derive(Debug)]
pub(crate) struct Lines {
    rest: Vec<u8>,
    /// How many lines are whole.
    count: u64,
    bytes_max: usize,
}

impl Lines {
    /// Lines of at most `bytes_max` bytes, after `count` lines that were left out.
    pub(crate) fn after(count: u64, bytes_max: usize) -> Self {
        Self { rest: Vec::new(), count, bytes_max }
    }

    /// Takes a piece, and gives the lines that are whole with it. Empty lines have a number, and
    /// are passed over.
    pub(crate) fn push(&mut self, piece: &[u8]) -> Result<Vec<Line>, TooLong> {
        let mut lines = Vec::new();
        let mut parts = piece.split(|byte| *byte == b'\n').peekable();
        while let Some(part) = parts.next() {
            self.rest.extend_from_slice(part);
            if self.rest.len() > self.bytes_max {
                return Err(TooLong { number: self.count + 1, bytes_max: self.bytes_max });
            }
            if parts.peek().is_some() {
                lines.extend(self.end());
            }
        }
        Ok(lines)
    }

    /// The last line, where it has no end.
    pub(crate) fn finish(mut self) -> Option<Line> {
        if self.rest.is_empty() { None } else { self.end() }
    }

    fn end(&mut self) -> Option<Line> {
        self.count += 1;
        let bytes = std::mem::take(&mut self.rest);
        let is_empty = bytes.iter().all(u8::is_ascii_whitespace);
        (!is_empty).then_some(Line { number: self.count, bytes })
    }
}

#[cfg(test)]
mod tests;
