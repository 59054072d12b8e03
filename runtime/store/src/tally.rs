//! What a store must hold, in two numbers that every commit writes with its cells: how many commits there were, and a
//! sum over all of their records. A log that lost a part of itself in the middle may still be read, without records or
//! with older ones; the sum of what is read is then another.

/// The number of commits, and the sum over their records. In a store of the first form it is the sum of all cells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) commits: u64,
    sum: u64,
}

impl Tally {
    /// The tally of a store that was made after this many commits of another.
    pub(crate) fn begun(commits: u64) -> Self {
        Self { commits, sum: 0 }
    }

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

    /// The tally after one more commit with this record, which depends on all records before it.
    pub(crate) fn after(self, record: &[u8]) -> Self {
        let commits = self.commits + 1;
        let sum = weight(&self.write(), record);
        Self { commits, sum }
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
