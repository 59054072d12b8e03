//! Puts pages of metrics together: what has one name stands in one place, as OpenMetrics demands.

use std::collections::BTreeMap;

/// The last line of a page.
const END: &str = "# EOF\n";

/// What is told about a family, and its samples.
#[derive(Default)]
struct Family {
    about: String,
    samples: String,
}

/// The metrics of all pages, each family in the place of the first page that has it.
pub(super) fn joined(pages: &[String]) -> String {
    let mut families: Vec<Family> = Vec::new();
    let (mut places, mut place, mut is_known) = (BTreeMap::new(), 0, false);
    let lines = pages.iter().flat_map(|page| page.split_inclusive('\n'));
    for line in lines.filter(|line| *line != END) {
        if let Some(name) = line.strip_prefix("# HELP ").and_then(|rest| rest.split(' ').next()) {
            place = *places.entry(name).or_insert(families.len());
            is_known = place < families.len();
            if !is_known {
                families.push(Family::default());
            }
        }
        let Some(family) = families.get_mut(place) else { continue };
        if !line.starts_with('#') {
            family.samples.push_str(line);
        } else if !is_known {
            family.about.push_str(line);
        }
    }
    let families = families.into_iter().flat_map(|family| [family.about, family.samples]);
    families.chain([END.into()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_stands_in_one_place() {
        let page = |tenant: &str, rest: &str| {
            format!(
                "# HELP open Open.\n# TYPE open gauge\nopen{{tenant=\"{tenant}\"}} 1\n{rest}\
                 # HELP calls Calls.\n# TYPE calls counter\ncalls_total{{tenant=\"{tenant}\"}} 2\n{END}"
            )
        };
        let only = "# HELP only Only.\n# TYPE only gauge\nonly{tenant=\"b\"} 3\n";
        let (a, b) = (page("a", ""), page("b", only));
        assert_eq!(joined(std::slice::from_ref(&a)), a);
        assert_eq!(
            joined(&[a, b]),
            "# HELP open Open.\n# TYPE open gauge\nopen{tenant=\"a\"} 1\nopen{tenant=\"b\"} 1\n\
             # HELP calls Calls.\n# TYPE calls counter\ncalls_total{tenant=\"a\"} 2\n\
             calls_total{tenant=\"b\"} 2\n\
             # HELP only Only.\n# TYPE only gauge\nonly{tenant=\"b\"} 3\n# EOF\n"
        );
    }

    #[test]
    fn a_family_without_samples_is_told_about_once() {
        let page = format!("# HELP none None.\n# TYPE none counter\n{END}");
        assert_eq!(joined(&[page.clone(), page.clone()]), page);
    }
}
