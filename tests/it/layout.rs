//! Measures the code of the runtime as a whole: which module imports which,
//! how many functions work on untyped JSON, how much is cloned.

mod imports;
mod source;

use std::collections::BTreeMap;

use source::{SOURCES, Source};

/// Max functions with untyped JSON in their signature, outside the standard and HTTP. Both limits only
/// go down.
const UNTYPED_MAX: usize = 130;

/// Max clones for each thousand lines.
const CLONES_PER_KLOC_MAX: usize = 8;

/// The folders where JSON is what the code is about.
const JSON: [&str; 2] = ["tmf/", "server/src/http"];

/// The counts of `values` by crate, for people.
fn by_crate(values: impl Iterator<Item = (String, usize)>) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for (name, count) in values {
        *counts.entry(name).or_default() += count;
    }
    counts.iter().map(|(name, count)| format!("{name} {count}\n")).collect()
}

#[test]
fn modules_do_not_import_each_other_in_a_circle() {
    let cycles = imports::cycles(&SOURCES);
    assert!(cycles.is_empty(), "{} cycles:\n{}", cycles.len(), cycles.join("\n"));
}

#[test]
fn untyped_json_stays_at_the_border() {
    let is_inside = |source: &&Source| !JSON.iter().any(|border| source.path.starts_with(border));
    let found: Vec<(&Source, usize)> =
        SOURCES.iter().filter(is_inside).map(|source| (source, source.untyped.len())).collect();
    let count: usize = found.iter().map(|(_, count)| count).sum();
    let by_crate = by_crate(found.iter().map(|(source, count)| (source.area(), *count)));
    assert!(count <= UNTYPED_MAX, "{count} functions with `Value` or `Map`:\n{by_crate}");
}

#[test]
fn little_is_cloned() {
    let lines: usize = SOURCES.iter().map(Source::lines).sum();
    let clones: usize = SOURCES.iter().map(Source::clones).sum();
    let by_crate = by_crate(SOURCES.iter().map(|source| (source.area(), source.clones())));
    let per_kloc = (clones * 1_000).div_ceil(lines);
    assert!(per_kloc <= CLONES_PER_KLOC_MAX, "{clones} clones in {lines} lines:\n{by_crate}");
}
