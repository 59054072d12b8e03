//! Runs cargo for plugins, with progress.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Deserialize;

/// The target that plugins are built for.
pub(crate) const TARGET: &str = "wasm32-wasip2";

/// Cargo in a folder.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cargo<'a> {
    folder: &'a Path,
}

/// A message of cargo in JSON; other attributes are not of interest.
#[derive(Deserialize)]
struct Message {
    reason: String,
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

impl<'a> Cargo<'a> {
    pub(crate) fn new(folder: &'a Path) -> Self {
        Self { folder }
    }

    /// Adds the target, if rustup manages the toolchain.
    pub(crate) fn add_target(self) -> Result<()> {
        let installed = self.command("rustup", &["target", "list", "--installed"]).output();
        let Ok(installed) = installed else {
            // No rustup: cargo will report what is missing.
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

    /// Builds for the target and returns the components that were made.
    pub(crate) fn build(self, profile: &str, packages: &[String]) -> Result<Vec<PathBuf>> {
        let chosen: Vec<&str> =
            packages.iter().flat_map(|name| ["--package", name.as_str()]).collect();
        let bar = progress(self.count_packages(&chosen));
        bar.set_message("building");
        let arguments = ["build", "--profile", profile, "--target", TARGET];
        let mut child = self
            .command("cargo", &arguments)
            .args(["--message-format", "json-render-diagnostics"])
            .args(&chosen)
            .env("CARGO_TERM_COLOR", "never")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot run cargo: install Rust with rustup")?;
        let mut messages = child.stdout.take().context("cargo's messages")?;
        let reader = std::thread::spawn(move || {
            let mut text = String::new();
            messages.read_to_string(&mut text).map(|_| text)
        });
        let mut said = String::new();
        for line in BufReader::new(child.stderr.take().context("cargo's output")?).lines() {
            let line = line?;
            if let Some(name) = line.trim_start().strip_prefix("Compiling ") {
                bar.inc(1);
                bar.set_message(format!("building: {name}"));
            }
            said.push_str(&line);
            said.push('\n');
        }
        bar.finish_and_clear();
        let messages = reader.join().ok().context("cargo's messages")??;
        if !child.wait()?.success() {
            bail!("the build failed:\n{said}");
        }
        Ok(components(&messages))
    }

    /// The number of packages that a build consists of, for the progress bar.
    fn count_packages(self, chosen: &[&str]) -> u64 {
        let arguments = ["tree", "--prefix", "none", "--target", TARGET, "--edges", "normal,build"];
        let output = self.command("cargo", &arguments).args(chosen).output();
        let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
        let text = text.unwrap_or_default();
        let names: BTreeSet<&str> =
            text.lines().filter_map(|line| line.split(" (").next()).collect();
        names.len() as u64
    }

    fn command(self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.folder).stdin(Stdio::null());
        // Set by an outer cargo; the inner one must find its own.
        for name in ["CARGO", "RUSTC", "RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "RUSTC_WRAPPER"] {
            command.env_remove(name);
        }
        command
    }
}

/// The components among the files that cargo has made.
fn components(messages: &str) -> Vec<PathBuf> {
    let messages = messages.lines().filter_map(|line| serde_json::from_str(line).ok());
    let made = messages.filter(|message: &Message| message.reason == "compiler-artifact");
    let files = made.flat_map(|message| message.filenames);
    files.filter(|file| file.extension().is_some_and(|kind| kind == "wasm")).collect()
}

fn progress(total: u64) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("  {bar:24} {pos}/{len} {wide_msg}");
    ProgressBar::new(total).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

pub(crate) fn spinner(message: &str) -> ProgressBar {
    let bar = if std::io::stderr().is_terminal() {
        ProgressBar::new_spinner()
    } else {
        ProgressBar::hidden()
    };
    bar.set_message(message.to_string());
    bar.enable_steady_tick(std::time::Duration::from_millis(100));
    bar
}
