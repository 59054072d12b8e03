//! What two packs both have: names, entities of catalogs, workflows and pools are of one pack only.

use super::Whole;
use crate::pack::reader::Reader;
use crate::pack::{CATALOG, Code, PACK, POOLS, Pack, WORKFLOWS};

/// Reports what a pack has that one before it has too.
pub(super) fn clashes(reader: &mut Reader<'_>, index: usize, whole: &Whole<'_>) {
    let (Some(pack), Some(before)) = (whole.packs.get(index), whole.packs.get(..index)) else {
        return;
    };
    let owner = |has: &dyn Fn(&Pack) -> bool| {
        before.iter().find(|other| has(other)).map(|other| other.name.as_str())
    };
    if before.iter().any(|other| other.name == pack.name) {
        let tree = reader.tree(PACK);
        let message = format!("another pack is named `{}` too", pack.name);
        reader.report(Code::Clash, PACK, tree.root().get("pack"), message, None);
        return;
    }
    for (resource, documents) in &pack.catalog.documents {
        for id in documents.keys() {
            let has = |other: &Pack| {
                let own = other.catalog.documents.get(resource);
                own.is_some_and(|documents| documents.contains_key(id))
            };
            let Some(owner) = owner(&has) else { continue };
            let tree = reader.tree(CATALOG);
            let place = tree.root().get(resource).entry("id", id).get("id");
            let message = format!("{resource} `{id}` is in the pack `{owner}` already");
            reader.report(Code::Clash, CATALOG, place, message, None);
        }
    }
    for name in pack.workflows.keys() {
        let Some(owner) = owner(&|other| other.workflows.contains_key(name)) else { continue };
        let tree = reader.tree(WORKFLOWS);
        let place = tree.root().get("workflows").entry("workflow", name).get("workflow");
        let message = format!("the workflow `{name}` is in the pack `{owner}` already");
        reader.report(Code::Clash, WORKFLOWS, place, message, None);
    }
    for pool in &pack.pools {
        let has = |other: &Pack| other.pools.iter().any(|known| known.id == pool.id);
        let Some(owner) = owner(&has) else { continue };
        let tree = reader.tree(POOLS);
        let place = tree.root().get("pools").entry("pool", pool.id.as_str()).get("pool");
        let message = format!("the pool `{}` is in the pack `{owner}` already", pool.id);
        reader.report(Code::Clash, POOLS, place, message, None);
    }
}
