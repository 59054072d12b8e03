//! Compiles plugins in a process of their own, one at a time and within limits: compiling costs as
//! much as the author of the bytes wants it to cost. The process reads a component from standard
//! input and writes an artefact to standard output, which `artefact` takes over.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};
use tokio::sync::Semaphore;

pub use child::{Refusal, work};

mod child;

/// Max bytes of the compiler's standard error that are kept.
const SAID_BYTES_MAX: u64 = 4 * 1024;

/// How the process exits when the compiler refused the component, and said why.
const EXIT_REFUSED: i32 = 3;

/// How Rust exits after a panic.
const EXIT_PANIC: i32 = 101;

/// Which program compiles: it calls [`work`] with three more arguments, which are numbers.
#[derive(Clone, Debug)]
pub struct Program {
    /// The program.
    pub path: PathBuf,
    /// Its first arguments.
    pub arguments: Vec<OsString>,
}

impl Default for Program {
    /// The program that runs now, with the command `compile-plugin`.
    fn default() -> Self {
        // The very file that runs, even where another was put in its place since.
        let own = PathBuf::from("/proc/self/exe");
        let path = if own.exists() { own } else { std::env::current_exe().unwrap_or(own) };
        Self { path, arguments: vec!["compile-plugin".into()] }
    }
}

/// The limits of compiling one plugin: `[host]` of `ferrule.toml`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompileLimits {
    /// Memory, in MiB, beside what the program itself takes.
    pub compile_memory_mib: u32,
    /// Processor time, in seconds.
    pub compile_cpu_s: u32,
    /// Wall-clock time, in seconds.
    pub compile_wall_s: u32,
}

impl Default for CompileLimits {
    fn default() -> Self {
        Self { compile_memory_mib: 1_024, compile_cpu_s: 30, compile_wall_s: 180 }
    }
}

impl CompileLimits {
    /// The value of a setting.
    pub(crate) fn of(&self, setting: Setting) -> u32 {
        match setting {
            Setting::Memory => self.compile_memory_mib,
            Setting::Cpu => self.compile_cpu_s,
            Setting::Wall => self.compile_wall_s,
        }
    }
}

/// A limit of compilation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Setting {
    /// Memory, in MiB.
    #[serde(rename = "compile-memory-mib")]
    Memory,
    /// Processor time, in seconds.
    #[serde(rename = "compile-cpu-s")]
    Cpu,
    /// Wall-clock time, in seconds.
    #[serde(rename = "compile-wall-s")]
    Wall,
}

impl Setting {
    /// Its key in `[host]` of `ferrule.toml`.
    pub fn key(self) -> &'static str {
        match self {
            Self::Memory => "compile-memory-mib",
            Self::Cpu => "compile-cpu-s",
            Self::Wall => "compile-wall-s",
        }
    }

    /// What is limited, with its unit.
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Self::Memory => "MiB of memory",
            Self::Cpu => "s of processor time",
            Self::Wall => "s",
        }
    }
}

/// Why nothing was compiled.
#[derive(Debug)]
pub(crate) enum Stopped {
    /// It would have taken more than it may.
    Limit(Setting),
    /// The compiler refused the component, or crashed over it.
    Refused(String),
    /// The process was ended from outside, so nothing is known of the component.
    Interrupted(String),
    /// The process could not be started or talked to.
    Io(io::Error),
}

/// Compiles one plugin at a time.
#[derive(Debug)]
pub(crate) struct Compiler {
    program: Program,
    pub(crate) limits: CompileLimits,
    turn: Semaphore,
}

impl Compiler {
    pub(crate) fn new(program: Program, limits: CompileLimits) -> Self {
        Self { program, limits, turn: Semaphore::new(1) }
    }

    /// Waits for the turn to compile; `None` if the host is closing.
    pub(crate) async fn turn(&self) -> Option<tokio::sync::SemaphorePermit<'_>> {
        self.turn.acquire().await.ok()
    }

    /// Compiles a component into a file. The process ends with the future.
    pub(crate) async fn run(&self, component: &[u8], artefact: File) -> Result<(), Stopped> {
        let mut child = self.spawn(component.len(), artefact).map_err(Stopped::Io)?;
        let wall = Duration::from_secs(self.limits.compile_wall_s.into());
        let (status, said) = tokio::time::timeout(wall, talk(&mut child, component))
            .await
            .map_err(|_elapsed| Stopped::Limit(Setting::Wall))?
            .map_err(Stopped::Io)?;
        verdict(status, said)
    }

    fn spawn(&self, bytes: usize, artefact: File) -> io::Result<Child> {
        let CompileLimits { compile_memory_mib, compile_cpu_s, .. } = self.limits;
        Command::new(&self.program.path)
            .args(&self.program.arguments)
            .args([compile_memory_mib, compile_cpu_s].map(|number| number.to_string()))
            .arg(bytes.to_string())
            // It needs none of our surroundings, which may hold secrets.
            .env_clear()
            // Address space that is set aside would count as memory that is used.
            .env("MIMALLOC_ARENA_RESERVE", "0")
            .stdin(Stdio::piped())
            .stdout(artefact)
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
    }
}

/// Passes the component in, and waits for the end. What is passed in stays open until then: where
/// it closes, the process knows that we are gone.
async fn talk(child: &mut Child, component: &[u8]) -> io::Result<(ExitStatus, String)> {
    let piped = || io::Error::other("the compiler has no pipes");
    let mut into = child.stdin.take().ok_or_else(piped)?;
    let mut from = child.stderr.take().ok_or_else(piped)?;
    let write = async {
        // A process that ended before it read everything gives the reason in its status.
        into.write_all(component).await.ok();
        into.flush().await.ok();
    };
    let read = async {
        let mut said = Vec::new();
        (&mut from).take(SAID_BYTES_MAX).read_to_end(&mut said).await?;
        tokio::io::copy(&mut from, &mut tokio::io::sink()).await?;
        Ok::<_, io::Error>(String::from_utf8_lossy(&said).trim().to_owned())
    };
    let ((), said) = tokio::join!(write, read);
    let status = child.wait().await?;
    Ok((status, said?))
}

fn verdict(status: ExitStatus, said: String) -> Result<(), Stopped> {
    use std::os::unix::process::ExitStatusExt as _;
    if status.success() {
        return Ok(());
    }
    // Rust and wasmtime word it so when there is no memory to be had.
    let no_memory = ["memory allocation of", "Cannot allocate memory", "os error 12"];
    if no_memory.iter().any(|text| said.contains(text)) {
        return Err(Stopped::Limit(Setting::Memory));
    }
    match status.signal().and_then(rustix::process::Signal::from_named_raw) {
        Some(rustix::process::Signal::XCPU) => Err(Stopped::Limit(Setting::Cpu)),
        Some(rustix::process::Signal::XFSZ) => Err(Stopped::Limit(Setting::Memory)),
        Some(
            rustix::process::Signal::TERM
            | rustix::process::Signal::INT
            | rustix::process::Signal::HUP
            | rustix::process::Signal::KILL,
        ) => Err(Stopped::Interrupted(status.to_string())),
        Some(_) => Err(Stopped::Refused(format!("the compiler crashed: {status}: {said}"))),
        None => match status.code() {
            Some(EXIT_REFUSED) => Err(Stopped::Refused(said)),
            Some(EXIT_PANIC) => Err(Stopped::Refused(format!("the compiler crashed: {said}"))),
            Some(_) | None => Err(Stopped::Io(io::Error::other(format!("{status}: {said}")))),
        },
    }
}
