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
fn cells_come_and_go_in_any_order() {
    let (mut one, mut other) = (Tally::default(), Tally::default());
    for (key, cell) in [("a", "1"), ("b", "2"), ("c", "3")] {
        one.add(key.as_bytes(), cell.as_bytes());
    }
    for (key, cell) in [("c", "3"), ("x", "0"), ("a", "1"), ("b", "2")] {
        other.add(key.as_bytes(), cell.as_bytes());
    }
    assert!(!one.has_cells_of(&other));
    other.take(b"x", b"0");
    assert!(one.has_cells_of(&other));
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
