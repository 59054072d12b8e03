//! Text that is meant to break the reader, and text that is not meant at all.

use proptest::prelude::*;

use super::*;

#[test]
fn anchors_that_grow_without_end_are_refused() {
    let mut text = String::from("title: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..10 {
        let before = format!("*a{}", level - 1);
        let list = vec![before; 10].join(", ");
        text.push_str(&format!("k{level}: &a{level} [{list}]\n"));
    }
    let bomb = format!(
        "workflows:\n  - workflow: do\n    steps:\n      - step: first\n        plugin: noop\n        input:\n{}",
        text.lines().map(|line| format!("          {line}\n")).collect::<String>()
    );
    let found = parsed(&[(WORKFLOWS, &bomb)]).unwrap_err();
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn endless_nesting_is_refused() {
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(5_000), close.repeat(5_000));
    for (file, text) in [
        (RULES, format!("decompose: {}", deep("[", "]"))),
        (WORKFLOWS, format!("workflows: {}", deep("{a: ", "}"))),
        (CATALOG, deep("[", "]")),
    ] {
        assert!(parsed(&[(file, &text)]).is_err(), "{file}");
    }
    for expression in [
        deep("(", ")"),
        deep("[", "]"),
        "!".repeat(4_000),
        "1+".repeat(2_000),
        "a?b:".repeat(1_000),
    ] {
        let rules = format!("deliver:\n  - spec: X\n    not-before: '{expression}'\n");
        assert!(parsed(&[(RULES, &rules)]).is_err(), "{expression}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_or_refused(
        file in prop::sample::select(FILES.to_vec()),
        text in "(?s).{0,200}",
    ) {
        let _told = parsed(&[(file, &text)]).map_err(|found| {
            found.iter().map(ToString::to_string).collect::<String>()
        });
    }

    #[test]
    fn any_good_file_with_some_bytes_changed_is_read_or_refused(
        at in any::<prop::sample::Index>(),
        new in "[\\[\\]{}:,&*!|>'\"%@` \n\t=a-z0-9-]{0,4}",
        cut in 0..6_usize,
    ) {
        let good = "workflows:\n  - workflow: do\n    steps:\n      - step: first\n        \
                    plugin: noop\n        needs: []\n        when: item.char.fast == true\n        \
                    input: { path: ='/x/' + item.name, list: [1, 2.5, null] }\n        \
                    retry: { attempts: 2, first: 10ms }\n        timeout: 5s\n";
        let at = at.index(good.len());
        let text = format!("{}{new}{}", &good[..at], good.get(at + cut..).unwrap_or_default());
        let _told = parsed(&[(WORKFLOWS, &text)]).map_err(|found| {
            found.iter().map(ToString::to_string).collect::<String>()
        });
    }

    #[test]
    fn any_text_is_an_expression_or_none(text in "[a-z(){}\\[\\].,?:!=<>&|+*/%'\" 0-9-]{0,60}") {
        let _told = crate::expr::Expr::parse(&text, &["item"]);
    }
}
