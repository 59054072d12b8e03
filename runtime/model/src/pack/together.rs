//! Checks what packs name of each other, and of the plugins that they are used with: nothing of it
//! shows in a pack alone.

mod circles;
mod clashes;
mod documents;
mod inputs;
mod reads;
mod values;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use self::circles::Edges;
use self::clashes::clashes;
pub use self::inputs::{Asked, AskedKey, InputKind, Plugins};
use self::reads::Characteristics;
use super::check::{TASK_SCOPE, expressions, mention};
use super::reader::Reader;
use super::{
    CATALOG, Code, Diagnostic, POOLS, Pack, RULES, WORKFLOWS, WrittenPools, WrittenWorkflows,
};
use crate::catalog::{Catalog, SpecKind};
use crate::expr::Expr;
use crate::id::{PluginId, SpecId};
use crate::places::Place;
use crate::rule::WrittenRules;
use crate::workflow::{WrittenStep, WrittenWorkflow};
use tmf::nearest::nearest;

/// The allocator that comes with Ferrule: what it takes is known.
const ALLOCATOR: &str = "pool-allocator";

/// The types of `serviceSpecRelationship`: two have a meaning, the others are the standard's.
const RELATIONS: &[&str] =
    &["reliesOn", "dependsOn", "dependency", "exclusivity", "migration", "substitution"];

/// The mistakes of packs that are right by themselves, for each of them. `elsewhere` has what packs
/// have that are not among them, with the name of the pack.
pub fn mistakes(
    packs: &[&Pack],
    plugins: Option<&Plugins>,
    elsewhere: &BTreeMap<SpecId, String>,
) -> Vec<Vec<Diagnostic>> {
    let mut catalog = Catalog::default();
    for pack in packs {
        catalog.merge(&pack.catalog);
    }
    let whole = Whole {
        packs,
        catalog: &catalog,
        edges: Edges::of(packs, &catalog),
        plugins,
        characteristics: Characteristics::of(packs, &catalog),
        elsewhere,
        told: RefCell::default(),
    };
    let found = packs.iter().enumerate().map(|(index, pack)| {
        let mut reader = Reader::new(&pack.files);
        clashes(&mut reader, index, &whole);
        rules(&mut reader, &whole);
        pools(&mut reader, &whole);
        workflows(&mut reader, pack, &whole);
        relations(&mut reader, pack, &whole);
        documents::documents(&mut reader, pack, &whole);
        reader.found.sort();
        reader.found
    });
    let mut found: Vec<Vec<Diagnostic>> = found.collect();
    if found.iter().flatten().any(is_cause) {
        found.iter_mut().for_each(|own| own.retain(|diagnostic| !may_follow(diagnostic)));
    }
    found
}

/// Whether other mistakes may follow from one: an edge is not where it was meant to be.
fn is_cause(found: &Diagnostic) -> bool {
    let codes = [Code::UnknownReference, Code::UnknownRelation, Code::WrongKind, Code::Clash];
    let is_edge = [RULES, CATALOG].contains(&found.file.as_str());
    is_edge && found.is_error() && codes.contains(&found.code)
}

/// Whether a mistake may be there only since an edge is missing.
fn may_follow(found: &Diagnostic) -> bool {
    let is_read = [RULES, WORKFLOWS].contains(&found.file.as_str());
    found.code == Code::Unreachable || (is_read && found.code == Code::UnknownCharacteristic)
}

/// All packs, and what is known of them together.
struct Whole<'a> {
    packs: &'a [&'a Pack],
    catalog: &'a Catalog,
    edges: Edges<'a>,
    plugins: Option<&'a Plugins>,
    characteristics: Characteristics<'a>,
    /// The specifications of packs that are not among these, with the name of the pack.
    elsewhere: &'a BTreeMap<SpecId, String>,
    /// The circles that are told.
    told: RefCell<Vec<BTreeSet<String>>>,
}

impl Whole<'_> {
    /// Reports a specification that no catalog has.
    fn known(&self, reader: &mut Reader<'_>, (file, place): (&str, Place<'_>), spec: &str) -> bool {
        let is_known = self.catalog.specs.contains_key(&SpecId::new(spec));
        if !is_known {
            let help = self.meant(spec);
            reader.report(
                Code::UnknownReference,
                file,
                place,
                format!("no catalog has `{spec}`"),
                help,
            );
        }
        is_known
    }

    fn meant(&self, spec: &str) -> Option<String> {
        if let Some(pack) = self.elsewhere.get(&SpecId::new(spec)) {
            return Some(format!("the pack `{pack}` has it, and is left out"));
        }
        let meant = nearest(spec, self.catalog.specs.keys().map(SpecId::as_str))?;
        Some(format!("is `{meant}` meant?"))
    }
}

/// Checks what rules and deliveries name.
fn rules(reader: &mut Reader<'_>, whole: &Whole<'_>) {
    let written: WrittenRules = reader.yaml(RULES);
    let tree = reader.tree(RULES);
    for (index, entry) in written.decompose.iter().enumerate() {
        let place = tree.root().get("decompose").at(index);
        whole.known(reader, (RULES, place.get("from")), &entry.from);
        if let Some(to) = &entry.to {
            whole.known(reader, (RULES, place.get("to")), to);
        }
        if let Some(plugin) = &entry.plugin {
            plugin_is_there(reader, (RULES, place.get("plugin")), plugin, whole);
        }
    }
    for (index, entry) in written.deliver.iter().enumerate() {
        let place = tree.root().get("deliver").at(index);
        whole.known(reader, (RULES, place.get("spec")), &entry.spec);
        for (index, spec) in entry.resources.iter().flatten().enumerate() {
            whole.known(reader, (RULES, place.get("resources").at(index)), spec);
        }
        for (index, spec) in entry.needs.iter().enumerate() {
            let place = place.get("needs").at(index);
            if whole.known(reader, (RULES, place), spec) {
                need(reader, place, (&entry.spec, spec), whole);
            }
        }
    }
    values::rules(reader, &written, whole);
    reads::rules(reader, &written, whole);
}

/// Reports a need that can never be met: of what no order makes an item of, or in a circle.
fn need(reader: &mut Reader<'_>, place: Place<'_>, (of, spec): (&str, &str), whole: &Whole<'_>) {
    let (of, id) = (SpecId::new(of), SpecId::new(spec));
    let kind = whole.catalog.specs.get(&id).map(|spec| spec.kind);
    let wrong = match kind {
        Some(SpecKind::Product) => Some("a product"),
        Some(SpecKind::Resource) => Some("a resource"),
        Some(SpecKind::CustomerService | SpecKind::ResourceService) | None => None,
    };
    if let Some(wrong) = wrong {
        let message = format!("`{spec}` is {wrong}, and only services are waited for");
        let help = "name the service that delivers it".to_string();
        reader.report(Code::WrongKind, RULES, place, message, Some(help));
    } else {
        circle(reader, (RULES, place), (&of, &id), whole);
    }
}

/// Reports a need that closes a circle, unless one within it is told already.
fn circle(
    reader: &mut Reader<'_>,
    (file, place): (&str, Place<'_>),
    (of, needed): (&SpecId, &SpecId),
    whole: &Whole<'_>,
) {
    let Some(circle) = whole.edges.circle(of, needed) else { return };
    let members: BTreeSet<String> = circle.iter().cloned().collect();
    let mut told = whole.told.borrow_mut();
    if told.iter().any(|told| told.is_subset(&members)) {
        return;
    }
    told.push(members);
    let message = format!("the needs run in a circle: {}", circle.join(" -> "));
    let help = "each waits for the next, so none begins: leave one of them out".to_string();
    reader.report(Code::Circle, file, place, message, Some(help));
}

/// Checks what pools name.
fn pools(reader: &mut Reader<'_>, whole: &Whole<'_>) {
    let written: WrittenPools = reader.yaml(POOLS);
    let tree = reader.tree(POOLS);
    for (index, entry) in written.pools.iter().enumerate() {
        let place = tree.root().get("pools").at(index);
        if !whole.known(reader, (POOLS, place.get("resource")), &entry.resource) {
            continue;
        }
        let Some(spec) = whole.catalog.specs.get(&SpecId::new(&entry.resource)) else { continue };
        let name = entry.characteristic.as_str();
        if spec.kind != SpecKind::Resource {
            let message = format!("`{}` is no resource specification", entry.resource);
            reader.report(Code::WrongKind, POOLS, place.get("resource"), message, None);
        } else if !spec.characteristics.is_empty() && !spec.characteristics.contains_key(name) {
            let known = || spec.characteristics.keys().map(String::as_str);
            let help = match nearest(name, known()) {
                Some(meant) => format!("is `{meant}` meant?"),
                None => format!("it has {}", known().collect::<Vec<_>>().join(", ")),
            };
            let message = format!("`{}` has no characteristic `{name}`", entry.resource);
            let place = place.get("characteristic");
            reader.report(Code::UnknownCharacteristic, POOLS, place, message, Some(help));
        }
    }
}

/// Checks what the steps of workflows name.
fn workflows(reader: &mut Reader<'_>, pack: &Pack, whole: &Whole<'_>) {
    let written: WrittenWorkflows = reader.yaml(WORKFLOWS);
    let tree = reader.tree(WORKFLOWS);
    for (index, entry) in written.workflows.iter().enumerate() {
        let place = tree.root().get("workflows").at(index);
        let reachable = delivered_by(pack, entry).map(|specs| whole.edges.upstream(specs));
        for (index, step) in entry.steps.iter().enumerate() {
            let place = place.get("steps").at(index);
            upstream(reader, place.get("input"), step, whole, reachable.as_ref());
            if step.plugin == ALLOCATOR {
                taken(reader, place.get("input"), &step.input, whole);
            }
            inputs::called(reader, place, step, whole);
        }
    }
    reads::workflows(reader, &written, pack, whole);
}

/// The specifications that a workflow delivers; `None` for one that runs by its name or around
/// orders.
fn delivered_by<'a>(pack: &'a Pack, workflow: &WrittenWorkflow) -> Option<BTreeSet<&'a SpecId>> {
    let deliveries = pack.deliveries.values();
    let own = deliveries.filter(|delivery| delivery.workflow.as_ref() == Some(&workflow.workflow));
    let specs: BTreeSet<&SpecId> = own.map(|delivery| &delivery.spec).collect();
    (!specs.is_empty()).then_some(specs)
}

/// Reports what an input reads of services that are not there when it is made.
fn upstream(
    reader: &mut Reader<'_>,
    place: Place<'_>,
    step: &WrittenStep,
    whole: &Whole<'_>,
    reachable: Option<&BTreeSet<&SpecId>>,
) {
    for (place, source) in expressions(place, &step.input) {
        // It was compiled before, with the names that it may use.
        let Ok(expr) = Expr::parse(source, TASK_SCOPE) else { continue };
        for name in expr.members("upstream") {
            let spec = SpecId::new(name);
            let (code, message, help) = match (whole.catalog.specs.contains_key(&spec), reachable) {
                (false, _) => {
                    let message = format!("no catalog has `{name}`");
                    (Code::UnknownReference, message, whole.meant(name))
                }
                (true, Some(reachable))
                    if !reachable.contains(&spec) && !looks_for(source, name) =>
                {
                    let help = format!(
                        "write `{name}` into the `needs` of its delivery; or, where only the line \
                         of an order may rely on it, ask `\"{name}\" in upstream` first"
                    );
                    let message = format!("nothing that this workflow delivers needs `{name}`");
                    (Code::Unreachable, message, Some(help))
                }
                (true, _) => continue,
            };
            let at = mention(reader, (WORKFLOWS, place), source, name);
            reader.report_at(code, WORKFLOWS, at, message, help);
        }
    }
}

/// Whether an expression asks if a service is upstream at all: the lines of an order may rely on
/// each other as they like.
fn looks_for(source: &str, name: &str) -> bool {
    let words = source.split_whitespace().collect::<Vec<_>>().join(" ");
    ["\"", "'"].iter().any(|quote| words.contains(&format!("{quote}{name}{quote} in upstream")))
}

/// Reports pools that no pack has. A pool that an expression names is known when it is taken from.
fn taken(reader: &mut Reader<'_>, place: Place<'_>, input: &Value, whole: &Whole<'_>) {
    let many = input.get("take").and_then(Value::as_array).into_iter().flatten().enumerate();
    let many = many.map(|(index, take)| (place.get("take").at(index), take));
    for (place, take) in many.chain([(place, input)]) {
        let Some(name) = take.get("pool").and_then(Value::as_str) else { continue };
        let known = || whole.packs.iter().flat_map(|pack| &pack.pools).map(|pool| pool.id.as_str());
        if name.starts_with('=') || known().any(|pool| pool == name) {
            continue;
        }
        let help = match nearest(name, known()) {
            Some(meant) => format!("is `{meant}` meant?"),
            None => "define it in `pools.yaml`".into(),
        };
        let message = format!("no pool `{name}`");
        reader.report(Code::UnknownPool, WORKFLOWS, place.get("pool"), message, Some(help));
    }
}

/// Reports a plugin that is not there, where it is known which are.
fn plugin_is_there(
    reader: &mut Reader<'_>,
    (file, place): (&str, Place<'_>),
    plugin: &str,
    whole: &Whole<'_>,
) -> bool {
    let Some(plugins) = whole.plugins else { return true };
    if plugins.contains_key(&PluginId::new(plugin)) {
        return true;
    }
    let known = || plugins.keys().map(PluginId::as_str);
    let help = match nearest(plugin, known()) {
        Some(meant) => format!("is `{meant}` meant?"),
        None => format!("there are {}", known().collect::<Vec<_>>().join(", ")),
    };
    reader.report(Code::UnknownPlugin, file, place, format!("no plugin `{plugin}`"), Some(help));
    false
}

/// Checks what a catalog names, and by which relations.
fn relations(reader: &mut Reader<'_>, pack: &Pack, whole: &Whole<'_>) {
    let services = pack.catalog.documents.get("serviceSpecification");
    let has_relations = services
        .into_iter()
        .flatten()
        .any(|(_, document)| document.get("serviceSpecRelationship").is_some_and(Value::is_array));
    let dangling: Vec<_> = whole
        .catalog
        .dangling()
        .into_iter()
        // A specification of the wrong kind is reported at its place.
        .filter(|found| !whole.catalog.specs.contains_key(&SpecId::new(&found.missing)))
        .filter(|found| {
            let own = pack.catalog.documents.get(found.resource);
            own.is_some_and(|documents| documents.contains_key(&found.entity))
        })
        .collect();
    if !has_relations && dangling.is_empty() {
        return;
    }
    let tree = reader.tree(CATALOG);
    for found in dangling {
        let entity = tree.root().get(found.resource).entry("id", &found.entity);
        let message = format!("no catalog has `{}`", found.missing);
        let help = whole.meant(&found.missing);
        reader.report(Code::UnknownReference, CATALOG, entity.find(&found.missing), message, help);
    }
    for service in tree.root().get("serviceSpecification").entries() {
        let Some(of) = service.get("id").text() else { continue };
        for relation in service.get("serviceSpecRelationship").entries() {
            relation_of(reader, of, relation, whole);
        }
    }
}

/// Checks one relation of a service.
fn relation_of(reader: &mut Reader<'_>, of: &str, relation: Place<'_>, whole: &Whole<'_>) {
    let place = relation.get("relationshipType");
    let (Some(kind), Some(to)) = (place.text(), relation.get("id").text()) else { return };
    if !RELATIONS.contains(&kind) {
        let help = match nearest(kind, RELATIONS.iter().copied()) {
            Some(meant) => format!("is `{meant}` meant?"),
            None => "`reliesOn` is what it is made of, `dependsOn` what comes before it".into(),
        };
        let message = format!("no relation is called `{kind}`");
        reader.report(Code::UnknownRelation, CATALOG, place, message, Some(help));
    } else if kind == "dependsOn" {
        let need = (&SpecId::new(of), &SpecId::new(to));
        circle(reader, (CATALOG, relation.get("id")), need, whole);
    }
}

#[cfg(test)]
mod tests;
