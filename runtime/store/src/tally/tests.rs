use super::*;

#[test]
fn a_tally_is_read_as_it_was_written() {
    let mut tally = Tally { commits: 7, sum: 0 };
    tally.add(b"key", b"cell");
    assert_eq!(Tally::read(&tally.write()), Some(tally));
    assert_eq!(Tally::read(b"short"), None);
    assert_eq!(Tally::read(&[0; 17]), None);
}

#[test]
fn a_tally_depends_on_each_record_before_it() {
    let of = |records: &[&str]| {
        records.iter().fold(Tally::default(), |tally, record| tally.after(record.as_bytes()))
    };
    let whole = of(&["a", "b", "c"]);
    assert_eq!(whole.commits, 3);
    let others: [&[&str]; 5] =
        [&["a", "c"], &["b", "a", "c"], &["a", "b", "d"], &["ab", "", "c"], &["x", "b", "c"]];
    for other in others {
        assert_ne!(of(other), whole, "{other:?}");
    }
}

#[test]
fn one_cell_that_is_missing_or_older_shows() {
    let mut whole = Tally::default();
    whole.add(b"a", b"new");
    let mut older = Tally::default();
    older.add(b"a", b"old");
    let mut moved = Tally::default();
    moved.add(b"an", b"ew");
    for other in [Tally::default(), older, moved] {
        assert!(!whole.has_cells_of(&other));
    }
}
