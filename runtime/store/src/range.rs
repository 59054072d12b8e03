//! The range of keys that a scan lists.

use engine::store::Direction;

/// The first key of a range, and the one behind its last; `None` if it has no end.
pub(crate) type Range = (Vec<u8>, Option<Vec<u8>>);

/// The range of a scan; `None` if it is empty.
pub(crate) fn range(prefix: &[u8], after: Option<&[u8]>, direction: Direction) -> Option<Range> {
    let (mut first, mut end) = (prefix.to_vec(), end(prefix));
    match (after, direction) {
        (None, _) => {}
        (Some(after), Direction::Forward) => first = first.max(behind(after)),
        (Some(after), Direction::Backward) => {
            end = Some(end.map_or_else(|| after.to_vec(), |end| end.min(after.to_vec())));
        }
    }
    let is_empty = end.as_ref().is_some_and(|end| *end <= first);
    (!is_empty).then_some((first, end))
}

/// The first key behind another.
fn behind(key: &[u8]) -> Vec<u8> {
    [key, &[0]].concat()
}

/// The first key after all keys with this prefix; `None` if there is none.
fn end(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte != u8::MAX)?;
    let mut end = prefix[..=last].to_vec();
    end[last] += 1;
    Some(end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::store::Direction::{Backward, Forward};

    #[test]
    fn a_range_has_the_keys_of_its_prefix_on_one_side_of_a_key() {
        let keys: Vec<&[u8]> = vec![
            b"",
            b"\0",
            b"a",
            b"a\0",
            b"a/",
            b"a/\xff",
            b"a/\xff\xff",
            b"a0",
            b"\xff",
            b"\xff\xff",
        ];
        let afters = keys.iter().map(|key| Some(*key)).chain([None]);
        let prefixes: Vec<&[u8]> = vec![b"", b"a", b"a/", b"a/\xff", b"\xff", b"b"];
        for (after, prefix) in afters.flat_map(|after| prefixes.iter().map(move |p| (after, *p))) {
            for direction in [Forward, Backward] {
                let range = range(prefix, after, direction);
                for key in &keys {
                    let is_in = range.as_ref().is_some_and(|(first, end)| {
                        *key >= first.as_slice()
                            && end.as_ref().is_none_or(|end| *key < end.as_slice())
                    });
                    let is_beyond = after.is_none_or(|after| match direction {
                        Forward => *key > after,
                        Backward => *key < after,
                    });
                    let expected = key.starts_with(prefix) && is_beyond;
                    assert_eq!(is_in, expected, "{key:?} in {prefix:?} {direction:?} of {after:?}");
                }
            }
        }
    }
}
