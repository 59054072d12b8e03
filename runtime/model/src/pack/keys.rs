//! The keys of a pack's files as a table, for people. A test compares it with the structs that read
//! the files.

use std::fmt::Write as _;
use std::sync::OnceLock;

/// A key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// The table that it is in, such as `steps`.
    pub table: &'static str,
    /// Its name.
    pub name: &'static str,
    /// What its value is.
    pub kind: &'static str,
    /// The default, or [`MANDATORY`].
    pub default: &'static str,
    /// What it is for.
    pub about: &'static str,
}

/// The default of a key that must be there.
pub const MANDATORY: &str = "mandatory";

/// A row each: table, key, type, default, what it is for.
const TABLE: &str = include_str!("keys/table.txt");

/// Every key, by table, in the order of the page.
pub fn keys() -> &'static [Key] {
    static KEYS: OnceLock<Vec<Key>> = OnceLock::new();
    KEYS.get_or_init(|| {
        let rows = TABLE.lines().map(Key::parse);
        rows.collect::<Option<_>>().expect("the table is ours, and a test reads it")
    })
}

/// One table of the page, as Markdown.
pub fn page(table: &str) -> String {
    let mut page = String::from("| key | type | default | |\n|---|---|---|---|\n");
    for key in keys().iter().filter(|key| key.table == table) {
        let Key { name, kind, default, about, .. } = key;
        let name = if table == "retry" { format!("retry.{name}") } else { (*name).to_string() };
        // Writing to a string cannot fail.
        let _ = writeln!(page, "| `{name}` | {kind} | {default} | {about} |");
    }
    page.replace(" |  |", " | |")
}

impl Key {
    fn parse(row: &'static str) -> Option<Self> {
        let [table, name, kind, default, about] =
            row.split(" | ").collect::<Vec<_>>().try_into().ok()?;
        let text = |text: &'static str| if text == "-" { "" } else { text };
        Some(Self { table, name, kind, default, about: text(about) })
    }
}

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;
    use serde_json::{Map, Value, json};

    use super::*;
    use crate::pack::{WrittenPack, WrittenPool};
    use crate::rule::{WrittenDelivery, WrittenHooks, WrittenRule, WrittenRules};
    use crate::workflow::{WrittenRetry, WrittenStep, WrittenWorkflow};

    /// The names that a struct reads, as it tells them itself.
    fn read<T: DeserializeOwned>() -> Vec<String> {
        let error = serde_json::from_value::<T>(json!({ "no such key": 1 })).err().unwrap();
        let told = error.to_string();
        let (_, known) = told.split_once("expected ").unwrap();
        known.split('`').skip(1).step_by(2).map(str::to_string).collect()
    }

    fn check<T: DeserializeOwned>(table: &str) {
        let own: Vec<&Key> = keys().iter().filter(|key| key.table == table).collect();
        let names: Vec<&str> = own.iter().map(|key| key.name).collect();
        assert_eq!(names, read::<T>(), "the keys of {table} in pack/keys/table.txt");
        let mandatory = own.iter().filter(|key| key.default == MANDATORY);
        let value = |key: &Key| if key.kind.starts_with("list") { json!([]) } else { json!("x") };
        let all: Map<String, Value> =
            mandatory.clone().map(|key| (key.name.to_string(), value(key))).collect();
        assert!(serde_json::from_value::<T>(all.clone().into()).is_ok(), "{table}: more is needed");
        for key in mandatory {
            let mut fewer = all.clone();
            fewer.remove(key.name);
            let missing = serde_json::from_value::<T>(fewer.into()).err().map(|e| e.to_string());
            let told = format!("missing field `{}`", key.name);
            assert!(missing.is_some_and(|e| e.contains(&told)), "{table}: {told}");
        }
    }

    #[test]
    fn the_table_has_what_is_read_and_nothing_else() {
        check::<WrittenPack>("pack");
        check::<WrittenRules>("rules");
        check::<WrittenRule>("decompose");
        check::<WrittenDelivery>("deliver");
        check::<WrittenHooks>("orders");
        check::<WrittenWorkflow>("workflows");
        check::<WrittenStep>("steps");
        check::<WrittenRetry>("retry");
        check::<WrittenPool>("pools");
        let tables = ["pack", "rules", "decompose", "deliver", "orders", "workflows", "steps"];
        let known = |key: &&Key| {
            tables.contains(&key.table) || key.table == "retry" || key.table == "pools"
        };
        assert_eq!(keys().iter().filter(known).count(), keys().len());
    }
}
