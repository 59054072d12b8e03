//! Does to files what its arguments say, one after the other, and is then killed by itself: for
//! tests of the shim. Each argument is an operation and its operands, with colons between.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;

fn main() -> io::Result<()> {
    std::env::args().skip(1).try_for_each(|step| run(&step))?;
    // Nothing is tidied up.
    std::process::abort()
}

fn run(step: &str) -> io::Result<()> {
    let words: Vec<&str> = step.split(':').collect();
    match words.as_slice() {
        ["create", file, text] => File::create(file)?.write_all(text.as_bytes()),
        ["append", file, text] => {
            OpenOptions::new().append(true).open(file)?.write_all(text.as_bytes())
        }
        ["write", file, offset, text] => {
            let offset = offset.parse().map_err(io::Error::other)?;
            OpenOptions::new().write(true).open(file)?.write_all_at(text.as_bytes(), offset)
        }
        ["truncate", file, length] => {
            let length = length.parse().map_err(io::Error::other)?;
            OpenOptions::new().write(true).open(file)?.set_len(length)
        }
        ["copy", from, to] => fs::copy(from, to).map(drop),
        ["rename", from, to] => fs::rename(from, to),
        ["remove", file] => fs::remove_file(file),
        ["folder", folder] => fs::create_dir(folder),
        ["sync", path] => File::open(path)?.sync_all(),
        ["data", path] => File::open(path)?.sync_data(),
        _ => Err(io::Error::other(format!("no operation `{step}`"))),
    }
}
