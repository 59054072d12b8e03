use std::collections::BTreeMap;

use super::*;

/// The texts of each page, in the order in which they are written, as a reader finds them: from the
/// table of objects by the page tree to the content of each page.
fn pages(pdf: &[u8]) -> Vec<Vec<String>> {
    let objects = objects(pdf);
    let tree = text(&objects[&2]);
    let kids = tree.split_once("/Kids [").unwrap().1.split_once(']').unwrap().0;
    let kids: Vec<i32> = kids.split(" 0 R").filter_map(|id| id.trim().parse().ok()).collect();
    assert!(tree.contains(&format!("/Count {}", kids.len())), "{tree}");
    kids.iter()
        .map(|page| {
            let page = text(&objects[page]);
            let id = page.split_once("/Contents ").unwrap().1.split_once(" 0 R").unwrap().0;
            shown(&objects[&id.parse::<i32>().unwrap()])
        })
        .collect()
}

/// The objects by number, read through the table at the end of the file.
fn objects(pdf: &[u8]) -> BTreeMap<i32, Vec<u8>> {
    let all = text(pdf);
    assert!(all.starts_with("%PDF-1."), "{all}");
    let at = all.rsplit_once("startxref\n").unwrap().1.lines().next().unwrap();
    let table = &pdf[at.parse::<usize>().unwrap()..];
    let table = text(table);
    assert!(table.starts_with("xref\n"), "{table}");
    let rows = table.lines().skip(2).take_while(|line| line.ends_with(['n', 'f', ' ']));
    let places = rows.enumerate().filter(|(_, row)| row.contains(" n"));
    let object = |(number, row): (usize, &str)| {
        let from: usize = row.split(' ').next().unwrap().parse().unwrap();
        let number = i32::try_from(number).unwrap();
        let rest = &pdf[from..];
        assert!(text(rest).starts_with(&format!("{number} 0 obj")), "object {number}");
        let end = rest.windows(6).position(|six| six == b"endobj").unwrap();
        (number, rest[..end].to_vec())
    };
    places.map(object).collect()
}

/// Bytes of Windows-1252, as far as it is Latin 1.
fn text(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| if *byte == 0x80 { '€' } else { char::from(*byte) }).collect()
}

/// The strings that a content shows.
fn shown(content: &[u8]) -> Vec<String> {
    let content = text(content);
    let lines = content.lines().filter_map(|line| line.strip_suffix(" Tj"));
    lines
        .map(|string| match string.strip_prefix('<') {
            Some(hex) => {
                let hex = hex.trim_end_matches('>');
                let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
                text(&(0..hex.len()).step_by(2).map(byte).collect::<Vec<_>>())
            }
            None => {
                let inner = string.strip_prefix('(').unwrap().strip_suffix(')').unwrap();
                inner.replace("\\(", "(").replace("\\)", ")").replace("\\\\", "\\")
            }
        })
        .collect()
}

fn statement(lines: usize, name: &str) -> Statement {
    let line = |index| Line {
        name: format!("{name} {index}"),
        more: "22/31 days".into(),
        days: "2026-03-10 to 2026-03-31".into(),
        net: format!("{index}.00 EUR"),
        tax: "4.18 EUR".into(),
    };
    let total =
        |name: &str, is_strong| Total { name: name.into(), amount: "85.56 EUR".into(), is_strong };
    Statement {
        number: "B00000001".into(),
        facts: vec![("Customer", "Müller & Söhne (€)".into()), ("Account", "acc-1".into())],
        lines: (0..lines).map(line).collect(),
        totals: vec![total("VAT 19 %", false), total("Amount due", true)],
    }
}

#[test]
fn a_document_has_the_texts_of_its_bill() {
    let pages = pages(&document(&statement(1, "Fibre \\ Access")));
    assert_eq!(pages.len(), 1);
    insta::assert_snapshot!(pages[0].join("\n"), @r"
    Bill B00000001
    Customer
    Müller & Söhne (€)
    Account
    acc-1
    What
    For
    Before tax
    Tax
    Fibre \ Access 0
    2026-03-10 to 2026-03-31
    0.00 EUR
    4.18 EUR
    22/31 days
    VAT 19 %
    85.56 EUR
    Amount due
    85.56 EUR
    Bill B00000001, page 1 of 1
    ");
}

#[test]
fn many_lines_are_on_several_pages_and_none_is_lost() {
    let pages = pages(&document(&statement(200, "Line")));
    assert!(pages.len() > 4, "{}", pages.len());
    for (index, page) in pages.iter().enumerate() {
        assert_eq!(
            *page.last().unwrap(),
            format!("Bill B00000001, page {} of {}", index + 1, pages.len())
        );
        assert!(page.iter().any(|text| text == "Before tax"), "page {index} has no head");
    }
    let all: Vec<&String> = pages.iter().flatten().collect();
    for index in 0..200 {
        assert_eq!(all.iter().filter(|text| ***text == format!("Line {index}")).count(), 1);
    }
}

#[test]
fn a_document_is_bounded_and_tells_what_it_leaves_out() {
    let all = pages(&document(&statement(LINES_MAX + 7, "L"))).concat();
    assert!(all.iter().any(|text| text == "7 more lines are in the HTML document of this bill."));
    assert!(all.iter().any(|text| text == "Amount due"));
    let long = "W".repeat(100_000);
    let pages = pages(&document(&statement(1, &long)));
    assert_eq!(pages.len(), 1);
    assert!(pages[0].iter().any(|text| text.ends_with("...")));
}

#[test]
fn characters_without_a_glyph_are_question_marks_with_a_note() {
    let all = pages(&document(&statement(1, "Оптика 光 Zażółć"))).concat();
    assert!(all.iter().any(|text| text == "?????? ? Za?ó?? 0"), "{all:?}");
    assert!(all.iter().any(|text| text.starts_with("Characters that this document cannot show")));
    let none = pages(&document(&statement(1, "Größe \u{2013} €\t–"))).concat();
    assert!(!none.iter().any(|text| text.starts_with("Characters")), "{none:?}");
}

#[test]
fn no_text_is_wider_than_its_column() {
    for name in
        ["a bb ccc dddd".repeat(20), "W".repeat(300), "i ".repeat(300), " ".into(), String::new()]
    {
        let text = Text::of(&name, CHARS_MAX);
        let lines = text.wrapped(NAME_WIDTH, SIZE);
        assert!(lines.iter().all(|line| width(&line.bytes, SIZE) <= NAME_WIDTH), "{name}");
        let kept: usize =
            lines.iter().flat_map(|line| &line.bytes).filter(|byte| **byte != b' ').count();
        assert_eq!(kept, text.bytes.iter().filter(|byte| **byte != b' ').count(), "{name}");
    }
}
