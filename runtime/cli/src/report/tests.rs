use super::*;

#[test]
fn characters_that_command_a_terminal_are_escaped() {
    for (text, expected) in [
        ("a line\n\tanother, é €", "a line\n\tanother, é €"),
        ("\u{1b}]0;title\u{7}", "\\u{1b}]0;title\\u{7}"),
        ("\u{9b}2J", "\\u{9b}2J"),
        ("over\rwritten\u{8}", "over\\u{d}written\\u{8}"),
    ] {
        assert_eq!(plain(text), expected);
    }
}

#[test]
fn pieces_are_plain_wherever_they_are_cut() {
    let text = "é\u{1b}[2J\u{9b}2J\n\u{85}à\u{7f}";
    for cut in 0..=text.len() {
        let (one, other) = text.as_bytes().split_at(cut);
        let mut piecewise = Piecewise::default();
        let plain = [piecewise.plain(one), piecewise.plain(other)].concat();
        assert_eq!(String::from_utf8(plain).unwrap(), "é?[2J¿2J\n¿à?", "{cut}");
    }
}
