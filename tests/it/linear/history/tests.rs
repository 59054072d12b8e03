//! Histories made by hand: the good ones pass, and each kind of bad one is found.

use super::{Operation, What, Wrong, check};

/// A history as text: a line for each operation, with the time it took and what came of it.
fn checked(text: &str) -> Result<(), Wrong> {
    check((1, "a"), &text.trim().lines().map(operation).collect::<Vec<_>>())
}

fn operation(line: &str) -> Operation {
    let words: Vec<&str> = line.split_whitespace().collect();
    let number = |word: &str| word.parse::<u64>().unwrap();
    let (began, ended) = words[0].split_once('-').unwrap();
    let what = match words[1..] {
        ["read", revision, value] => What::Read { revision: number(revision), value: value.into() },
        ["change", from, to, value] => {
            What::Changed { from: number(from), to: number(to), value: value.into() }
        }
        ["stale", from] => What::Stale { from: number(from) },
        ["unknown", from, value] => What::Unknown { from: number(from), value: value.into() },
        _ => panic!("no operation `{line}`"),
    };
    Operation { began: number(began), ended: number(ended), what }
}

#[test]
fn histories_with_a_valid_order_pass() {
    for good in [
        "0-1 read 1 a\n2-3 change 1 2 b\n4-5 read 2 b",
        // A read beside a change sees what was before, or what is after.
        "0-9 change 1 2 b\n1-2 read 1 a\n3-4 read 2 b",
        // Of two who change the same, one is refused.
        "0-5 change 1 2 b\n1-6 stale 1\n7-8 change 2 3 c",
        // A change without an answer may have happened, now or later, or not at all.
        "0-1 unknown 1 b\n2-3 read 2 b\n4-5 change 2 3 c",
        "0-1 unknown 1 b\n2-3 read 1 a\n4-5 read 2 b",
        "0-1 unknown 1 b\n2-3 read 1 a\n4-5 change 1 2 c\n6-7 read 2 c",
        "0-1 unknown 1 b\n2-3 stale 1\n4-5 read 2 b",
        // A revision is larger, not by how much.
        "0-1 change 1 5 b\n2-3 change 5 9 c\n4-5 read 9 c",
        // Of two changes without an answer one is seen.
        "0-1 unknown 1 b\n0-1 unknown 1 c\n2-3 read 2 c",
    ] {
        assert_eq!(checked(good), Ok(()), "{good}");
    }
}

#[test]
fn histories_without_a_valid_order_are_found() {
    for (bad, wrong) in [
        // Both of two changes of one revision were taken.
        ("0-5 change 1 2 b\n1-6 change 1 3 c", Wrong::Lost { from: 1 }),
        ("0-5 change 1 2 b\n1-6 change 1 2 c", Wrong::Value { revision: 2 }),
        // It was acknowledged, then it is gone.
        ("0-1 change 1 2 b\n2-3 read 1 a", Wrong::Past { seen: 1, after: 2 }),
        ("0-1 change 1 2 b\n2-3 change 1 2 c", Wrong::Value { revision: 2 }),
        // It was read, then it is gone, though it was never acknowledged.
        ("0-1 unknown 1 b\n2-3 read 2 b\n4-5 read 1 a", Wrong::Past { seen: 1, after: 2 }),
        // A revision is used again for another value.
        ("0-1 unknown 1 b\n2-3 read 2 b\n4-5 change 1 2 c", Wrong::Value { revision: 2 }),
        // It was never written.
        ("0-1 read 2 b", Wrong::Phantom { revision: 2 }),
        ("0-1 read 1 b", Wrong::Value { revision: 1 }),
        ("0-1 change 1 2 b\n2-3 read 2 c", Wrong::Value { revision: 2 }),
        // It follows on what was never there, or on what comes later.
        ("0-1 change 3 4 b", Wrong::Gap { from: 3, to: 4 }),
        ("0-1 change 1 1 b", Wrong::Gap { from: 1, to: 1 }),
        // It was seen before anybody had asked for it.
        ("0-1 read 2 b\n2-3 change 1 2 b", Wrong::Past { seen: 1, after: 2 }),
        ("0-1 read 2 b\n2-3 unknown 1 b", Wrong::Past { seen: 1, after: 2 }),
        // It was refused for a change that never was.
        ("0-1 unknown 1 b\n2-3 stale 1\n4-5 read 1 a", Wrong::Past { seen: 1, after: 2 }),
        // Nothing had changed.
        ("0-1 read 1 a\n2-3 stale 1", Wrong::Refused { from: 1 }),
        ("0-1 change 1 2 b\n2-3 stale 2\n4-5 change 2 3 c", Wrong::Past { seen: 2, after: 3 }),
    ] {
        assert_eq!(checked(bad), Err(wrong), "{bad}");
    }
}

/// Every history of a register that is right passes, and so it does not when an answer is changed.
#[test]
fn a_history_passes_until_an_answer_is_another() {
    let mut dice = crate::world::Dice::of(7);
    let mut found = 0;
    for _ in 0..200 {
        let mut operations = Vec::new();
        let (mut revision, mut value) = (1, "a".to_string());
        for step in 0..12_u64 {
            let (began, ended) = (step * 10, step * 10 + dice.up_to(9));
            let what = match dice.up_to(3) {
                1 => What::Read { revision, value: value.clone() },
                2 => {
                    let from = revision;
                    revision += dice.up_to(2);
                    value = format!("v{step}");
                    What::Changed { from, to: revision, value: value.clone() }
                }
                _ if revision > 1 => What::Stale { from: revision - 1 },
                _ => continue,
            };
            operations.push(Operation { began, ended, what });
        }
        assert_eq!(check((1, "a"), &operations), Ok(()), "{operations:?}");
        // The last change is lost: what comes after it reads what was before.
        let last = operations.iter().rposition(|one| matches!(one.what, What::Changed { .. }));
        let Some(What::Changed { from, .. }) = last.map(|last| operations[last].what.clone())
        else {
            continue;
        };
        let before = operations.iter().find_map(|one| {
            let What::Changed { to, value, .. } = &one.what else { return None };
            (*to == from).then(|| value.clone())
        });
        let what = What::Read { revision: from, value: before.unwrap_or_else(|| "a".into()) };
        operations.push(Operation { began: 1_000, ended: 1_001, what });
        assert!(check((1, "a"), &operations).is_err(), "{operations:?}");
        found += 1;
    }
    assert!(found > 100, "{found}");
}
