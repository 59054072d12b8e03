//! What is found: an answer held against what the inventory says.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::question::{Expected, Question, busy};
use super::reading::{Difference, Holder, Reading};
use crate::codes::FailureCode;
use crate::id::FulfilmentId;
use crate::outcome::Failure;

/// How the network is another than the inventory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// The inventory says that it is in use, and the element does not know it.
    MissingInNetwork,
    /// It is there in another way.
    Differs,
    /// The inventory says that it is no more, and the element has it still.
    LeftInNetwork,
    /// The inventory has it in use, but no product or service in use leads to it.
    Orphaned,
    /// It is not known.
    Unknown,
}

/// Something that is found about an instance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// What it is.
    pub kind: Kind,
    /// The resource of the instance, `service` or `resource`.
    pub resource: String,
    /// The id of the instance.
    pub id: String,
    /// The item and the step whose work it is about, such as `RFS-VLAN.activate`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub work: String,
    /// The element, where the step's input names one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub element: String,
    /// The key that the work was done under.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub key: String,
    /// Why it could not be found out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<FailureCode>,
    /// What is found, for people.
    pub message: String,
    /// What is another.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<Difference>,
    /// The run that does the work again, where that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repair: Option<FulfilmentId>,
}

impl Finding {
    /// Nobody can tell, of an instance as a whole.
    pub fn unknown(resource: &str, id: &str, failure: &Failure) -> Self {
        let code = Some(failure.code.clone());
        Self { code, ..Self::new(Kind::Unknown, resource, id, failure.message.clone()) }
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

    /// The instance is in use, but nothing that is in use leads to it.
    pub fn orphaned(resource: &str, id: &str) -> Self {
        let message = match resource {
            "resource" => "no service in use is made of it",
            _ => "no product in use, and no service that was ordered directly, leads to it",
        };
        Self::new(Kind::Orphaned, resource, id, message.into())
    }

    /// Nobody can tell, because an order is changing it.
    pub fn busy(resource: &str, id: &str, by: &FulfilmentId) -> Self {
        Self::unknown(resource, id, &busy(by))
    }
}

impl Question {
    /// What an answer says of an instance; nothing where all is as the inventory says.
    pub fn judge(
        &self,
        resource: &str,
        id: &str,
        answer: &Result<Reading, Failure>,
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
            (_, Err(failure)) => unknown(failure.code.clone(), &failure.message),
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
                // Its place may be somebody else's by now.
                Holder::Other(_) => None,
                Holder::Unknown => unknown(
                    FailureCode::HolderUnknown,
                    "the element holds something there, and does not say whose it is",
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

    /// All that is another: whose it is, what the work task_output, and what the plugin compared.
    fn differences(
        &self,
        outputs: &Map<String, Value>,
        compared: &[Difference],
        holder: &Holder,
    ) -> Vec<Difference> {
        let mut differences = Vec::new();
        if let Holder::Other(key) = holder {
            differences.push(Difference {
                name: "idempotencyKey".into(),
                expected: self.key.as_str().into(),
                found: key.as_str().into(),
            });
        }
        for (name, expected) in &self.outputs {
            // What an element does not tell when it is asked is not compared.
            if let Some(found) = outputs.get(name).filter(|found| *found != expected) {
                let (expected, found) = (expected.clone(), found.clone());
                differences.push(Difference { name: name.clone(), expected, found });
            }
        }
        differences.extend(compared.iter().cloned());
        differences
    }

    /// The element that the step's input names; nothing where it names none.
    fn element(&self) -> &str {
        self.input.get("element").and_then(Value::as_str).unwrap_or_default()
    }
}
