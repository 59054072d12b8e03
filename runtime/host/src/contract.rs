//! The contract with plugins. The host works with the types of its newest version, which are
//! re-exported here; [`v01`] translates the version before. Nothing else in the host knows that
//! there are two, but for the imports of 0.1 in `capability/v01.rs`.

use std::collections::BTreeSet;

use wasmtime::Store;
use wasmtime::component::InstancePre;

use crate::role::Role;
use model::FailureCode;

pub(crate) mod v01;
mod v02;

pub(crate) use v02::{
    config, decomposition, description, http, inventory, log, observation, rating, reservation,
    scratch, secrets, types, usage_rating,
};

use self::types::{Attribute, Failure, FailureClass, Json, Money, Task};

/// The name of the contract's package, before an interface.
const PACKAGE: &str = "ferrule:plugin/";

/// A version of the contract that this host serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    /// 0.1, frozen in `wit/0.1`.
    V01,
    /// 0.2, in `wit`.
    V02,
}

/// A part of the contract that a component of a role need not export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    /// It can undo its work.
    Undo,
    /// It can find out the fate of its work.
    Probe,
    /// It reads answers that come by callback.
    Callbacks,
    /// It can compare an element with its work.
    Observation,
    /// It rates usage.
    UsageRating,
    /// It describes its JSON.
    Description,
}

/// The interfaces of the contract in the imports or exports of a component.
#[derive(Debug, Default)]
pub(crate) struct Interfaces(BTreeSet<String>);

/// The exports of a plugin, found in its compiled component.
pub(crate) struct Exports<T: 'static> {
    pre: InstancePre<T>,
    parts: BTreeSet<Part>,
    functions: Functions,
}

enum Functions {
    V01(v01::Functions),
    V02(v02::Functions),
}

/// An instance of a plugin, whose functions can be called.
pub(crate) enum Instance {
    V01(v01::Instance),
    V02(Box<v02::Instance>),
}

/// A line to bill, as the outputs of a rating step have it.
#[derive(Clone, Debug)]
pub(crate) struct Charge {
    /// The id of its price.
    pub(crate) price: String,
    pub(crate) name: String,
    pub(crate) kind: ChargeKind,
    pub(crate) net: Money,
    pub(crate) tax: Money,
    /// The first and the last day that it covers.
    pub(crate) covers: Option<(String, String)>,
    pub(crate) attributes: Vec<Attribute>,
}

/// When a price is charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChargeKind {
    OneOff,
    Recurring,
    Usage,
}

/// The answer of a function, inside the error that ended the call without one.
pub(crate) type Called<T> = wasmtime::Result<Result<T, Failure>>;

/// The interface of the contract that an import or export of a component is, and its version.
pub(crate) fn interface(name: &str) -> Option<(&str, &str)> {
    name.strip_prefix(PACKAGE)?.split_once('@')
}

impl Version {
    /// Every version that is served.
    pub(crate) const ALL: [Self; 2] = [Self::V01, Self::V02];

    /// The version with these leading numbers.
    pub(crate) fn of(major: u64, minor: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|version| version.numbers() == (major, minor))
    }

    fn numbers(self) -> (u64, u64) {
        match self {
            Self::V01 => (0, 1),
            Self::V02 => (0, 2),
        }
    }

    /// The roles whose interfaces are all exported.
    pub(crate) fn roles(self, exports: &Interfaces) -> Vec<Role> {
        let has = |role: &Role| self.mandatory(*role).iter().all(|name| exports.has(name));
        Role::ALL.into_iter().filter(has).collect()
    }

    /// The interfaces that a component of a role must export.
    pub(crate) fn mandatory(self, role: Role) -> &'static [&'static str] {
        match (self, role) {
            (_, Role::Validator) => &["validation"],
            (_, Role::Decomposer) => &["decomposition"],
            (_, Role::Allocator) => &["allocation"],
            (_, Role::Rater) => &["rating"],
            (Self::V01, Role::Activator) => &["activation"],
            (Self::V02, Role::Activator) => &["work", "undo", "probe"],
            (_, Role::Step) => &["work"],
        }
    }

    /// The optional parts that a component of a role offers.
    pub(crate) fn parts(self, role: Role, exports: &Interfaces) -> BTreeSet<Part> {
        match self {
            Self::V01 => v01::parts(role).iter().copied().collect(),
            Self::V02 => Part::ALL.into_iter().filter(|part| part.fits(role, exports)).collect(),
        }
    }
}

impl Part {
    const ALL: [Self; 6] = [
        Self::Undo,
        Self::Probe,
        Self::Callbacks,
        Self::Observation,
        Self::UsageRating,
        Self::Description,
    ];

    /// The interface of the contract.
    pub(crate) fn interface(self) -> &'static str {
        match self {
            Self::Undo => "undo",
            Self::Probe => "probe",
            Self::Callbacks => "callbacks",
            Self::Observation => "observation",
            Self::UsageRating => "usage-rating",
            Self::Description => "description",
        }
    }

    fn fits(self, role: Role, exports: &Interfaces) -> bool {
        let fits = match self {
            Self::Undo | Self::Probe | Self::Callbacks | Self::Observation => {
                matches!(role, Role::Activator | Role::Step)
            }
            Self::UsageRating => role == Role::Rater,
            Self::Description => true,
        };
        fits && exports.has(self.interface())
    }
}

impl Interfaces {
    /// Those of the contract among the names of imports or exports.
    pub(crate) fn of<'a>(names: impl IntoIterator<Item = &'a String>) -> Self {
        let names = names.into_iter().filter_map(|name| interface(name));
        Self(names.map(|(name, _)| name.to_owned()).collect())
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains(name)
    }
}

impl<T: Send + 'static> Exports<T> {
    /// Finds what a role of a version exports, and checks that it is there.
    pub(crate) fn find(
        version: Version,
        role: Role,
        parts: BTreeSet<Part>,
        pre: InstancePre<T>,
    ) -> wasmtime::Result<Self> {
        let functions = match version {
            Version::V01 => Functions::V01(v01::Functions::find(role, &pre)?),
            Version::V02 => {
                let mut names: Vec<&str> = version.mandatory(role).to_vec();
                names.extend(parts.iter().map(|part| part.interface()));
                Functions::V02(v02::Functions::find(&names, &pre)?)
            }
        };
        Ok(Self { pre, parts, functions })
    }

    /// Whether an optional part is offered.
    pub(crate) fn offer(&self, part: Part) -> bool {
        self.parts.contains(&part)
    }

    pub(crate) async fn instantiate(&self, store: &mut Store<T>) -> wasmtime::Result<Instance> {
        let instance = self.pre.instantiate_async(&mut *store).await?;
        Ok(match &self.functions {
            Functions::V01(functions) => Instance::V01(functions.load(store, &instance)?),
            Functions::V02(functions) => Instance::V02(Box::new(functions.load(store, &instance)?)),
        })
    }
}

/// Declares the functions of an instance, each carried out by the instance of its version.
macro_rules! functions {
    ($($(#[$doc:meta])* fn $name:ident($($argument:ident: $type:ty),*) -> $answer:ty;)*) => {
        impl Instance {
            $(
                $(#[$doc])*
                pub(crate) async fn $name<T: Send>(
                    &self,
                    store: &mut Store<T>,
                    $($argument: $type),*
                ) -> Called<$answer> {
                    match self {
                        Self::V01(instance) => instance.$name(store, $($argument),*).await,
                        Self::V02(instance) => instance.$name(store, $($argument),*).await,
                    }
                }
            )*
        }
    };
}

functions! {
    fn validate(task: Task) -> types::Done;
    fn allocate(task: Task) -> types::Done;
    fn decompose(request: decomposition::Request) -> Vec<decomposition::Production>;
    fn run(task: Task) -> types::Outcome;
    /// Rolls a modification back: does the work as it was, under a key of its own.
    fn revert(task: Task) -> types::Outcome;
    fn undo(task: Task, outputs: Option<&Json>) -> types::Outcome;
    fn resume(task: Task, answer: &Json) -> types::Outcome;
    fn resume_undo(task: Task, answer: &Json) -> types::Outcome;
    fn probe(task: Task) -> types::Finding;
    fn observe(task: Task) -> observation::Observed;
    fn rate(request: &rating::Request) -> Vec<Charge>;
    /// Rates a usage; the request has what all its prices share.
    fn rate_usage(request: &rating::Request, usage: usage_rating::Request) -> Charge;
    fn describe() -> description::Schemas;
}

/// The failure of a plugin whose answer is not one that the contract allows.
pub(crate) fn malformed(answer: &str) -> Failure {
    Failure {
        class: FailureClass::Operator,
        code: FailureCode::PluginAnswer.to_string(),
        message: malformed_message(answer),
        retry_after_ms: None,
        attributes: Vec::new(),
    }
}

/// Names an answer that the contract does not allow, and the remedy.
pub(crate) fn malformed_message(answer: &str) -> String {
    format!("the plugin answered with {answer}; mend the plugin, then retry the task")
}

/// The error of a call of a function that was not found at installation.
fn absent(interface: &str) -> wasmtime::Error {
    wasmtime::Error::msg(format!("the component does not export `{interface}`"))
}
