//! The facts of an open store: what readers see, and how a commit gets into it.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use engine::store::{Direction, Epoch, Error, Fact, Scan, pieces};

use crate::failure::Failure;
use crate::form::{Form, Misread};
use crate::layout::{self, KEYS, OWNER, STORE, TALLY};
use crate::range::range as places;
use crate::record::Change;
use crate::seal::Seal;
use crate::tables::{Cell, Range, Reading, Tables};
use crate::tally::Tally;

/// The writes of one commit: for each key the last value that was asked for.
pub(crate) type Writes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

const READ: &str = "read";

/// The facts in tables, and the form that they have there.
pub(crate) struct Tree {
    tables: Arc<Tables>,
    form: Form,
}

/// The tables hold what this store did not write.
#[derive(Debug, thiserror::Error)]
enum Damage {
    #[error("the value of a key has an unknown form")]
    Cell,
    #[error("the owner's epoch is not a number")]
    Owner,
    #[error("the tally is not one")]
    Tally,
    #[error(transparent)]
    Misread(#[from] Misread),
}

impl Tree {
    pub(crate) fn new(tables: Arc<Tables>) -> Self {
        Self { tables, form: Form::default() }
    }

    /// Seals values from now on. Its keys must be durable before a value is.
    pub(crate) fn sealed(self, seal: Seal) -> Self {
        Self { form: Form::sealed(seal), ..self }
    }

    pub(crate) fn tables(&self) -> &Arc<Tables> {
        &self.tables
    }

    /// The wrapped keys of the store; `None` if it is not sealed.
    pub(crate) fn keys(&self) -> Result<Option<Vec<u8>>, Failure> {
        self.reading().get(KEYS)
    }

    /// The name of the store; `None` if it is new.
    pub(crate) fn store(&self) -> Result<Option<String>, Failure> {
        store_in(&self.reading())
    }

    /// The epoch of the owner.
    pub(crate) fn owner(&self) -> Result<Epoch, Failure> {
        owner_in(&self.reading())
    }

    /// The tally after the last commit that is in the tables.
    pub(crate) fn tally(&self) -> Result<Tally, Failure> {
        tally_in(&self.reading())
    }

    /// Whether it has no fact.
    pub(crate) fn is_empty(&self) -> Result<bool, Failure> {
        let mut cells = self.reading().cells(facts(), Direction::Forward);
        Ok(cells.next().transpose()?.is_none())
    }

    /// The number of facts. Reads all of them.
    pub(crate) fn count(&self) -> Result<u64, Failure> {
        let mut cells = self.reading().cells(facts(), Direction::Forward);
        cells.try_fold(0, |count, cell| cell.map(|_| count + 1))
    }

    /// The value of a key, all of it where it was written in pieces.
    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let reading = self.reading();
        let value = self.raw(&reading, key)?;
        Ok(value.map(|value| self.joined(&reading, value)).transpose()?)
    }

    /// The value of a key as it is kept.
    pub(crate) fn kept(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.raw(&self.reading(), key)?)
    }

    /// The facts of a range of keys.
    pub(crate) fn scan(&self, scan: &Scan) -> Result<Vec<Fact>, Error> {
        let prefix = self.form.place(&scan.prefix);
        let after = scan.after.as_deref().map(|after| self.form.place(after));
        let Some(range) = range(&prefix, after.as_deref(), scan.direction) else {
            return Ok(Vec::new());
        };
        let reading = self.reading();
        let cells = reading.cells(range, scan.direction).take(scan.limit);
        let facts = cells.map(|cell| {
            let (key, value) = self.opened(cell?)?;
            Ok((key, self.joined(&reading, value)?))
        });
        Ok(facts.collect::<Result<_, Failure>>()?)
    }

    /// The facts after a key in the order of their places, with their values as they are kept.
    pub(crate) fn kept_page(&self, after: Option<&[u8]>, limit: usize) -> Result<Vec<Fact>, Error> {
        let after = after.map(|after| self.form.place(after));
        let Some(range) = range(b"", after.as_deref(), Direction::Forward) else {
            return Ok(Vec::new());
        };
        let cells = self.reading().cells(range, Direction::Forward).take(limit);
        Ok(cells.map(|cell| self.opened(cell?)).collect::<Result<_, Failure>>()?)
    }

    /// What is in the tables now.
    pub(crate) fn reading(&self) -> Reading<'_> {
        self.tables.reading()
    }

    /// The cells that writes change.
    pub(crate) fn changes(&self, writes: &Writes) -> Vec<Change> {
        let changes = writes.iter();
        changes.map(|(key, value)| change(&self.form, key, value.as_deref())).collect()
    }

    fn raw(&self, reading: &Reading<'_>, key: &[u8]) -> Result<Option<Vec<u8>>, Failure> {
        let place = layout::fact(&self.form.place(key));
        let Some(cell) = reading.get(&place)? else { return Ok(None) };
        Ok(Some(self.opened((place, cell))?.1))
    }

    /// The fact in a cell.
    fn opened(&self, (key, cell): Cell) -> Result<Fact, Failure> {
        let (is_packed, bytes) =
            layout::whole(&cell).ok_or_else(|| Failure::of(READ)(Damage::Cell))?;
        let opened = self.form.opened(key[1..].to_vec(), is_packed, bytes.to_vec());
        opened.map_err(|error| Failure::of(READ)(Damage::Misread(error)))
    }

    fn joined(&self, reading: &Reading<'_>, value: Vec<u8>) -> Result<Vec<u8>, Failure> {
        pieces::whole(value, |key| self.raw(reading, key))
    }
}

/// The name of a store; `None` if it is new.
pub(crate) fn store_in(reading: &Reading<'_>) -> Result<Option<String>, Failure> {
    let bytes = reading.get(STORE)?;
    Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
}

/// The epoch of its owner.
pub(crate) fn owner_in(reading: &Reading<'_>) -> Result<Epoch, Failure> {
    let Some(bytes) = reading.get(OWNER)? else { return Ok(Epoch::default()) };
    let bytes = bytes.as_slice().try_into().map_err(|_| Failure::of(READ)(Damage::Owner))?;
    Ok(Epoch(u64::from_be_bytes(bytes)))
}

/// The tally after its last commit.
pub(crate) fn tally_in(reading: &Reading<'_>) -> Result<Tally, Failure> {
    let Some(bytes) = reading.get(TALLY)? else { return Ok(Tally::default()) };
    Tally::read(&bytes).ok_or_else(|| Failure::of(READ)(Damage::Tally))
}

/// The change of a cell by which a key gets a value.
pub(crate) fn change(form: &Form, key: &[u8], value: Option<&[u8]>) -> Change {
    let place = layout::fact(&form.place(key));
    let cell = value.map(|value| {
        let written = form.written(key, value);
        layout::cell(&written.bytes, written.is_packed)
    });
    (place, cell)
}

/// Where the cells of all facts lie.
fn facts() -> Range {
    (Bound::Included(vec![layout::FACTS]), Bound::Excluded(vec![layout::FACTS + 1]))
}

/// Where the cells of a scan lie; `None` if it is empty.
fn range(prefix: &[u8], after: Option<&[u8]>, direction: Direction) -> Option<Range> {
    let (first, end) = places(prefix, after, direction)?;
    let end = end.map_or_else(|| vec![layout::FACTS + 1], |end| layout::fact(&end));
    Some((Bound::Included(layout::fact(&first)), Bound::Excluded(end)))
}
