//! Qualification: whether what is asked about could be ordered (TMF679 for offerings, TMF645 for
//! services). It is answered by what the order would go through: the same checks, the same
//! decomposition, the rules of the workflow that looks at orders first, and the pools that the
//! plan's tasks would take from.

mod answer;
mod demand;
mod intake;
mod offerings;
mod other;
mod services;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use self::answer::Answered;
use super::configure::{Configuration, configure};
use super::order::order_document;
use model::FailureCode;
use model::decompose::{Answers, Blocked, decompose};
use model::id::PoolId;
use model::order::{Form, Order, OrderError, OrderErrorKind};
use model::outcome::FailureClass;
use model::plan::{Action, Plan};
use model::rulebook::Rulebook;
use tmf::time::Timestamp;

pub use self::answer::TaskState;
pub use self::offerings::query_offerings;
pub use self::services::{qualify_services, query_services};

/// What a qualification is answered from.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The rules and catalogs.
    pub rulebook: &'a Rulebook,
    /// How many values each pool has left; all that it has where nothing is said.
    pub free: &'a BTreeMap<PoolId, u64>,
    /// What decomposer plugins have answered so far.
    pub answers: &'a Answers,
    /// What time it is.
    pub now: Timestamp,
}

/// Why there is no answer (yet).
#[derive(Clone, Debug, PartialEq)]
pub enum Unanswered {
    /// The question cannot be read.
    Request(OrderError),
    /// More must be known; qualify again with it.
    Blocked(Blocked),
}

/// A question may have so many items: each is decomposed.
const ITEMS_MAX: usize = 200;

/// Why an item does not qualify.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Obstacle {
    code: FailureCode,
    label: String,
    weight: Weight,
}

/// Whether an obstacle is an answer, or the lack of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Weight {
    /// It is not available.
    Unqualified,
    /// It could not be found out.
    Error,
}

/// Answers a product offering qualification (TMF679): the request with a result on each item.
pub fn qualify_offerings(request: &Value, facts: Facts<'_>) -> Result<Value, Unanswered> {
    let form = Form::OfferingQualification;
    let mut asked = request.clone();
    if !has_items(request, form) {
        let category = request.get("category").and_then(|category| category.get("id"));
        let items = category.map_or_else(Vec::new, |id| offerings::items_of_category(id, facts));
        if items.is_empty() {
            return Ok(answer::nothing_offered(&asked, facts.now));
        }
        if let Some(fields) = asked.as_object_mut() {
            fields.insert(form.items().into(), Value::Array(items));
        }
    }
    let answered = items(form, &asked, facts)?;
    Ok(answer::offerings(&asked, answered, facts.now))
}

/// What a question looks for.
fn criteria(request: &Value) -> Result<&Value, Unanswered> {
    let criteria = request.get("searchCriteria").filter(|criteria| criteria.is_object());
    criteria.ok_or_else(|| {
        Unanswered::Request(OrderError {
            kind: OrderErrorKind::Malformed,
            path: "searchCriteria".into(),
            message: "is mandatory: what is looked for".into(),
        })
    })
}

fn has_items(request: &Value, form: Form) -> bool {
    request.get(form.items()).and_then(Value::as_array).is_some_and(|items| !items.is_empty())
}

/// Answers each item of a question.
fn items(form: Form, request: &Value, facts: Facts<'_>) -> Result<Vec<Answered>, Unanswered> {
    let asked = Order::read(form, request).map_err(Unanswered::Request)?;
    if asked.lines.len() > ITEMS_MAX {
        return Err(Unanswered::Request(OrderError {
            kind: OrderErrorKind::Malformed,
            path: form.items().into(),
            message: format!("a qualification may have {ITEMS_MAX} items"),
        }));
    }
    let document = order_document(form, request, &asked);
    let to = match form {
        Form::ServiceQualification | Form::ServiceOrder => Form::ServiceOrder,
        Form::ResourceOrder => Form::ResourceOrder,
        Form::ProductOrder | Form::Quote | Form::OfferingQualification => Form::ProductOrder,
    };
    let configured = configure(to, &document, facts.rulebook.catalog(), facts.now);
    let configured = configured.map_err(|mut error| {
        error.path = error.path.replace(to.items(), form.items());
        Unanswered::Request(error)
    })?;
    let mut qualifier = Qualifier { facts, to, taken: BTreeMap::new() };
    let wants = |name: &str| request.get(name) == Some(&Value::Bool(true));
    let mut answers = BTreeMap::new();
    for group in groups(&configured.order) {
        let mut obstacles = qualifier.group(&configured, &group)?;
        let alone = group.len() == 1;
        let proposals = if alone && !obstacles.is_empty() && wants("provideAlternative") {
            let line = group.first().copied().unwrap_or(0);
            qualifier.alternatives(&configured, line)?
        } else {
            Vec::new()
        };
        for line in group {
            let id = &configured.order.lines[line].id;
            let own = obstacles.remove(id).unwrap_or_default();
            answers.insert(id.clone(), (own, proposals.clone()));
        }
    }
    let answered = asked.lines.iter().map(|line| {
        let (obstacles, proposals) = answers.remove(&line.id).unwrap_or_default();
        Answered { id: line.id.clone(), obstacles, proposals }
    });
    Ok(answered.collect())
}

/// The lines that stand or fall together: a bundle with all that is in it.
fn groups(order: &Order) -> Vec<BTreeSet<usize>> {
    let mut groups: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for index in 0..order.lines.len() {
        let mut outer = index;
        while let Some(bundle) = order.lines[outer].bundle {
            outer = bundle;
        }
        groups.entry(outer).or_default().insert(index);
    }
    groups.into_values().collect()
}

struct Qualifier<'a> {
    facts: Facts<'a>,
    to: Form,
    /// What the items that qualify would take from pools.
    taken: BTreeMap<PoolId, u64>,
}

impl Qualifier<'_> {
    /// What stands in the way of a group, by the ids of its items; nothing where it qualifies. What
    /// it would take from pools is not there for the groups after it.
    fn group(
        &mut self,
        configured: &Configuration,
        group: &BTreeSet<usize>,
    ) -> Result<BTreeMap<String, Vec<Obstacle>>, Unanswered> {
        let obstacles = self.look(configured, group)?;
        Ok(match obstacles {
            Ok(demand) => {
                for (pool, count) in demand {
                    *self.taken.entry(pool).or_default() += count;
                }
                BTreeMap::new()
            }
            Err(obstacles) => obstacles,
        })
    }

    /// What a group would take from pools, or what stands in its way.
    #[expect(clippy::type_complexity, reason = "either what is taken, or obstacles by item")]
    fn look(
        &self,
        configured: &Configuration,
        group: &BTreeSet<usize>,
    ) -> Result<Result<BTreeMap<PoolId, u64>, BTreeMap<String, Vec<Obstacle>>>, Unanswered> {
        let mut found: BTreeMap<String, Vec<Obstacle>> = BTreeMap::new();
        let lines = || group.iter().map(|line| &configured.order.lines[*line]);
        for mistake in &configured.mistakes {
            if lines().any(|line| line.id == mistake.item) {
                let obstacle = Obstacle::new(&mistake.code, mistake.class, &mistake.message);
                found.entry(mistake.item.clone()).or_default().push(obstacle);
            }
        }
        if found.is_empty() {
            found = intake::obstacles(configured, group, self.facts.rulebook);
        }
        // A bundle stands or falls with its parts.
        let all = |obstacles: Vec<Obstacle>| {
            lines().map(|line| (line.id.clone(), obstacles.clone())).collect()
        };
        if !found.is_empty() {
            return Ok(Err(all(found.into_values().flatten().collect())));
        }
        let document = self.only(configured, group);
        let order = Order::read(self.to, &document).map_err(Unanswered::Request)?;
        let order = order.at(self.facts.now);
        let plan = match decompose(&order, &document, self.facts.rulebook, self.facts.answers) {
            Ok(plan) => plan,
            Err(Blocked::Failure(failure)) => {
                let obstacle = Obstacle::new(&failure.code, failure.class, &failure.message);
                return Ok(Err(all(vec![obstacle])));
            }
            Err(blocked) => return Err(Unanswered::Blocked(blocked)),
        };
        Ok(self.supplied(&plan, &document).map_err(all))
    }

    /// What a plan takes from pools, or which pools have too little.
    fn supplied(
        &self,
        plan: &Plan,
        document: &Value,
    ) -> Result<BTreeMap<PoolId, u64>, Vec<Obstacle>> {
        let demand = demand::of(plan, document);
        let mut obstacles = Vec::new();
        for (id, count) in &demand {
            let Some(pool) = self.facts.rulebook.pools().find(|pool| pool.id == *id) else {
                let label = format!("no pack has a pool `{id}`");
                obstacles.push(Obstacle::new("POOL_UNKNOWN", FailureClass::Operator, &label));
                continue;
            };
            let free = self.facts.free.get(id).copied().unwrap_or_else(|| pool.len());
            let taken = self.taken.get(id).copied().unwrap_or(0);
            if free.saturating_sub(taken) < *count {
                let label =
                    format!("`{id}` has no {} `{}` left", pool.resource, pool.characteristic);
                obstacles.push(Obstacle::new("POOL_EXHAUSTED", FailureClass::Reject, &label));
            }
        }
        if obstacles.is_empty() { Ok(demand) } else { Err(obstacles) }
    }

    /// The order with one group: the other items are named for their relations only, and left out
    /// where they are wrong.
    fn only(&self, configured: &Configuration, group: &BTreeSet<usize>) -> Value {
        let wrong: BTreeSet<&str> =
            configured.mistakes.iter().map(|mistake| mistake.item.as_str()).collect();
        let ours: BTreeSet<&str> =
            group.iter().map(|line| configured.order.lines[*line].id.as_str()).collect();
        let mut document = configured.document.clone();
        let items = document.get_mut(self.to.items()).and_then(Value::as_array_mut);
        if let Some(items) = items {
            items.retain_mut(|item| {
                let id = item.get("id").and_then(Value::as_str).unwrap_or_default();
                if ours.contains(id) {
                    return true;
                }
                let keep = !wrong.contains(id) && item.get(self.to.items()).is_none();
                if let Some(fields) = item.as_object_mut().filter(|_| keep) {
                    fields.insert("action".into(), Action::NoChange.as_str().into());
                }
                keep
            });
            let kept: BTreeSet<String> = items.iter().filter_map(id_of).collect();
            for item in items {
                relations_to(item, self.to.relations(), &kept);
            }
        }
        document
    }
}

fn id_of(item: &Value) -> Option<String> {
    item.get("id").and_then(Value::as_str).map(Into::into)
}

/// Leaves only the relations to items that are there.
fn relations_to(item: &mut Value, name: &str, kept: &BTreeSet<String>) {
    if let Some(relations) = item.get_mut(name).and_then(Value::as_array_mut) {
        relations.retain(|relation| id_of(relation).is_some_and(|id| kept.contains(&id)));
    }
}

impl Obstacle {
    /// What the order would be refused for is an answer, and so is that no rule delivers it. A rule
    /// that is wrong, or an offering that nobody knows, is the lack of one.
    fn new(code: impl Into<FailureCode>, class: FailureClass, label: &str) -> Self {
        let code = code.into();
        let is_unclear = matches!(
            code,
            FailureCode::OfferingUnknown
                | FailureCode::SpecMismatch
                | FailureCode::ItemWithoutOffering
        );
        let is_answer = class == FailureClass::Reject || code == FailureCode::DecompNoRule;
        let weight = if is_answer && !is_unclear { Weight::Unqualified } else { Weight::Error };
        Self { code, label: label.into(), weight }
    }
}
