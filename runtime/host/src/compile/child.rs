//! The process that compiles. It sets its own limits before it looks at the component, and ends
//! when the process that started it does.

use std::io::{self, Read as _, Write as _};
use std::process::ExitCode;

use rustix::process::{Resource, Rlimit, getrlimit, setpriority_process, setrlimit};

use super::EXIT_REFUSED;
use crate::machine;

/// How much less of the processor it gets than its neighbours.
const NICE: i32 = 10;

/// How many files it may have open: its three streams, and what the system lets it look at.
const FILES_MAX: u64 = 64;

/// Why nothing was compiled.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The arguments are not three numbers.
    #[error("this command is for `ferrule` itself: it compiles one plugin within limits")]
    Arguments,
    /// The limits cannot be set, so nothing is compiled.
    #[error("the limits of the compiler cannot be set")]
    Limits(#[source] io::Error),
    /// The component did not arrive whole, or the artefact cannot be written.
    #[error("cannot talk to the process that started the compiler")]
    Talk(#[source] io::Error),
    /// The compiler refused the component.
    #[error("{0}")]
    Compile(String),
}

/// Compiles the component on standard input to standard output. The arguments are the memory in
/// MiB and processor time in seconds that it may take, and the size of the component in bytes.
pub fn work(arguments: &[String]) -> Result<(), Refusal> {
    let numbers: Vec<u64> = arguments.iter().filter_map(|text| text.parse().ok()).collect();
    let [memory_mib, cpu_s, bytes] = numbers[..] else { return Err(Refusal::Arguments) };
    limit(memory_mib, cpu_s).map_err(Refusal::Limits)?;
    let bytes = usize::try_from(bytes).map_err(|_| Refusal::Arguments)?;
    let mut component = vec![0; bytes];
    io::stdin().lock().read_exact(&mut component).map_err(Refusal::Talk)?;
    end_with_parent().map_err(Refusal::Talk)?;
    let engine = machine::compiler().map_err(|error| Refusal::Compile(format!("{error:#}")))?;
    let artefact = engine
        .precompile_component(&component)
        .map_err(|error| Refusal::Compile(format!("{error:#}")))?;
    let mut out = io::stdout().lock();
    out.write_all(&artefact).and_then(|()| out.flush()).map_err(Refusal::Talk)
}

impl Refusal {
    /// How the process exits.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Compile(_) => ExitCode::from(u8::try_from(EXIT_REFUSED).unwrap_or(1)),
            Self::Arguments | Self::Limits(_) | Self::Talk(_) => ExitCode::FAILURE,
        }
    }
}

fn limit(memory_mib: u64, cpu_s: u64) -> io::Result<()> {
    let memory = memory_mib.saturating_mul(1 << 20);
    lower(Resource::As, taken()?.saturating_add(memory), 0)?;
    // The first limit is a signal that tells the parent which limit it was; the second kills.
    lower(Resource::Cpu, cpu_s, 2)?;
    lower(Resource::Fsize, memory, 0)?;
    lower(Resource::Core, 0, 0)?;
    lower(Resource::Nofile, FILES_MAX, 0)?;
    setpriority_process(None, NICE)?;
    Ok(())
}

/// Lowers a limit, and the hard limit to a margin above it; neither is raised.
fn lower(resource: Resource, max: u64, more: u64) -> io::Result<()> {
    let hard = getrlimit(resource).maximum.unwrap_or(u64::MAX);
    let maximum = Some(max.saturating_add(more).min(hard));
    Ok(setrlimit(resource, Rlimit { current: Some(max.min(hard)), maximum })?)
}

/// How much address space the process has before it compiles anything.
fn taken() -> io::Result<u64> {
    let text = std::fs::read_to_string("/proc/self/status")?;
    let size = text.lines().find_map(|line| line.strip_prefix("VmSize:"));
    let kib = size.and_then(|size| size.trim().trim_end_matches(" kB").parse::<u64>().ok());
    let kib = kib.ok_or_else(|| io::Error::other("`/proc/self/status` has no `VmSize`"))?;
    Ok(kib.saturating_mul(1024))
}

/// Ends the process when standard input does, which the parent holds open as long as it waits.
#[expect(clippy::exit, reason = "no process is left to report to")]
fn end_with_parent() -> io::Result<()> {
    let wait = || {
        let mut byte = [0];
        // An error is as good as the end: the other end is gone.
        let _end = io::stdin().lock().read(&mut byte);
        std::process::exit(1);
    };
    std::thread::Builder::new().stack_size(64 * 1024).spawn(wait).map(drop)
}
