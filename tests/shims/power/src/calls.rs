//! The functions of the C library that this shim takes the place of. Each makes the system call
//! and notes what it did to a file.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::io::IoSlice;
use std::os::fd::{BorrowedFd, IntoRawFd as _};

use rustix::fs::{FallocateFlags, Mode, OFlags};
use rustix::io::{Errno, Result};

use crate::shadow::{self, Touched};

#[expect(unsafe_code, reason = "`errno` is a variable of the C library")]
unsafe extern "C" {
    fn __errno_location() -> *mut c_int;
}

/// Answers as the C library does: the number, or -1 and `errno`.
fn answer(result: Result<usize>) -> isize {
    match result {
        Ok(count) => count.cast_signed(),
        Err(errno) => {
            #[expect(unsafe_code, reason = "`errno` is a variable of the C library")]
            unsafe {
                *__errno_location() = errno.raw_os_error();
            }
            -1
        }
    }
}

fn answer_int(result: Result<()>) -> c_int {
    if answer(result.map(|()| 0)) == 0 { 0 } else { -1 }
}

/// A descriptor of the caller; `None` if it cannot be one.
fn file<'a>(fd: c_int) -> Result<BorrowedFd<'a>> {
    if fd < 0 {
        return Err(Errno::BADF);
    }
    #[expect(unsafe_code, reason = "the caller keeps the descriptor open during the call")]
    Ok(unsafe { BorrowedFd::borrow_raw(fd) })
}

fn bytes<'a>(buffer: *const c_void, count: usize) -> &'a [u8] {
    if buffer.is_null() || count == 0 {
        return &[];
    }
    #[expect(unsafe_code, reason = "the caller vouches for its buffer")]
    unsafe {
        std::slice::from_raw_parts(buffer.cast(), count)
    }
}

fn slices<'a>(buffers: *const c_void, count: c_int) -> &'a [IoSlice<'a>] {
    let count = usize::try_from(count).unwrap_or_default();
    if buffers.is_null() || count == 0 {
        return &[];
    }
    #[expect(unsafe_code, reason = "an `IoSlice` is an `iovec` on Unix")]
    unsafe {
        std::slice::from_raw_parts(buffers.cast(), count)
    }
}

/// Notes a write that ended at the descriptor's offset, or behind the end of the file.
fn wrote_here(file: BorrowedFd<'_>, count: usize) {
    let end = rustix::fs::tell(file);
    // A file without an offset is a pipe or a socket.
    let Ok(end) = end else { return };
    shadow::touch(file, Touched::Range { from: end.saturating_sub(count as u64), to: end });
}

fn wrote_at(file: BorrowedFd<'_>, offset: i64, count: usize) {
    let from = offset.cast_unsigned();
    shadow::touch(file, Touched::Range { from, to: from + count as u64 });
}

macro_rules! exported {
    ($(fn [$($name:ident),+] $arguments:tt -> $answer:ty $body:block)+) => {
        $(exported! { @each $($name)+, $arguments, $answer, $body })+
    };
    (@each $($name:ident)+, $arguments:tt, $answer:ty, $body:block) => {
        $(
            #[expect(unsafe_code, reason = "it takes the place of a C function")]
            #[unsafe(no_mangle)]
            extern "C" fn $name $arguments -> $answer $body
        )+
    };
}

exported! {
    fn [write] (fd: c_int, buffer: *const c_void, count: usize) -> isize {
        answer(file(fd).and_then(|file| {
            let written = rustix::io::write(file, bytes(buffer, count))?;
            wrote_here(file, written);
            Ok(written)
        }))
    }

    fn [writev] (fd: c_int, buffers: *const c_void, count: c_int) -> isize {
        answer(file(fd).and_then(|file| {
            let written = rustix::io::writev(file, slices(buffers, count))?;
            wrote_here(file, written);
            Ok(written)
        }))
    }

    fn [pwrite, pwrite64] (fd: c_int, buffer: *const c_void, count: usize, offset: i64) -> isize {
        answer(file(fd).and_then(|file| {
            let written = rustix::io::pwrite(file, bytes(buffer, count), offset.cast_unsigned())?;
            wrote_at(file, offset, written);
            Ok(written)
        }))
    }

    fn [pwritev, pwritev64] (fd: c_int, buffers: *const c_void, count: c_int, offset: i64) -> isize {
        answer(file(fd).and_then(|file| {
            let slices = slices(buffers, count);
            let written = rustix::io::pwritev(file, slices, offset.cast_unsigned())?;
            wrote_at(file, offset, written);
            Ok(written)
        }))
    }

    fn [ftruncate, ftruncate64] (fd: c_int, length: i64) -> c_int {
        answer_int(file(fd).and_then(|file| {
            rustix::fs::ftruncate(file, length.cast_unsigned())?;
            shadow::touch(file, Touched::Whole);
            Ok(())
        }))
    }

    fn [fallocate, fallocate64] (fd: c_int, mode: c_int, offset: i64, length: i64) -> c_int {
        answer_int(file(fd).and_then(|file| {
            let mode = FallocateFlags::from_bits_retain(mode.cast_unsigned());
            let (offset, length) = (offset.cast_unsigned(), length.cast_unsigned());
            rustix::fs::fallocate(file, mode, offset, length)?;
            shadow::touch(file, Touched::Whole);
            Ok(())
        }))
    }

    fn [copy_file_range] (
        from: c_int,
        from_offset: *mut u64,
        to: c_int,
        to_offset: *mut u64,
        count: usize,
        _flags: u32
    ) -> isize {
        // `std` copies whole files only, at the offsets of the descriptors.
        if !from_offset.is_null() || !to_offset.is_null() {
            return answer(Err(Errno::NOSYS));
        }
        answer(file(from).and_then(|from| {
            let to = file(to)?;
            let copied = rustix::fs::copy_file_range(from, None, to, None, count)?;
            shadow::touch(to, Touched::Whole);
            Ok(copied)
        }))
    }

    fn [sendfile, sendfile64] (_to: c_int, _from: c_int, _at: *mut i64, _count: usize) -> isize {
        // The caller writes what it read instead.
        answer(Err(Errno::INVAL))
    }

    // The C function takes the mode as a variadic argument, which lies where a third one does.
    fn [open, open64] (path: *const c_char, flags: c_int, mode: u32) -> c_int {
        #[expect(unsafe_code, reason = "the caller vouches for its path")]
        let path = unsafe { CStr::from_ptr(path) };
        let flags = OFlags::from_bits_retain(flags.cast_unsigned());
        let opened = rustix::fs::open(path, flags, Mode::from_bits_retain(mode));
        match opened {
            Ok(opened) => {
                if flags.contains(OFlags::TRUNC) {
                    shadow::touch(std::os::fd::AsFd::as_fd(&opened), Touched::Whole);
                }
                opened.into_raw_fd()
            }
            Err(errno) => answer_int(Err(errno)),
        }
    }

    fn [fsync, fdatasync] (fd: c_int) -> c_int {
        answer_int(file(fd).and_then(shadow::sync))
    }
}
