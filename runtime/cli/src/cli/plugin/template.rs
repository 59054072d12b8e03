//! The files that a new project is made of.

use host::Role;

use super::language::Language;

/// The templates, each with its path: `<language>/all/…` for every world, `<language>/<world>/…`, and
/// `any/<world>/…` for every language.
const TEMPLATES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/templates.rs"));

/// The sources of the SDK for Rust with the contract, each with its path.
const RUST: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/sdk.rs"));

/// The sources of the SDK for JavaScript, each with its path.
const JAVASCRIPT: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/sdk_javascript.rs"));

/// The sources of the SDK for Python, each with its path.
const PYTHON: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/sdk_python.rs"));

/// The sources of the SDK for C, each with its path.
const C: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/sdk_c.rs"));

/// The folder of the contract in the SDK for Rust.
const CONTRACT: &str = "wit/";

/// The folder of the contract in a project whose world is in `wit`.
const DEPENDENCY: &str = "wit/deps/ferrule-plugin";

/// A file of a project.
#[derive(Debug)]
pub(super) struct File {
    /// Its path below the folder of the project.
    pub(super) path: String,
    pub(super) text: String,
}

/// What the projects of a language differ by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Names<'a> {
    /// The id of the plugin.
    pub(super) id: &'a str,
    /// Its world.
    pub(super) role: Role,
}

/// The files of a project.
pub(super) fn files(language: Language, names: Names<'_>) -> Vec<File> {
    below(language, names.role.world(), &names.values())
}

/// The files of a project that are the same for every API; `values` go before those of the names.
pub(super) fn generated(
    language: Language,
    names: Names<'_>,
    values: &[(&'static str, String)],
) -> Vec<File> {
    below(language, "generated", &[values, &names.values()].concat())
}

/// The files of all projects of a language, those of one folder of templates, and the SDK.
fn below(language: Language, folder: &str, values: &[(&str, String)]) -> Vec<File> {
    let of = |language: &str, folder: &str| {
        let prefix = format!("{language}/{folder}/");
        let below =
            TEMPLATES.iter().filter_map(|(path, text)| Some((path.strip_prefix(&*prefix)?, text)));
        let filled = below.map(|(path, text)| File { path: path.into(), text: fill(text, values) });
        filled.collect::<Vec<_>>()
    };
    let own = language.folder();
    let made = [of(own, "all"), of(own, folder), of("any", folder)];
    made.into_iter().flatten().chain(sdk(language)).collect()
}

/// The files of the SDK of a language, and of the contract.
fn sdk(language: Language) -> Vec<File> {
    let into = |folder: &'static str| {
        move |(path, text): &(&str, &str)| File {
            path: format!("{folder}/{path}"),
            text: (*text).into(),
        }
    };
    match language {
        Language::Rust => RUST.iter().map(into("vendor/ferrule-plugin")).collect(),
        Language::Javascript => {
            let sdk = JAVASCRIPT.iter().map(into("vendor/ferrule-plugin"));
            sdk.chain(contract()).collect()
        }
        Language::Python => PYTHON.iter().map(into("vendor")).chain(contract()).collect(),
        Language::C => C.iter().map(into("vendor")).chain(contract()).collect(),
    }
}

/// The files of the contract, for a language whose world depends on it.
fn contract() -> impl Iterator<Item = File> {
    RUST.iter().filter_map(|(path, text)| {
        let path = format!("{DEPENDENCY}/{}", path.strip_prefix(CONTRACT)?);
        Some(File { path, text: (*text).into() })
    })
}

/// A template with each name in double braces replaced by its value.
fn fill(template: &str, values: &[(&str, String)]) -> String {
    let text = template.to_owned();
    values.iter().fold(text, |text, (name, value)| text.replace(&format!("{{{{{name}}}}}"), value))
}

impl Names<'_> {
    fn values(self) -> [(&'static str, String); 7] {
        [
            ("id", self.id.into()),
            // A package of cargo has no dots in its name.
            ("package", self.id.replace('.', "-")),
            ("world", self.role.world().into()),
            ("summary", self.summary().into()),
            ("requests", self.requests().into()),
            ("grants", self.grants()),
            ("sdk", sdk_version().into()),
        ]
    }

    /// The purpose of the plugin that the template makes.
    fn summary(self) -> &'static str {
        match self.role {
            Role::Validator => "Rejects an order without a contact",
            Role::Decomposer => "Makes one access for each site of an item",
            Role::Allocator => "Reserves a VLAN and an address",
            Role::Activator => "Sets the speed of a line",
            Role::Rater => "Charges every price whole",
            Role::Step => "Finds the profile for a speed",
        }
    }

    /// What that plugin asks for, as lines of its manifest.
    fn requests(self) -> &'static str {
        match self.role {
            Role::Validator | Role::Decomposer | Role::Rater | Role::Step => "",
            Role::Allocator => "pools = [\"*\"]\n",
            Role::Activator => "http = [\"*\"]\nconfig = [\"element.<name>\"]\n",
        }
    }

    /// What an operator adds to the settings to grant that.
    fn grants(self) -> String {
        let id = self.id;
        match self.role {
            Role::Validator | Role::Decomposer | Role::Rater | Role::Step => {
                format!("[plugins.\"{id}\"]\n")
            }
            Role::Allocator => {
                format!("[plugins.\"{id}\"]\npools = [\"vlans\", \"addresses\"]\n")
            }
            Role::Activator => format!(
                "[plugins.\"{id}\"]\nhttp = [\"http://10.0.0.7:8080\"]\n\n\
                 [plugins.\"{id}\".config]\n\"element.olt-1\" = \"http://10.0.0.7:8080\"\n"
            ),
        }
    }
}

/// The version of the SDK.
fn sdk_version() -> &'static str {
    let manifest = RUST.iter().find(|(path, _)| *path == "Cargo.toml").map(|(_, text)| text);
    let mut lines = manifest.into_iter().flat_map(|text| text.lines());
    let version = lines.find_map(|line| line.strip_prefix("version = "));
    version.map_or("*", |version| version.trim_matches('"'))
}
