//! Masks bytes as they come, also where a value is cut in two.

use std::sync::Arc;

use super::Patterns;

/// Masks a stream of bytes.
pub(crate) struct Stream {
    patterns: Arc<Patterns>,
    /// What may be the beginning of a value.
    left: Vec<u8>,
}

impl Stream {
    pub(crate) fn new(patterns: &Arc<Patterns>) -> Self {
        Self { patterns: Arc::clone(patterns), left: Vec::new() }
    }

    /// Takes bytes, and returns those that no later ones can change.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.left.extend_from_slice(bytes);
        self.mask((self.left.len() + 1).saturating_sub(self.patterns.longest()))
    }

    /// Returns what is left when the stream has ended.
    pub(crate) fn finish(&mut self) -> Vec<u8> {
        self.mask(self.left.len())
    }

    /// Takes out what begins before `end`.
    fn mask(&mut self, end: usize) -> Vec<u8> {
        let mut masked = Vec::with_capacity(end);
        let taken = self.patterns.replace_to(&self.left, end, &mut masked);
        self.left.drain(..taken);
        masked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_masked_wherever_the_stream_is_cut() {
        let texts = [("correct horse", "[secret a]"), ("correct", "[secret b]")];
        let texts = texts.map(|(form, stand_in)| (form.to_owned(), stand_in.into()));
        let patterns = Arc::new(Patterns::new(&texts.into()));
        let text = b"a correct horse, a correct cat, correct hors";
        let wanted = "a [secret a], a [secret b] cat, [secret b] hors";
        for first in 0..text.len() {
            for second in first..text.len() {
                let mut stream = Stream::new(&patterns);
                let mut masked = stream.push(&text[..first]);
                masked.extend(stream.push(&text[first..second]));
                masked.extend(stream.push(&text[second..]));
                masked.extend(stream.finish());
                assert_eq!(String::from_utf8(masked).unwrap(), wanted, "{first} {second}");
            }
        }
    }
}
