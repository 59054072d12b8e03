//! The adapter of an API: which operations it carries out, and how each is undone and found again.

use std::collections::{BTreeMap, BTreeSet};

use super::api::{
    Api, Body, Call, CallbackAt, Example, Login, Method, Operation, Place, parameter, segments,
};
use super::kind::{Kind, Property};
use super::names::Taken;

/// Names of the body under which many APIs keep an id that the client chose.
const KEYS: [&str; 6] = [
    "externalId",
    "correlationId",
    "clientToken",
    "clientRequestId",
    "requestId",
    "idempotencyKey",
];

/// An adapter, whatever language it is written in.
#[derive(Debug)]
pub(super) struct Adapter {
    pub(super) title: String,
    pub(super) version: String,
    pub(super) server: String,
    pub(super) login: Option<Login>,
    pub(super) operations: Vec<Planned>,
    /// The outputs of all operations together.
    pub(super) output: Vec<Property>,
}

/// An operation that the adapter carries out.
#[derive(Debug)]
pub(super) struct Planned {
    /// Its key in the input.
    pub(super) key: String,
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) about: Option<String>,
    pub(super) address: Vec<Piece>,
    pub(super) given: Vec<Given>,
    pub(super) body: Option<Body>,
    /// The property of the body that is given the key of the task.
    pub(super) key_property: Option<String>,
    pub(super) answer: Answer,
    pub(super) undo: Undo,
    pub(super) probe: Probe,
    pub(super) accepted: Accepted,
    /// Whether the description has an answer that comes before the work is done.
    pub(super) is_accepted: bool,
    /// What a person has to decide.
    pub(super) decide: Vec<String>,
    pub(super) examples: Vec<Example>,
}

/// A part of an address: segments as they are, or one that is a value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Piece {
    Text(String),
    /// A parameter of the path, by its place in `given`.
    Given(usize),
    /// The id of what was made, under this name in the answer.
    Id(String),
}

/// A parameter in the input.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Given {
    pub(super) place: Place,
    /// Its name in the API; the property has that in the input.
    pub(super) wire: String,
    pub(super) property: Property,
    /// The setting that has its value, if it is not in the input.
    pub(super) setting: Option<String>,
}

/// The source of the outputs.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Answer {
    None,
    /// Properties of the answer.
    Object(Vec<Property>),
    /// The answer under this name.
    Whole(&'static str),
}

/// How an operation is undone.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Undo {
    /// It changes nothing.
    Nothing,
    Delete(Vec<Piece>),
    Undecided(String),
}

/// How the fate of an operation is found out.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Probe {
    /// It may be sent again.
    Again(String),
    /// It was applied if what is there has all that was sent.
    Compare(Vec<Piece>),
    /// It was applied if nothing is there.
    Gone(Vec<Piece>),
    /// It was applied if a list has an entry with the key of the task in this property.
    Listed(Vec<Piece>, String),
    Undecided(String),
}

/// What an answer 202 leads to: the work goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Accepted {
    /// The operation changes nothing, so it is an answer as any other.
    Answer,
    /// The attempt is retried, and the probe looks whether the work is there.
    Probed,
    /// The element calls back, and the probe looks what became of the work.
    CalledBack(CallbackAt),
    /// There is no way to look.
    Undecided,
}

impl Adapter {
    /// Whether an operation waits for a callback.
    pub(super) fn waits(&self) -> bool {
        self.operations.iter().any(|one| matches!(one.accepted, Accepted::CalledBack(_)))
    }

    /// The adapter of operations of an API.
    pub(super) fn new(api: &Api, selected: &[&Operation]) -> Self {
        let mut keys = Taken::default();
        let operations: Vec<Planned> = selected
            .iter()
            .filter_map(|operation| {
                let call = operation.call.as_ref().ok()?;
                Some(Planned::new(api, operation, call, &keys.unique(&operation.key())))
            })
            .collect();
        let output = outputs(&operations);
        let Api { title, version, server, login, .. } = api;
        let (title, version, server) = (title.as_str(), version.as_str(), server.as_str());
        Self {
            title: title.into(),
            version: version.into(),
            server: server.into(),
            login: login.clone(),
            operations,
            output,
        }
    }
}

impl Adapter {
    /// The settings that it reads apart from the addresses of elements.
    pub(super) fn settings(&self) -> BTreeSet<&str> {
        let given = self.operations.iter().flat_map(|one| &one.given);
        let given = given.filter_map(|one| one.setting.as_deref());
        given.chain(self.login.as_ref().map(|login| login.setting.as_str())).collect()
    }
}

impl Planned {
    /// Whether the body has more than the input gives.
    pub(super) fn makes_body(&self) -> bool {
        let told = matches!(self.accepted, Accepted::CalledBack(CallbackAt::Body(_)));
        self.key_property.is_some() || told && self.body.is_some()
    }

    /// The properties of the input that are parameters.
    pub(super) fn inputs(&self) -> Vec<Property> {
        let inputs = self.given.iter().filter(|one| one.setting.is_none());
        inputs.map(|one| one.property.clone()).collect()
    }

    pub(super) fn new(api: &Api, operation: &Operation, call: &Call, key: &str) -> Self {
        let given = given(call);
        let address = pieces(&operation.path, &operation.path, &given, "");
        let mut planned = Self {
            key: key.into(),
            method: operation.method,
            path: operation.path.as_str().into(),
            about: call.about.as_deref().map(Into::into),
            address,
            given,
            body: call.body.clone(),
            key_property: None,
            answer: answer(call),
            undo: Undo::Nothing,
            probe: Probe::Again("it changes nothing".into()),
            accepted: Accepted::Answer,
            is_accepted: call.is_accepted || call.callback.is_some(),
            decide: Vec::new(),
            examples: call.examples.clone(),
        };
        planned.propose(api, call);
        planned.accept(call);
        planned
    }

    fn propose(&mut self, api: &Api, call: &Call) {
        let own = self.address.clone();
        let find = |method| one(api, method, &self.path).is_some();
        match self.method {
            Method::Get => {}
            Method::Put => {
                self.undo = if find(Method::Delete) {
                    self.decide.push(
                        "a PUT also replaces what was there before the order; undo deletes it"
                            .into(),
                    );
                    Undo::Delete(own.clone())
                } else {
                    Undo::Undecided(format!("the API has no `DELETE {}`", self.path))
                };
                self.probe = if find(Method::Get) {
                    Probe::Compare(own)
                } else {
                    Probe::Again("the same PUT twice is as good as once".into())
                };
            }
            Method::Patch => {
                self.undo = Undo::Undecided(
                    "the values of before are not known: keep them in the outputs and send them again".into(),
                );
                self.probe = if find(Method::Get) {
                    Probe::Compare(own)
                } else {
                    self.decide.push("the same PATCH is sent again if its answer was lost".into());
                    Probe::Again("the same PATCH twice is as good as once".into())
                };
            }
            Method::Delete => {
                self.undo = Undo::Undecided(
                    "what was deleted is not known: read it before, and make it again".into(),
                );
                self.probe = if find(Method::Get) {
                    Probe::Gone(own)
                } else {
                    Probe::Again("the same DELETE twice is as good as once".into())
                };
            }
            Method::Post if call.takes_key => {
                self.propose_undo(api);
                self.probe = Probe::Again("the API honours the key of the task".into());
            }
            Method::Post => {
                self.propose_undo(api);
                self.propose_probe(api);
            }
        }
        for parameter in &call.left_out {
            self.decide.push(format!("the optional {parameter} is left out"));
        }
    }

    /// An answer 202 is never taken for the end of the work.
    fn accept(&mut self, call: &Call) {
        let is_looked_at =
            matches!(self.probe, Probe::Compare(_) | Probe::Gone(_) | Probe::Listed(..));
        let (accepted, decision) = match &call.callback {
            _ if self.method == Method::Get => return,
            Some(callback) if is_looked_at => (
                Accepted::CalledBack(callback.clone()),
                "an answer 202 waits an hour for the callback, after which the probe looks what became of the work",
            ),
            Some(_) | None if is_looked_at => (
                Accepted::Probed,
                "an answer 202 is retried, and the probe looks whether the work is there: have the `retry` of the \
                 step last as long as the work may",
            ),
            Some(_) | None => (
                Accepted::Undecided,
                "an answer 202 fails with `ACCEPTED_UNDECIDED`: the description has no way to look at the work",
            ),
        };
        self.accepted = accepted;
        if self.is_accepted {
            self.decide.push(decision.into());
            self.decide.push(
                "an answer with a `state` or `status` such as `pending` is one of work that goes on".into(),
            );
        }
        if let (Accepted::CalledBack(CallbackAt::Body(name)), Some(body)) =
            (&self.accepted, &mut self.body)
            && let Kind::Object(shape) = &mut body.kind
        {
            // The adapter gives it.
            shape.properties.retain(|one| one.name != *name);
        }
    }

    /// A POST makes something below its path, under an id that its answer has.
    fn propose_undo(&mut self, api: &Api) {
        let deletes = item(api, Method::Delete, &self.path);
        let id = deletes.and_then(|path| id(path, &self.answer));
        self.undo = match (deletes, id) {
            (Some(path), Some(id)) => Undo::Delete(pieces(path, &self.path, &self.given, &id)),
            (Some(path), None) => {
                Undo::Undecided(format!("the answer has no id for `DELETE {path}`"))
            }
            (None, _) => Undo::Undecided(format!("the API has no `DELETE {}/{{id}}`", self.path)),
        };
    }

    /// The work of a POST is found by a key in its body, if there is a list of such work.
    fn propose_probe(&mut self, api: &Api) {
        let listed = one(api, Method::Get, &self.path).and_then(|list| {
            let Some(Kind::List(entry)) = &list.answer else { return None };
            let Kind::Object(entry) = &**entry else { return None };
            let Kind::Object(body) = &self.body.as_ref()?.kind else { return None };
            let has = |properties: &[Property], key: &str| {
                properties.iter().any(|one| one.name == key && one.kind == Kind::Text)
            };
            let mut keys = KEYS.iter();
            keys.find(|key| has(&entry.properties, key) && has(&body.properties, key))
        });
        if let Some(key) = listed {
            self.key_property = Some((*key).into());
            self.decide.push(format!(
                "`{key}` carries the key of the task, and work is found by it: `GET {}` must filter by `{key}`",
                self.path
            ));
            self.probe = Probe::Listed(self.address.clone(), (*key).into());
            return;
        }
        let why =
            "its id is not known if its answer was lost, and the API names no key to find it by";
        self.probe = Probe::Undecided(format!(
            "{why}; if the API honours the header `Idempotency-Key`, answer that it was not applied, and it \
             is sent again"
        ));
    }
}

/// The parameters of a call, each under a name of its own in the input.
fn given(call: &Call) -> Vec<Given> {
    let mut taken = Taken::of(&["element", "body"]);
    let mut sorted: Vec<_> = call.parameters.iter().collect();
    sorted.sort_by_key(|one| one.place);
    sorted
        .into_iter()
        .map(|parameter| {
            let wire = parameter.property.name.as_str();
            let mut property = parameter.property.clone();
            property.name = taken.unique(wire);
            let setting = parameter.setting.as_deref().map(Into::into);
            Given { place: parameter.place, wire: wire.into(), property, setting }
        })
        .collect()
}

/// The pieces of a path that is the same as that of the call, or one below it. Templates of two paths may name
/// the same parameter differently, so they are matched by their order; one more is the id.
fn pieces(path: &str, own: &str, given: &[Given], id: &str) -> Vec<Piece> {
    let mut names = segments(own).into_iter().filter_map(parameter);
    let mut pieces: Vec<Piece> = Vec::new();
    for segment in segments(path) {
        if parameter(segment).is_some() {
            let place = names.next().and_then(|name| {
                given.iter().position(|one| one.place == Place::Path && one.wire == name)
            });
            pieces.push(place.map_or_else(|| Piece::Id(id.into()), Piece::Given));
        } else if let Some(Piece::Text(text)) = pieces.last_mut() {
            text.push('/');
            text.push_str(segment);
        } else {
            pieces.push(Piece::Text(format!("/{segment}")));
        }
    }
    pieces
}

/// The call of an operation with this method and path that needs no more than its path.
fn one<'a>(api: &'a Api, method: Method, path: &str) -> Option<&'a Call> {
    let found =
        api.operations.iter().find(|one| one.method == method && is_same(&one.path, path))?;
    plain(found)
}

/// The path of what is below another, with an operation that needs no more than it.
fn item<'a>(api: &'a Api, method: Method, path: &str) -> Option<&'a str> {
    let is_below = |one: &&Operation| {
        let below = one.path.rsplit_once('/');
        below.is_some_and(|(above, last)| is_same(above, path) && parameter(last).is_some())
    };
    let found = api.operations.iter().filter(is_below).find(|one| one.method == method)?;
    plain(found).map(|_| found.path.as_str())
}

fn plain(operation: &Operation) -> Option<&Call> {
    let call = operation.call.as_ref().ok()?;
    let others = call.parameters.iter().filter(|one| one.place != Place::Path);
    let is_plain = others.into_iter().all(|one| !one.property.is_mandatory);
    let has_body = call.body.as_ref().is_some_and(|body| body.is_mandatory);
    (is_plain && !has_body).then_some(call)
}

/// Whether two templates are of the same path, however they name their parameters.
fn is_same(left: &str, right: &str) -> bool {
    let (left, right) = (segments(left), segments(right));
    let is_one = |(left, right): (&&str, &&str)| match (parameter(left), parameter(right)) {
        (None, None) => left == right,
        (Some(_), Some(_)) => true,
        (Some(_), None) | (None, Some(_)) => false,
    };
    left.len() == right.len() && left.iter().zip(&right).all(is_one)
}

/// The property of an answer that fills the last parameter of a path.
fn id(path: &str, answer: &Answer) -> Option<String> {
    let Answer::Object(properties) = answer else { return None };
    let name = segments(path).into_iter().filter_map(parameter).next_back()?;
    let found = [name, "id", "uuid", "name"].into_iter().find(|name| {
        let is_it =
            |one: &&Property| one.name == *name && matches!(one.kind, Kind::Text | Kind::Integer);
        properties.iter().any(|one| is_it(&one))
    });
    found.map(str::to_owned)
}

fn answer(call: &Call) -> Answer {
    match &call.answer {
        None => Answer::None,
        Some(Kind::Object(shape)) => {
            let flat = shape.properties.iter().map(|one| Property {
                name: one.name.as_str().into(),
                kind: one.kind.clone().flat(),
                is_mandatory: false,
                about: one.about.as_deref().map(Into::into),
            });
            Answer::Object(flat.collect())
        }
        Some(Kind::List(_)) => Answer::Whole("items"),
        Some(_) => Answer::Whole("value"),
    }
}

/// The properties of all answers; one that differs between them may be any JSON.
fn outputs(operations: &[Planned]) -> Vec<Property> {
    let mut all: BTreeMap<String, Property> = BTreeMap::new();
    for operation in operations {
        for property in operation.answer.properties() {
            match all.get_mut(&property.name) {
                Some(known) if known.kind != property.kind => known.kind = Kind::Any,
                Some(_) => {}
                None => {
                    all.insert(property.name.as_str().into(), property);
                }
            }
        }
    }
    all.into_values().collect()
}

impl Answer {
    /// The outputs that it gives.
    pub(super) fn properties(&self) -> Vec<Property> {
        match self {
            Self::None => Vec::new(),
            Self::Object(properties) => properties.clone(),
            Self::Whole(name) => {
                let name = (*name).to_owned();
                vec![Property { name, kind: Kind::Any, is_mandatory: false, about: None }]
            }
        }
    }
}
