use super::*;

#[test]
fn a_cell_reads_back_as_it_was_written() {
    for value in [&[][..], &[0], &[1, 2, 3], &[7; CELL_BYTES_MAX + 1]] {
        for is_packed in [false, true] {
            assert_eq!(whole(&cell(value, is_packed)), Some((is_packed, value)));
            assert_eq!(cut(&cell(value, is_packed)), None);
        }
    }
}

#[test]
fn a_cut_cell_of_the_first_form_tells_its_parts() {
    assert_eq!(cut(&[CUT, 0, 0, 0, 3]), Some((false, 3)));
    assert_eq!(cut(&[CUT | PACKED, 0, 0, 1, 0]), Some((true, 256)));
}

#[test]
fn bytes_that_are_no_cell_are_not_read_as_one() {
    for bytes in [&[][..], &[4], &[CUT], &[CUT, 0, 0, 1], &[CUT, 0, 0, 0, 1, 0]] {
        assert_eq!((whole(bytes), cut(bytes)), (None, None), "{bytes:?}");
    }
}
