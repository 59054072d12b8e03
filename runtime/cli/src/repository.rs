//! The repository that this program was built from: its packs, and its plugins, which are built
//! from source where they are needed.

use std::io::{BufRead as _, BufReader, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};

/// The target that plugins are built for.
const TARGET: &str = "wasm32-wasip2";

/// A checkout of the repository.
#[derive(Clone, Debug)]
pub(crate) struct Repository {
    root: PathBuf,
}

impl Repository {
    /// Finds the checkout that we are in, or that the program was built in.
    pub(crate) fn find() -> Result<Self> {
        let here = std::env::current_dir().context("where are we?")?;
        let program = std::env::current_exe().unwrap_or_default();
        let above = here.ancestors().chain(program.ancestors());
        let mut roots = above
            .filter(|path| path.join("plugins/sdk").is_dir() && path.join("workflows").is_dir());
        let root = roots.next().context(
            "this is not a checkout of Ferrule: run it in the repository, or use `ferrule serve` \
             with --plugins and --workflows",
        )?;
        Ok(Self { root: root.into() })
    }

    pub(crate) fn workflows(&self) -> PathBuf {
        self.root.join("workflows")
    }

    /// An order of a pack, such as `superfibre/gpon`.
    pub(crate) fn order(&self, name: &str) -> Result<serde_json::Value> {
        let (pack, order) = name.split_once('/').context("a pack and an order")?;
        let path = self.workflows().join(pack).join("orders").join(format!("{order}.json"));
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("cannot read `{}`", path.display()))?;
        serde_json::from_str(&text).with_context(|| format!("`{}` is not JSON", path.display()))
    }

    /// The crates of the shipped plugins: each folder with a `plugin.toml`.
    pub(crate) fn plugin_crates(&self) -> Result<Vec<String>> {
        let folder = self.root.join("plugins");
        let entries = std::fs::read_dir(&folder)
            .with_context(|| format!("cannot read `{}`", folder.display()))?;
        let mut crates: Vec<String> = entries
            .flatten()
            .filter(|entry| entry.path().join("plugin.toml").is_file())
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect();
        crates.sort();
        Ok(crates)
    }

    /// Builds the shipped plugins if they have changed and returns their folder.
    pub(crate) fn build_plugins(&self) -> Result<PathBuf> {
        let crates = self.plugin_crates()?;
        self.add_target()?;
        self.cargo_build(&crates)?;
        let built = self.target().join(TARGET).join("plugin");
        let folder = self.target().join("plugins");
        std::fs::create_dir_all(&folder)?;
        for name in &crates {
            let file = format!("{}.wasm", name.replace('-', "_"));
            let (from, to) = (built.join(&file), folder.join(format!("{name}.wasm")));
            copy_whole(&from, &to).with_context(|| format!("cannot copy `{}`", from.display()))?;
        }
        Ok(folder)
    }

    fn target(&self) -> PathBuf {
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| self.root.join("target"), PathBuf::from)
    }

    /// Adds the target, where rustup manages the toolchain.
    fn add_target(&self) -> Result<()> {
        let installed = self.command("rustup", &["target", "list", "--installed"]).output();
        let Ok(installed) = installed else {
            // No rustup: cargo will say what is missing.
            return Ok(());
        };
        if String::from_utf8_lossy(&installed.stdout).lines().any(|line| line.trim() == TARGET) {
            return Ok(());
        }
        let bar = spinner(&format!("adding the target {TARGET}"));
        let output = self.command("rustup", &["target", "add", TARGET]).output()?;
        bar.finish_and_clear();
        if !output.status.success() {
            let reason = String::from_utf8_lossy(&output.stderr);
            bail!("`rustup target add {TARGET}` failed:\n{reason}");
        }
        Ok(())
    }

    fn cargo_build(&self, crates: &[String]) -> Result<()> {
        let mut arguments = vec!["build", "--profile", "plugin", "--target", TARGET];
        arguments.extend(crates.iter().flat_map(|name| ["--package", name]));
        let total = self.count_packages(crates);
        let bar = progress(total);
        bar.set_message("building the plugins");
        let mut child = self
            .command("cargo", &arguments)
            .env("CARGO_TERM_COLOR", "never")
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot run cargo: install Rust with rustup")?;
        let mut said = String::new();
        for line in BufReader::new(child.stderr.take().context("cargo's messages")?).lines() {
            let line = line?;
            if let Some(name) = line.trim_start().strip_prefix("Compiling ") {
                bar.inc(1);
                bar.set_message(format!("building the plugins: {name}"));
            }
            said.push_str(&line);
            said.push('\n');
        }
        bar.finish_and_clear();
        if !child.wait()?.success() {
            bail!("the plugins cannot be built:\n{said}");
        }
        Ok(())
    }

    /// How many packages the plugins consist of, for the progress bar.
    fn count_packages(&self, crates: &[String]) -> u64 {
        let mut arguments =
            vec!["tree", "--prefix", "none", "--target", TARGET, "--edges", "normal,build"];
        arguments.extend(crates.iter().flat_map(|name| ["--package", name]));
        let output = self.command("cargo", &arguments).output();
        let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
        let text = text.unwrap_or_default();
        let names: std::collections::BTreeSet<&str> =
            text.lines().filter_map(|line| line.split(" (").next()).collect();
        names.len() as u64
    }

    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(&self.root).stdin(Stdio::null());
        // Set by an outer cargo; the inner one must find its own.
        for name in ["CARGO", "RUSTC", "RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "RUSTC_WRAPPER"] {
            command.env_remove(name);
        }
        command
    }
}

/// Copies a file unless it is the same; others never see half of it.
fn copy_whole(from: &Path, to: &Path) -> std::io::Result<()> {
    let bytes = std::fs::read(from)?;
    if std::fs::read(to).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    let part = to.with_extension(format!("{}.part", std::process::id()));
    std::fs::write(&part, bytes)?;
    std::fs::rename(part, to)
}

fn progress(total: u64) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("  {bar:24} {pos}/{len} {wide_msg}");
    ProgressBar::new(total).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn spinner(message: &str) -> ProgressBar {
    let bar = if std::io::stderr().is_terminal() {
        ProgressBar::new_spinner()
    } else {
        ProgressBar::hidden()
    };
    bar.set_message(message.to_string());
    bar.enable_steady_tick(std::time::Duration::from_millis(100));
    bar
}
