//! A preload shim that sets the time of day.
//!
//! Loaded into a program with `LD_PRELOAD`, it answers `clock_gettime` of the real-time clocks,
//! `gettimeofday` and `time` with the milliseconds since 1970 that stand, as eight bytes of this
//! machine's order, in the file `FERRULE_CLOCK`. The file is mapped, so what a test writes there counts
//! at once. Clocks that cannot be set (`CLOCK_MONOTONIC` and its like) are those of the machine.
//!
//! The shim itself makes raw system calls only; calls of the C library would come back to it.
#![cfg(target_os = "linux")]
#![allow(missing_docs, reason = "the functions are those of the C library")]

use std::ffi::{c_int, c_long, c_void};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, Ordering};

use rustix::fs::{Mode, OFlags};
use rustix::mm::{MapFlags, ProtFlags};
use rustix::time::{ClockId, DynamicClockId};

/// The real-time clocks of the C library: the usual one, and the coarse one.
const REAL_TIME: [c_int; 2] = [0, 5];

#[repr(C)]
pub struct Timespec {
    seconds: c_long,
    nanoseconds: c_long,
}

#[repr(C)]
pub struct Timeval {
    seconds: c_long,
    microseconds: c_long,
}

/// The time in the file; `None` if there is none, and the machine's clock counts.
fn milliseconds() -> Option<i64> {
    static MAPPED: OnceLock<Option<&'static AtomicI64>> = OnceLock::new();
    let mapped = MAPPED.get_or_init(|| {
        let path = std::env::var_os("FERRULE_CLOCK")?;
        let file = rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).ok()?;
        let (size, protection) = (size_of::<AtomicI64>(), ProtFlags::READ);
        #[expect(unsafe_code, reason = "a new mapping of a file, which stays")]
        let place = unsafe {
            rustix::mm::mmap(std::ptr::null_mut(), size, protection, MapFlags::SHARED, &file, 0)
        };
        let place = place.ok()?.cast::<AtomicI64>();
        #[expect(unsafe_code, reason = "it is mapped for good, aligned to a page, and only read")]
        unsafe {
            place.as_ref()
        }
    });
    mapped.map(|mapped| mapped.load(Ordering::Relaxed))
}

fn machine(clock: c_int) -> Option<Timespec> {
    let known = ClockId::try_from(clock).ok()?;
    let time = rustix::time::clock_gettime_dynamic(DynamicClockId::Known(known)).ok()?;
    Some(Timespec { seconds: time.tv_sec, nanoseconds: time.tv_nsec })
}

fn real_time() -> Option<Timespec> {
    match milliseconds() {
        Some(ms) => Some(Timespec {
            seconds: ms.div_euclid(1_000),
            nanoseconds: ms.rem_euclid(1_000) * 1_000_000,
        }),
        None => machine(REAL_TIME[0]),
    }
}

#[expect(unsafe_code, reason = "it takes the place of a C function")]
#[unsafe(no_mangle)]
extern "C" fn clock_gettime(clock: c_int, time: *mut Timespec) -> c_int {
    let now = if REAL_TIME.contains(&clock) { real_time() } else { machine(clock) };
    let Some(now) = now else { return -1 };
    #[expect(unsafe_code, reason = "the caller vouches for its pointer")]
    unsafe {
        *time = now;
    }
    0
}

#[expect(unsafe_code, reason = "it takes the place of a C function")]
#[unsafe(no_mangle)]
extern "C" fn gettimeofday(time: *mut Timeval, _zone: *mut c_void) -> c_int {
    let Some(now) = real_time() else { return -1 };
    if !time.is_null() {
        let microseconds = now.nanoseconds / 1_000;
        #[expect(unsafe_code, reason = "the caller vouches for its pointer")]
        unsafe {
            *time = Timeval { seconds: now.seconds, microseconds };
        }
    }
    0
}

#[expect(unsafe_code, reason = "it takes the place of a C function")]
#[unsafe(no_mangle)]
extern "C" fn time(seconds: *mut c_long) -> c_long {
    let now = real_time().map_or(-1, |now| now.seconds);
    if !seconds.is_null() {
        #[expect(unsafe_code, reason = "the caller vouches for its pointer")]
        unsafe {
            *seconds = now;
        }
    }
    now
}
