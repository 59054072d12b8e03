//! Findings: the differences between an answer of an element and the inventory.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::question::{Expected, Question, busy};
use super::reading::{Difference, Holder, Reading};
use crate::codes::FailureCode;
use crate::id::FulfilmentId;
use crate::outcome::Failure;

/// How the network differs from the inventory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// It is in use in the inventory, and the element does not know it.
    MissingInNetwork,
    /// It is there with other values.
    Differs,
    /// It is terminated in the inventory, and the element still has it.
    LeftInNetwork,
    /// It is in use in the inventory, but no product or service in use leads to it.
    Orphaned,
    /// It is not known.
    Unknown,
}

/// A finding about an instance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// Its kind.
    pub kind: Kind,
    /// The resource of the instance, `service` or `resource`.
    pub resource: String,
    /// The id of the instance.
    pub id: String,
    /// The item and the step whose work it is about, such as `RFS-VLAN.activate`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub work: String,
    /// The element, if the step's input names one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub element: String,
    /// The key that the work was done under.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub key: String,
    /// The code of the failure for which it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<FailureCode>,
    /// A description for people.
    pub message: String,
    /// The values that differ.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<Difference>,
    /// The run that does the work again, if that was requested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repair: Option<FulfilmentId>,
}

impl Finding {
    /// It cannot be checked whether the instance as a whole is as it should be.
    pub fn unknown(resource: &str, id: &str, failure: Failure) -> Self {
        let Failure { code, message, .. } = failure;
        Self { code: Some(code), ..Self::new(Kind::Unknown, resource, id, message) }
    }

    fn new(kind: Kind, resource: &str, id: &str, message: String) -> Self {
        Self {
            kind,
            resource: resource.into(),
            id: id.into(),
            work: String::new(),
            element: String::new(),
            key: String::new(),
            code: None,
            message,
            differences: Vec::new(),
            repair: None,
        }
    }

    /// The instance is in use, but no instance in use leads to it.
    pub fn orphaned(resource: &str, id: &str) -> Self {
        let message = match resource {
            "resource" => "no service in use is made of it",
            _ => "no product in use, and no service that was ordered directly, leads to it",
        };
        Self::new(Kind::Orphaned, resource, id, message.into())
    }

    /// It cannot be checked, because an order is changing it.
    pub fn busy(resource: &str, id: &str, by: &FulfilmentId) -> Self {
        Self::unknown(resource, id, busy(by))
    }
}

impl Question {
    /// The finding that follows from an answer; `None` if the instance is as in the inventory.
    pub fn judge(
        &self,
        resource: &str,
        id: &str,
        answer: Result<Reading, Failure>,
    ) -> Option<Finding> {
        let found = |kind, message: String| Finding {
            work: self.work.clone(),
            element: self.element().into(),
            key: self.key.clone(),
            ..Finding::new(kind, resource, id, message)
        };
        let unknown = |code: FailureCode, message: &str| {
            Some(Finding { code: Some(code), ..found(Kind::Unknown, message.into()) })
        };
        let work = &self.work;
        match (self.expected, answer) {
            (_, Err(failure)) => unknown(failure.code, &failure.message),
            (_, Ok(Reading::Pending)) => {
                unknown(FailureCode::ElementPending, "the element has not finished with it")
            }
            (Expected::Gone, Ok(Reading::Nothing)) => None,
            (Expected::There, Ok(Reading::Nothing)) => {
                let message = format!("the element knows nothing of `{work}`");
                Some(found(Kind::MissingInNetwork, message))
            }
            (Expected::Gone, Ok(Reading::Held { holder, .. })) => match holder {
                Holder::Ours => {
                    let message = format!("the element still has what `{work}` did");
                    Some(found(Kind::LeftInNetwork, message))
                }
                // Other work may have its place by now.
                Holder::Other(_) => None,
                Holder::Unknown => unknown(
                    FailureCode::HolderUnknown,
                    "the element holds something there, and does not tell whose it is",
                ),
            },
            (Expected::There, Ok(Reading::Held { outputs, differences, holder })) => {
                let differences = self.differences(outputs, differences, holder);
                let names: Vec<_> =
                    differences.iter().map(|one| format!("`{}`", one.name)).collect();
                let message = format!("`{work}` is another in {}", names.join(", "));
                let finding = Finding { differences, ..found(Kind::Differs, message) };
                (!finding.differences.is_empty()).then_some(finding)
            }
        }
    }

    /// All differences: of the key, of the outputs of the work, and those that the plugin found.
    fn differences(
        &self,
        mut outputs: Map<String, Value>,
        compared: Vec<Difference>,
        holder: Holder,
    ) -> Vec<Difference> {
        let mut differences = Vec::new();
        if let Holder::Other(key) = holder {
            differences.push(Difference {
                name: "idempotencyKey".into(),
                expected: self.key.as_str().into(),
                found: key.into(),
            });
        }
        for (name, expected) in &self.outputs {
            // Outputs that an element does not tell are not compared.
            if let Some(found) = outputs.remove(name).filter(|found| found != expected) {
                let (name, expected) = (name.clone(), expected.clone());
                differences.push(Difference { name, expected, found });
            }
        }
        differences.extend(compared);
        differences
    }

    /// The element that the step's input names; empty if it names none.
    fn element(&self) -> &str {
        self.input.get("element").and_then(|name| name.as_str()).unwrap_or_default()
    }
}
