//! What a store must hold, in two numbers that every commit writes with its facts: how many commits
//! there were, and a sum over all cells. A log that lost a part of itself in the middle may still be
//! read, with older values in the place of newer ones; the sum of what is read is then another.

/// The number of commits, and the sum of all cells after them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) commits: u64,
    sum: u64,
}

impl Tally {
    /// Reads the output of [`Tally::write`]; `None` if the bytes are anything else.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let (commits, sum) = bytes.split_at_checked(8)?;
        let number = |bytes: &[u8]| Some(u64::from_be_bytes(bytes.try_into().ok()?));
        Some(Self { commits: number(commits)?, sum: number(sum)? })
    }

    pub(crate) fn write(self) -> [u8; 16] {
        (u128::from(self.commits) << 64 | u128::from(self.sum)).to_be_bytes()
    }

    /// Counts a cell that comes.
    pub(crate) fn add(&mut self, key: &[u8], cell: &[u8]) {
        self.sum = self.sum.wrapping_add(weight(key, cell));
    }

    /// Counts a cell that goes.
    pub(crate) fn take(&mut self, key: &[u8], cell: &[u8]) {
        self.sum = self.sum.wrapping_sub(weight(key, cell));
    }

    /// Takes over the cells of another, and keeps the number of commits.
    pub(crate) fn adopt(&mut self, other: &Self) {
        self.sum = other.sum;
    }

    /// Whether the cells are the same.
    pub(crate) fn has_cells_of(&self, other: &Self) -> bool {
        self.sum == other.sum
    }
}

/// The weight of a cell: its checksum, spread over 64 bits, so that the sum of many differs where
/// one of them does.
fn weight(key: &[u8], cell: &[u8]) -> u64 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&(key.len() as u64).to_be_bytes());
    hasher.update(key);
    hasher.update(cell);
    let mut mixed = u64::from(hasher.finalize()) | (cell.len() as u64) << 32;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests;
