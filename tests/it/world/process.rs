//! The program as a process: started, killed, listened to.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use super::DEADLINE;

/// Max bytes of a log that are shown when a test fails.
const LOG_SHOWN: usize = 6_000;

/// Timeout of a command that runs to its end: `plugin build` compiles.
const COMMAND_MAX: Duration = Duration::from_secs(600);

/// A process that goes on until it is killed, or the test ends.
pub(crate) struct Process {
    child: Child,
    log: PathBuf,
    // The process may write to it for as long as it lives.
    out: Lines<BufReader<ChildStdout>>,
}

/// What a command that has ended left.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) ok: bool,
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Process {
    /// Starts the program and waits for the line with its address; returns the URL
    /// too. If it ends before, the error has its output.
    pub(crate) async fn start(
        name: &str,
        arguments: &[String],
        folder: &Path,
    ) -> Result<(Self, String), String> {
        Self::start_in(name, arguments, folder, &[]).await
    }

    /// The same, with more in its environment.
    pub(crate) async fn start_in(
        name: &str,
        arguments: &[String],
        folder: &Path,
        environment: &[(&str, PathBuf)],
    ) -> Result<(Self, String), String> {
        let mut process = Self::begin(name, arguments, folder, environment);
        let line = tokio::time::timeout(DEADLINE, process.out.next_line()).await;
        let Some(line) = line.expect("it prints its address in time").unwrap() else {
            process.child.wait().await.unwrap();
            return Err(tail(&process.log));
        };
        let url = line.split_whitespace().find(|word| word.starts_with("http"));
        let url = url.unwrap_or_else(|| panic!("no URL in `{line}`")).to_string();
        Ok((process, url))
    }

    /// Starts the program.
    pub(crate) fn begin(
        name: &str,
        arguments: &[String],
        folder: &Path,
        environment: &[(&str, PathBuf)],
    ) -> Self {
        let log = folder.join(format!("{name}.log"));
        let file = std::fs::File::options().create(true).append(true).open(&log).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_ferrule"))
            .args(arguments)
            .env("FERRULE_LOG", "info")
            // What is free goes back at once, so what is measured is what is held.
            .env("MIMALLOC_PURGE_DELAY", "0")
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(file)
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let out = child.stdout.take().expect("it is piped");
        Self { child, log, out: BufReader::new(out).lines() }
    }

    /// Waits until it has ended by itself; returns the end of its log.
    pub(crate) async fn failed(mut self) -> String {
        let ended = tokio::time::timeout(DEADLINE, self.child.wait()).await;
        assert!(!ended.expect("it ends in time").unwrap().success());
        tail(&self.log)
    }

    /// Waits for a line with a text in it; answers with what was said until then.
    pub(crate) async fn wait_for_line(&mut self, text: &str) -> String {
        let mut said = String::new();
        while !said.contains(text) {
            let line = tokio::time::timeout(DEADLINE, self.out.next_line()).await;
            let line = line.unwrap_or_else(|_| panic!("no `{text}` in time after:\n{said}"));
            let line = line.unwrap().unwrap_or_else(|| panic!("no `{text}` in:\n{said}"));
            said.push_str(&line);
            said.push('\n');
        }
        said
    }

    /// Its id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id().expect("it runs")
    }

    /// How much memory it has, in bytes.
    pub(crate) fn memory(&self) -> u64 {
        let id = self.id();
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.split_whitespace().next()).expect("it has memory");
        kib.parse::<u64>().unwrap() * 1024
    }

    /// Kills it: it gets no chance to tidy up.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }
}

impl Drop for Process {
    #[expect(clippy::print_stderr, reason = "shown with the test that failed")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- {}\n{}\n---", self.log.display(), tail(&self.log));
        }
    }
}

/// Runs a command of the program to its end.
pub(crate) async fn ferrule(arguments: &[&str]) -> Output {
    ferrule_in(arguments, &[]).await
}

/// The same, with more in its environment.
pub(crate) async fn ferrule_in(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let running = Command::new(env!("CARGO_BIN_EXE_ferrule"))
        .args(arguments)
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(COMMAND_MAX, running).await;
    let output = output.expect("the command ends in time").unwrap();
    Output {
        ok: output.status.success(),
        code: output.status.code(),
        out: String::from_utf8_lossy(&output.stdout).into(),
        err: String::from_utf8_lossy(&output.stderr).into(),
    }
}

/// The end of a log.
fn tail(log: &Path) -> String {
    let mut bytes = Vec::new();
    if let Ok(mut file) = std::fs::File::open(log) {
        // What cannot be read cannot be shown; the test has failed already.
        file.read_to_end(&mut bytes).ok();
    }
    let shown = bytes.len().saturating_sub(LOG_SHOWN);
    String::from_utf8_lossy(&bytes[shown..]).into_owned()
}
