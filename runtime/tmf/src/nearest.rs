//! Finds the most similar known name for an unknown one.

/// Longer names are not compared: they are no misspelling by a letter.
const NAME_CHARS_MAX: usize = 64;

/// The known name that is most similar to a text; `None` if none is similar.
pub fn nearest<'a>(text: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let given: Vec<char> = text.to_lowercase().chars().collect();
    if given.len() > NAME_CHARS_MAX {
        return None;
    }
    let far = (given.len() / 3).clamp(1, 3);
    let mut best: Option<(usize, &str)> = None;
    for name in known {
        let other: Vec<char> = name.to_lowercase().chars().collect();
        if other.len().abs_diff(given.len()) > far {
            continue;
        }
        let distance = distance(&given, &other);
        if distance <= far && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, name));
        }
    }
    best.map(|(_, name)| name)
}

/// A hint at the known name that is most similar, for the end of a message; empty if none is.
pub fn hint<'a>(text: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(text, known).map_or(String::new(), |near| format!("; did you mean `{near}`?"))
}

/// The number of characters added, left out, replaced, or exchanged with the next one.
fn distance(left: &[char], right: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, b) in right.iter().enumerate() {
            let replaced = row[j] + usize::from(a != b);
            let mut least = replaced.min(row[j + 1] + 1).min(next[j] + 1);
            let is_exchange = i > 0 && j > 0 && *a == right[j - 1] && left[i - 1] == *b;
            if is_exchange {
                least = least.min(before[j - 1] + 1);
            }
            next.push(least);
        }
        before = std::mem::replace(&mut row, next);
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_misspelt_name_is_close_to_the_right_one() {
        let known = ["priority", "description", "externalId", "note", "pool"];
        for (text, meant) in [
            ("prority", Some("priority")),
            ("pirority", Some("priority")),
            ("Priority", Some("priority")),
            ("externalID", Some("externalId")),
            ("externID", Some("externalId")),
            ("notes", Some("note")),
            ("colour", None),
            ("", None),
        ] {
            assert_eq!(nearest(text, known), meant, "{text}");
        }
    }

    #[test]
    fn an_exchange_of_two_characters_is_one_mistake() {
        assert_eq!(nearest("opol", ["pool"]), Some("pool"));
        assert_eq!(nearest("loop", ["pool"]), None);
    }
}
