//! Texts in Helvetica: its characters (Windows-1252), how wide they are, and where lines break.

/// A text in the bytes of the font.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) bytes: Vec<u8>,
    /// Whether a character of it is written as another, as the font does not have it.
    pub(super) is_lossy: bool,
}

impl Text {
    /// A text, or the beginning of it if it has more characters than this.
    pub(super) fn of(text: &str, chars_max: usize) -> Self {
        let mut own = Self::default();
        for c in text.chars().take(chars_max) {
            let byte = byte(c);
            own.is_lossy |= byte.is_none();
            own.bytes.push(byte.unwrap_or(b'?'));
        }
        if text.chars().nth(chars_max).is_some() {
            own.bytes.extend(b"...");
        }
        own
    }

    /// Its lines: broken at spaces, and within words that are too long for a line. No line of an
    /// empty text.
    pub(super) fn wrapped(&self, room: f32, size: f32) -> Vec<Self> {
        let mut lines: Vec<Vec<u8>> = Vec::new();
        let mut line: Vec<u8> = Vec::new();
        for word in self.bytes.split(|byte| *byte == b' ').filter(|word| !word.is_empty()) {
            let space = usize::from(!line.is_empty());
            let together = [&line[..], &b" "[..space], word].concat();
            if width(&together, size) <= room {
                line = together;
                continue;
            }
            if !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            for byte in word {
                line.push(*byte);
                if width(&line, size) > room && line.len() > 1 {
                    line.pop();
                    lines.push(std::mem::replace(&mut line, vec![*byte]));
                }
            }
        }
        if !line.is_empty() {
            lines.push(line);
        }
        let is_lossy = self.is_lossy;
        lines.into_iter().map(|bytes| Self { bytes, is_lossy }).collect()
    }
}

/// How wide a text is in points. The bold letters are a little wider, which columns have room for.
pub(super) fn width(bytes: &[u8], size: f32) -> f32 {
    let thousandths: u32 = bytes.iter().map(|byte| u32::from(width_of(*byte))).sum();
    // A text has a few hundred characters: the sum is exact.
    thousandths as f32 * size / 1_000.0
}

/// The widths of Helvetica, in thousandths of the size. Letters with accents are not wider than the
/// widest without.
fn width_of(byte: u8) -> u16 {
    usize::from(byte).checked_sub(32).and_then(|index| WIDTHS.get(index)).copied().unwrap_or(778)
}

/// Those of the characters 32 to 126.
const WIDTHS: [u16; 95] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556,
    556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667,
    611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667,
    667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500,
    222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
];

/// The byte of a character. Line breaks and tabs are spaces.
fn byte(c: char) -> Option<u8> {
    match c {
        '\t' | '\n' | '\r' => Some(b' '),
        ' '..='~' | '\u{a0}'..='\u{ff}' => u8::try_from(u32::from(c)).ok(),
        _ => HIGH.iter().find(|(high, _)| *high == c).map(|(_, byte)| *byte),
    }
}

/// The characters of Windows-1252 that are elsewhere in Unicode.
const HIGH: [(char, u8); 27] = [
    ('€', 0x80),
    ('‚', 0x82),
    ('ƒ', 0x83),
    ('„', 0x84),
    ('…', 0x85),
    ('†', 0x86),
    ('‡', 0x87),
    ('ˆ', 0x88),
    ('‰', 0x89),
    ('Š', 0x8a),
    ('‹', 0x8b),
    ('Œ', 0x8c),
    ('Ž', 0x8e),
    ('‘', 0x91),
    ('’', 0x92),
    ('“', 0x93),
    ('”', 0x94),
    ('•', 0x95),
    ('–', 0x96),
    ('—', 0x97),
    ('˜', 0x98),
    ('™', 0x99),
    ('š', 0x9a),
    ('›', 0x9b),
    ('œ', 0x9c),
    ('ž', 0x9e),
    ('Ÿ', 0x9f),
];
