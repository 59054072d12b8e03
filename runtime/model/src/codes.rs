//! The codes of failures: stable names that clients and operators go by, each with who must act and
//! what to do. [`FailureCode`] and the table in `workflows/README.md` are made of this one, and a test
//! compares it with the sources.

use std::fmt::{self, Write as _};
use std::sync::OnceLock;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The table: what a code is about, the code, who acts, what it means, what to do.
const TABLE: &str = include_str!("codes/table.txt");

include!(concat!(env!("OUT_DIR"), "/codes.rs"));

/// A row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// The code.
    pub code: &'static str,
    /// What it is about.
    pub about: About,
    /// Who must act.
    pub class: Class,
    /// What it means.
    pub meaning: &'static str,
    /// What to do.
    pub remedy: &'static str,
}

/// The subject of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum About {
    /// An order, when it is checked and decomposed.
    Order,
    /// A check of a plugin that comes with Ferrule.
    Check,
    /// A step, when it is done.
    Step,
    /// An element of the network.
    Element,
    /// A plugin, or what it asked for.
    Plugin,
    /// A document of the catalog that is to be launched.
    Launch,
    /// A question whether something can be ordered.
    Qualification,
    /// A reconciliation.
    Reconciliation,
    /// A usage record.
    Usage,
}

/// Who must act on a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The client: the order is rejected.
    Reject,
    /// An operator: it is held, or rolled back by its step.
    Operator,
    /// The retry policy first, then an operator.
    Retry,
    /// It depends on the case; the failure tells.
    Any,
    /// The client: it is an answer, and nothing is held.
    Answer,
}

impl Class {
    /// Every one.
    pub const ALL: [Self; 5] = [Self::Reject, Self::Operator, Self::Retry, Self::Any, Self::Answer];

    /// The word of the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reject => "reject",
            Self::Operator => "operator",
            Self::Retry => "retry",
            Self::Any => "any",
            Self::Answer => "answer",
        }
    }
}

impl About {
    /// Every one, in the order of the page.
    pub const ALL: [Self; 9] = [
        Self::Order,
        Self::Check,
        Self::Step,
        Self::Element,
        Self::Plugin,
        Self::Launch,
        Self::Qualification,
        Self::Reconciliation,
        Self::Usage,
    ];

    /// The title of its table.
    pub fn title(self) -> &'static str {
        match self {
            Self::Order => "An order, before it is carried out",
            Self::Check => "A check that comes with Ferrule",
            Self::Step => "A step",
            Self::Element => "An element",
            Self::Plugin => "A plugin",
            Self::Launch => "A launch",
            Self::Qualification => "A qualification",
            Self::Reconciliation => "A reconciliation",
            Self::Usage => "A usage record",
        }
    }
}

impl FailureCode {
    /// Whether an instance that an order names is unknown, busy, or not in a state for it.
    pub fn is_of_instance(&self) -> bool {
        matches!(
            self,
            Self::InstanceBusy
                | Self::InstanceForeign
                | Self::InstanceMissing
                | Self::InstanceNeeded
                | Self::InstancePart
                | Self::InstanceState
                | Self::InstanceUnknown
        )
    }

    /// Whether a characteristic of an order is missing or wrong.
    pub fn is_of_characteristic(&self) -> bool {
        matches!(
            self,
            Self::CharacteristicMissing | Self::CharacteristicUnknown | Self::CharacteristicValue
        )
    }
}

impl From<String> for FailureCode {
    fn from(code: String) -> Self {
        Self::from(code.as_str())
    }
}

impl From<FailureCode> for String {
    fn from(code: FailureCode) -> Self {
        code.as_str().into()
    }
}

impl From<&FailureCode> for FailureCode {
    fn from(code: &FailureCode) -> Self {
        code.clone()
    }
}

impl fmt::Display for FailureCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for FailureCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for FailureCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

/// Every code, by subject and by name.
pub fn codes() -> &'static [Code] {
    static CODES: OnceLock<Vec<Code>> = OnceLock::new();
    CODES.get_or_init(|| {
        let rows = TABLE.lines().map(Code::parse);
        rows.collect::<Option<_>>().expect("the table is ours, and a test reads it")
    })
}

impl Code {
    fn parse(row: &'static str) -> Option<Self> {
        let [about, code, class, meaning, remedy] =
            row.split(" | ").collect::<Vec<_>>().try_into().ok()?;
        let about = About::ALL.into_iter().find(|known| format!("{known:?}") == about)?;
        let class = Class::ALL.into_iter().find(|known| format!("{known:?}") == class)?;
        Some(Self { code, about, class, meaning, remedy })
    }
}

/// What is known of a code.
pub fn find(code: &str) -> Option<&'static Code> {
    codes().iter().find(|known| known.code == code)
}

/// The tables of the page, as Markdown.
pub fn page() -> String {
    let mut page = String::new();
    for about in About::ALL {
        // Writing to a string cannot fail.
        let _ = writeln!(page, "**{}**\n", about.title());
        page.push_str("| code | who acts | what it means | what to do |\n|---|---|---|---|\n");
        for Code { code, class, meaning, remedy, .. } in
            codes().iter().filter(|code| code.about == about)
        {
            let _ = writeln!(page, "| `{code}` | {} | {meaning} | {remedy} |", class.as_str());
        }
        page.push('\n');
    }
    page
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_code_stands_in_the_table_once() {
        let rows: Vec<_> = codes().iter().map(|code| (code.about, code.code)).collect();
        assert!(rows.is_sorted(), "in the order of the page, then by name");
        let names: BTreeSet<_> = codes().iter().map(|code| code.code).collect();
        assert_eq!(names.len(), codes().len());
        assert_eq!(find("STEP_INPUT").map(|code| code.class), Some(Class::Operator));
        assert_eq!(find("NOTHING"), None);
    }

    #[test]
    fn codes_are_read_from_the_text_that_they_are_written_as() {
        for row in codes() {
            let code = FailureCode::from(row.code);
            assert!(!matches!(code, FailureCode::Plugin(_)), "{}", row.code);
            assert_eq!(code.as_str(), row.code);
        }
        assert_eq!(FailureCode::from("INSTANCE_BUSY"), FailureCode::InstanceBusy);
        let other = FailureCode::from("VENDOR-7".to_string());
        assert_eq!(other, FailureCode::Plugin("VENDOR-7".into()));
        assert_eq!(serde_json::to_string(&other).unwrap(), r#""VENDOR-7""#);
        assert_eq!(serde_json::from_str::<FailureCode>(r#""VENDOR-7""#).unwrap(), other);
    }

    #[test]
    fn the_page_has_every_code() {
        let page = page();
        for Code { code, meaning, remedy, .. } in codes() {
            assert!(page.contains(&format!("| `{code}` |")), "{code}");
            assert!(!meaning.is_empty() && !remedy.is_empty() && !meaning.contains('|'), "{code}");
        }
    }
}
