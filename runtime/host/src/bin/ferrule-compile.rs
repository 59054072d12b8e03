//! The compiler of plugins by itself, for the tests of the host; `ferrule compile-plugin` is the
//! same.

use std::process::ExitCode;

#[expect(clippy::print_stderr, reason = "the process that started it reads it there")]
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match host::compile::work(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(refusal) => {
            eprintln!("{refusal}");
            refusal.exit_code()
        }
    }
}
