//! Qualification: whether an order of something would be carried out (TMF679 for offerings, TMF645 for
//! services). The answer follows from the checks of an order, its decomposition, the rules of the
//! workflow that runs before orders, and the pools that its tasks would reserve values of.

mod answer;
mod demand;
mod intake;
mod offerings;
mod other;
mod question;
mod services;

use std::collections::{BTreeMap, BTreeSet};

use tmf::document::item::Item;
use tmf::document::qualification::OfferingQualification;
use tmf::document::write;

use self::answer::Answered;
use self::question::{Question, Subject};
use super::configure::{Choice, Configuration, configure};
use super::order::ordered;
use model::FailureCode;
use model::decompose::{Answers, Blocked, decompose};
use model::expr::Scope;
use model::id::PoolId;
use model::order::{Order, OrderError, OrderErrorKind};
use model::outcome::FailureClass;
use model::plan::{Action, Plan};
use model::rulebook::Rulebook;
use tmf::time::Timestamp;

pub use self::offerings::query_offerings;
pub use self::services::{qualify_services, query_services};

/// The facts that a qualification is answered from.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The rules and catalogs.
    pub rulebook: &'a Rulebook,
    /// The number of free values of each pool. A pool without a number is free as a whole.
    pub free: &'a BTreeMap<PoolId, u64>,
    /// The answers of decomposer plugins so far.
    pub answers: &'a Answers,
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

impl Unanswered {
    /// The same for the criteria of a search, of which the first item with this name was made.
    fn about_criteria(mut self, items: &str) -> Self {
        if let Self::Request(error) = &mut self {
            error.path = error.path.replacen(&format!("{items}[0]"), "searchCriteria", 1);
        }
        self
    }
}

/// Max items of a question: each is decomposed.
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

/// The obstacles of items, by the ids of the items.
type Obstacles<'a> = BTreeMap<&'a str, Vec<Obstacle>>;

/// What a look at a group finds.
enum Look {
    /// It qualifies, with this many values of pools.
    Qualified(BTreeMap<PoolId, u64>),
    /// An obstacle of a part is one of the whole bundle.
    Obstructed(Vec<Obstacle>),
}

/// Answers a product offering qualification (TMF679): the request with a result on each item.
pub fn qualify_offerings(
    mut request: OfferingQualification,
    facts: Facts<'_>,
) -> Result<OfferingQualification, Unanswered> {
    if request.items().is_empty() {
        let category = request.category.as_ref().and_then(|category| category.id.as_deref());
        let items = category.map_or_else(Vec::new, |id| offerings::items_of_category(id, facts));
        if items.is_empty() {
            return Ok(answer::nothing_offered(request, facts.now));
        }
        request.product_offering_qualification_item = Some(items);
    }
    let answered = answers(&request, facts)?;
    Ok(answer::offerings(request, answered, facts.now))
}

/// The criteria of a search, which are mandatory.
fn needed<T>(criteria: Option<&T>) -> Result<&T, Unanswered> {
    criteria.ok_or_else(|| {
        Unanswered::Request(OrderError {
            kind: OrderErrorKind::Malformed,
            path: "searchCriteria".into(),
            message: "is mandatory".into(),
        })
    })
}

/// The answers to the items of a question, in the order in which they are read.
fn answers<Q: Question>(
    question: &Q,
    facts: Facts<'_>,
) -> Result<Vec<Answered<Subject<Q>>>, Unanswered> {
    let asked = question.order().map_err(Unanswered::Request)?;
    if asked.lines.len() > ITEMS_MAX {
        return Err(Unanswered::Request(OrderError {
            kind: OrderErrorKind::Malformed,
            path: Q::FORM.items().into(),
            message: format!("has more than {ITEMS_MAX} items"),
        }));
    }
    let items = ordered(question.items().to_vec(), &asked, question.place());
    let order = question.about(items);
    let configured = configure(order, facts.rulebook.catalog(), facts.now);
    let configured = configured.map_err(|mut error| {
        let items = <Q::Order as Choice>::FORM.items();
        error.path = error.path.replace(items, Q::FORM.items());
        Unanswered::Request(error)
    })?;
    let mut qualifier = Qualifier { facts, taken: BTreeMap::new() };
    let mut answers = BTreeMap::new();
    for group in groups(&configured.order) {
        let obstacles = qualifier.group(&configured, &group)?;
        let alone = group.len() == 1;
        let proposals = if alone && !obstacles.is_empty() && question.wants_alternatives() {
            let line = group.first().copied().unwrap_or(0);
            qualifier.alternatives(&configured, line)?
        } else {
            Vec::new()
        };
        for line in group {
            let id = configured.order.lines[line].id.as_str();
            answers.insert(id, (obstacles.clone(), proposals.clone()));
        }
    }
    let answered = asked.lines.into_iter().map(|line| {
        let (obstacles, proposals) = answers.remove(line.id.as_str()).unwrap_or_default();
        Answered { id: line.id, obstacles, proposals }
    });
    Ok(answered.collect())
}

/// The lines that qualify together or not at all: a bundle with everything in it.
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
    /// The values of pools that the items that qualify would reserve.
    taken: BTreeMap<PoolId, u64>,
}

impl Qualifier<'_> {
    /// The obstacles of a group; empty if it qualifies. The values that it would reserve are not
    /// available to the groups after it.
    fn group<D: Choice + Clone>(
        &mut self,
        configured: &Configuration<D>,
        group: &BTreeSet<usize>,
    ) -> Result<Vec<Obstacle>, Unanswered> {
        Ok(match self.look(configured, group)? {
            Look::Qualified(demand) => {
                for (pool, count) in demand {
                    *self.taken.entry(pool).or_default() += count;
                }
                Vec::new()
            }
            Look::Obstructed(obstacles) => obstacles,
        })
    }

    fn look<D: Choice + Clone>(
        &self,
        configured: &Configuration<D>,
        group: &BTreeSet<usize>,
    ) -> Result<Look, Unanswered> {
        let mut found = Obstacles::new();
        let is_ours =
            |item: &str| group.iter().any(|line| configured.order.lines[*line].id == item);
        for mistake in &configured.mistakes {
            if is_ours(&mistake.item) {
                let obstacle = Obstacle::new(&mistake.code, mistake.class, &mistake.message);
                found.entry(mistake.item.as_str()).or_default().push(obstacle);
            }
        }
        if found.is_empty() {
            found = intake::obstacles(configured, group, self.facts.rulebook);
        }
        if !found.is_empty() {
            return Ok(Look::Obstructed(found.into_values().flatten().collect()));
        }
        let document = only(configured, group);
        let order = document.order().map_err(Unanswered::Request)?.at(self.facts.now);
        let document = write(&document);
        let plan = match decompose(&order, &document, self.facts.rulebook, self.facts.answers) {
            Ok(plan) => plan,
            Err(Blocked::Failure(failure)) => {
                let obstacle = Obstacle::new(&failure.code, failure.class, &failure.message);
                return Ok(Look::Obstructed(vec![obstacle]));
            }
            Err(blocked) => return Err(Unanswered::Blocked(blocked)),
        };
        let scope = Scope::default().with("order", &document);
        Ok(self.supplied(&plan, &scope).map_or_else(Look::Obstructed, Look::Qualified))
    }

    /// The values of pools that a plan reserves; the pools with too few are obstacles.
    fn supplied(&self, plan: &Plan, order: &Scope) -> Result<BTreeMap<PoolId, u64>, Vec<Obstacle>> {
        let demand = demand::of(plan, order);
        let mut obstacles = Vec::new();
        for (id, count) in &demand {
            let Some(pool) = self.facts.rulebook.pools().find(|pool| pool.id == *id) else {
                let label = format!("no pack has a pool `{id}`");
                obstacles.push(Obstacle::new(
                    FailureCode::PoolUnknown,
                    FailureClass::Operator,
                    &label,
                ));
                continue;
            };
            let free = self.facts.free.get(id).copied().unwrap_or_else(|| pool.len());
            let taken = self.taken.get(id).copied().unwrap_or(0);
            if free.saturating_sub(taken) < *count {
                let label =
                    format!("`{id}` has no {} `{}` left", pool.resource, pool.characteristic);
                obstacles.push(Obstacle::new(
                    FailureCode::PoolExhausted,
                    FailureClass::Reject,
                    &label,
                ));
            }
        }
        if obstacles.is_empty() { Ok(demand) } else { Err(obstacles) }
    }
}

/// The order with one group. The other items are named for their relations only, and left out if they
/// are wrong.
fn only<D: Choice + Clone>(configured: &Configuration<D>, group: &BTreeSet<usize>) -> D {
    let wrong: BTreeSet<&str> =
        configured.mistakes.iter().map(|mistake| mistake.item.as_str()).collect();
    let ours: BTreeSet<&str> =
        group.iter().map(|line| configured.order.lines[*line].id.as_str()).collect();
    let mut document = configured.document.clone();
    let items = document.items_mut();
    items.retain_mut(|item| {
        let id = item.id().unwrap_or_default();
        if ours.contains(id) {
            return true;
        }
        let keep = !wrong.contains(id) && item.items().is_empty();
        *item.parts().action = Some(Action::NoChange.as_str().into());
        keep
    });
    let kept: BTreeSet<String> = items.iter().filter_map(Item::id).map(str::to_owned).collect();
    for item in items {
        let is_kept = |id: &String| kept.contains(id);
        item.parts().relations.retain(|relation| relation.id.as_ref().is_some_and(is_kept));
    }
    document
}

impl Obstacle {
    /// A rejection of the order is an answer, and so is that no rule delivers it. A wrong rule or an
    /// unknown offering is the lack of one.
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
