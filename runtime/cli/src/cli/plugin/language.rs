//! The languages that plugins can be written in, each with the tools that build it.

mod c;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use clap::ValueEnum;

use crate::cargo::{Cargo, spinner};

/// A language that projects can be made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Language {
    /// Rust, by cargo.
    Rust,
    /// JavaScript, by Node.js and QuickJS.
    Javascript,
    /// Python, by componentize-py.
    Python,
    /// C, by clang.
    C,
}

/// The programs of the virtual environment of a project in Python.
const PYTHON: &str = ".venv/bin/python";

impl Language {
    /// The language of a project, by the file that its tools need.
    pub(super) fn of(project: &Path) -> Option<Self> {
        Self::value_variants().iter().find(|one| project.join(one.marker()).is_file()).copied()
    }

    /// The folder of its templates.
    pub(super) fn folder(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Javascript => "javascript",
            Self::Python => "python",
            Self::C => "c",
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Rust => "Rust",
            Self::Javascript => "JavaScript",
            Self::Python => "Python",
            Self::C => "C",
        }
    }

    /// The file that each project has.
    pub(super) fn marker(self) -> &'static str {
        match self {
            Self::Rust => "Cargo.toml",
            Self::Javascript => "package.json",
            Self::Python => "requirements.txt",
            Self::C => "src/plugin.c",
        }
    }

    /// The commands that run the unit tests of a new project.
    pub(super) fn unit_tests(self) -> &'static str {
        match self {
            Self::Rust => "cargo test",
            Self::Javascript => "npm install && npm test",
            Self::Python => {
                "python3 -m venv .venv && .venv/bin/pip install -r requirements.txt\n  \
                 .venv/bin/python vendor/test.py"
            }
            Self::C => "sh vendor/test.sh",
        }
    }

    /// The code by which a test gives its host a setting.
    pub(super) fn test_setting(self, name: &str) -> String {
        match self {
            Self::Rust | Self::Javascript | Self::Python => {
                format!(".setting({name:?}, \"secret\")")
            }
            Self::C => format!("    fake_setting({name:?}, \"secret\");\n"),
        }
    }

    /// Adds files to a new project that are made of others.
    pub(super) fn prepare(self, project: &Path) -> Result<()> {
        match self {
            Self::Rust | Self::Javascript | Self::Python => Ok(()),
            Self::C => c::write_bindings(project),
        }
    }

    /// Builds the component of a project with the tools of the language.
    pub(super) fn build(self, project: &Path) -> Result<PathBuf> {
        match self {
            Self::Rust => build_rust(project),
            Self::Javascript => build_javascript(project),
            Self::Python => build_python(project),
            Self::C => c::build(project),
        }
    }
}

fn build_rust(project: &Path) -> Result<PathBuf> {
    let cargo = Cargo::new(project);
    cargo.add_target()?;
    let mut made = cargo.build("release", &[])?;
    match (made.pop(), made.pop()) {
        (Some(component), None) => Ok(component),
        (None, _) => {
            bail!("cargo made no component: is `crate-type = [\"cdylib\"]` in its manifest?")
        }
        (Some(_), Some(_)) => bail!("cargo made more than one component: a project is one plugin"),
    }
}

fn build_javascript(project: &Path) -> Result<PathBuf> {
    let npm = |arguments: &[&str], purpose: &str| {
        run("npm", arguments, project, purpose).context("Node.js 20 or later has npm")
    };
    if !project.join("node_modules").is_dir() {
        npm(&["install", "--no-audit", "--no-fund", "--silent"], "installing packages")?;
    }
    npm(&["run", "--silent", "build"], "building")?;
    Ok(project.join("build/plugin.wasm"))
}

fn build_python(project: &Path) -> Result<PathBuf> {
    if !project.join(PYTHON).exists() {
        run("python3", &["-m", "venv", ".venv"], project, "making the environment")
            .context("Python 3.10 or later has `venv`")?;
        let install = ["-m", "pip", "install", "--quiet", "-r", "requirements.txt"];
        run(PYTHON, &install, project, "installing packages")?;
    }
    run(PYTHON, &["vendor/build.py"], project, "building")?;
    Ok(project.join("build/plugin.wasm"))
}

/// Runs a tool of a language in a project; fails with what it printed.
fn run(program: &str, arguments: &[&str], project: &Path, purpose: &str) -> Result<()> {
    let bar = spinner(purpose);
    let mut command = Command::new(program);
    let output = command.args(arguments).current_dir(project).stdin(Stdio::null()).output();
    bar.finish_and_clear();
    let output = output.with_context(|| format!("cannot run `{program}`"))?;
    if !output.status.success() {
        let printed = [output.stdout, output.stderr].concat();
        let printed = String::from_utf8_lossy(&printed);
        bail!("`{program} {}` failed:\n{}", arguments.join(" "), printed.trim_end());
    }
    Ok(())
}
