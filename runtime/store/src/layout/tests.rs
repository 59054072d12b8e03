use super::*;

#[test]
fn a_cell_reads_back_as_it_was_written() {
    let long = vec![7; CELL_BYTES_MAX + 1];
    for value in [&[][..], &[0], &[1, 2, 3], &long[..CELL_BYTES_MAX], &long] {
        for is_packed in [false, true] {
            let cell = Cell::of(value, is_packed);
            assert_eq!(Cell::read(&cell.write()), Some(cell));
        }
    }
}

#[test]
fn only_what_is_longer_than_a_cell_is_cut() {
    let parts = |bytes| Cell::of(&vec![0; bytes], false).parts();
    assert_eq!(parts(0), 0);
    assert_eq!(parts(CELL_BYTES_MAX), 0);
    assert_eq!(parts(CELL_BYTES_MAX + 1), 2);
    assert_eq!(parts(3 * CELL_BYTES_MAX), 3);
}

#[test]
fn bytes_that_are_no_cell_are_not_read_as_one() {
    for bytes in [&[][..], &[4], &[CUT], &[CUT, 0, 0, 1], &[CUT, 0, 0, 0, 1, 0]] {
        assert_eq!(Cell::read(bytes), None, "{bytes:?}");
    }
}
