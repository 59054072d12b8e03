use proptest::prelude::*;

use super::*;

fn lines(pieces: &[&[u8]]) -> Vec<(u64, String)> {
    let mut lines = Lines::after(0, 64);
    let mut found: Vec<Line> = Vec::new();
    for piece in pieces {
        found.extend(lines.push(piece).unwrap());
    }
    found.extend(lines.finish());
    found
        .into_iter()
        .map(|line| (line.number, String::from_utf8_lossy(&line.bytes).into_owned()))
        .collect()
}

#[test]
fn empty_lines_count_and_are_passed_over() {
    let expected = vec![(1, "a".to_string()), (3, "b\r".to_string()), (5, "c".to_string())];
    assert_eq!(lines(&[b"a\n\nb\r\n  \nc"]), expected);
}

#[test]
fn a_line_that_is_too_long_is_named_before_it_ends() {
    let mut lines = Lines::after(7, 4);
    assert!(lines.push(b"abcd\nab").is_ok());
    assert_eq!(lines.push(b"cde"), Err(TooLong { number: 9, bytes_max: 4 }));
}

proptest! {
    #[test]
    fn lines_are_the_same_however_they_are_cut(
        text in "[ab\n ]{0,60}",
        cuts in prop::collection::vec(0_usize..60, 0..6),
    ) {
        let mut cuts: Vec<usize> = cuts.into_iter().filter(|cut| *cut <= text.len()).collect();
        cuts.sort_unstable();
        let mut pieces = Vec::new();
        let mut from = 0;
        for cut in cuts {
            pieces.push(&text.as_bytes()[from..cut]);
            from = cut;
        }
        pieces.push(&text.as_bytes()[from..]);
        prop_assert_eq!(lines(&pieces), lines(&[text.as_bytes()]));
    }
}
