//! Makes an enum of the codes of failures: one variant for each row of `src/codes/table.txt`.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

const TABLE: &str = "src/codes/table.txt";

/// A match over all codes is long.
const LONG: &str = r#"#[expect(clippy::too_many_lines, reason = "a line for each code")]"#;

fn main() {
    println!("cargo::rerun-if-changed={TABLE}");
    let table = fs::read_to_string(TABLE).expect("the table of codes is beside this script");
    let codes: Vec<&str> = table.lines().filter_map(|row| row.split(" | ").nth(1)).collect();
    let folder = env::var_os("OUT_DIR").expect("cargo sets it for build scripts");
    fs::write(Path::new(&folder).join("codes.rs"), source(&codes)).expect("cargo made the folder");
}

/// The enum, with the text of each variant.
fn source(codes: &[&str]) -> String {
    let mut source = String::from(
        "/// A code of a failure: one of the table, or one that a plugin made up.\n\
         #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]\n\
         pub enum FailureCode {\n",
    );
    let mut texts = String::new();
    let mut known = String::new();
    for code in codes {
        let variant = variant(code);
        // Writing to a string cannot fail.
        let _ = writeln!(source, "    /// `{code}`\n    {variant},");
        let _ = writeln!(texts, "            Self::{variant} => \"{code}\",");
        let _ = writeln!(known, "            \"{code}\" => Self::{variant},");
    }
    let _ = write!(
        source,
        "    /// A code that is not in the table: that of a plugin.\n    Plugin(Box<str>),\n}}\n\n\
         impl FailureCode {{\n    /// The code as clients see it.\n    {LONG}\n    \
         pub fn as_str(&self) -> &str {{\n        match self {{\n{texts}            \
         Self::Plugin(code) => code,\n        }}\n    }}\n}}\n\n\
         impl From<&str> for FailureCode {{\n    {LONG}\n    fn from(code: &str) -> Self {{\n        \
         match code {{\n{known}            _ => Self::Plugin(code.into()),\n        }}\n    }}\n}}\n",
    );
    source
}

/// `INSTANCE_BUSY` is `InstanceBusy`.
fn variant(code: &str) -> String {
    let words = code.split('_').filter_map(|word| word.split_at_checked(1));
    words.map(|(first, rest)| format!("{first}{}", rest.to_lowercase())).collect()
}
