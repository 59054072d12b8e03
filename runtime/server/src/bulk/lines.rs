//! Splits chunks of any size into numbered lines.

/// A line without its terminator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// Its number, from 1.
    pub(crate) number: u64,
    /// Its content.
    pub(crate) bytes: Vec<u8>,
}

/// A line exceeds the limit.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {number} has more than {bytes_max} bytes")]
pub(crate) struct TooLong {
    pub(crate) number: u64,
    /// The limit.
    pub(crate) bytes_max: usize,
}

/// A splitter of lines.
#[derive(Debug)]
pub(crate) struct Lines {
    rest: Vec<u8>,
    /// The number of complete lines.
    count: u64,
    bytes_max: usize,
}

impl Lines {
    /// Lines of at most `bytes_max` bytes, after `count` lines that were left out.
    pub(crate) fn after(count: u64, bytes_max: usize) -> Self {
        Self { rest: Vec::new(), count, bytes_max }
    }

    /// Adds a chunk, and returns the lines that it completes. Empty lines have a number, and
    /// are skipped.
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

    /// The last line, if it has no terminator.
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
