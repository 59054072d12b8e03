use super::*;
use crate::table::APIS;

fn pairs() -> Vec<(&'static str, &'static str)> {
    PAIRS.iter().flat_map(|(of, paths)| paths.iter().map(|path| (*of, *path))).collect()
}

#[test]
fn every_indexed_attribute_has_a_code_that_leads_back_to_it() {
    for resource in APIS.iter().flat_map(|api| api.resources) {
        for path in resource.indexes() {
            let pair = (resource.key, path);
            let code = code(resource.key, path).unwrap_or_else(|| panic!("{pair:?} has no code"));
            assert_eq!(code.len(), CODE_BYTES);
            assert_eq!(named(code), Some(pair));
        }
    }
    assert_eq!(code("productOrder", "description"), None);
    assert_eq!(code("no resource", "name"), None);
    assert_eq!(named("--"), None);
}

#[test]
fn a_code_stands_for_one_pair() {
    let pairs = pairs();
    assert!(pairs.len() <= DIGITS.len().pow(2));
    assert_eq!(codes().by_code.len(), pairs.len());
    assert_eq!(codes().by_name.values().map(BTreeMap::len).sum::<usize>(), pairs.len());
}

/// Stores have these numbers in their keys. If this fails and the change is meant, raise the version of
/// the indexes, so that stores are rebuilt.
#[test]
fn the_pairs_of_earlier_stores_keep_their_numbers() {
    let first: Vec<_> =
        pairs().into_iter().take(276).map(|(of, path)| format!("{of} {path}")).collect();
    assert_eq!(first.len(), 276);
    let digest = first.join("\n").bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    });
    assert_eq!(digest, 0x12e1_6f8d_60a1_f3da, "the digest is {digest:#x}");
    assert_eq!(code("productCatalog", "lifecycleStatus"), Some("00"));
    assert_eq!(code("resourceMonitor", "sourceHref"), Some("4R"));
}
