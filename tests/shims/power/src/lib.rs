//! A preload shim that knows which bytes would survive a power failure.
//!
//! Loaded into a program with `LD_PRELOAD`, it watches what the program writes below the folder
//! `FERRULE_POWER_ROOT` and keeps, in the folder `FERRULE_POWER_SHADOW`, what is durable:
//!
//! - `files/<id>` has the bytes of a file as they were when it was last synced;
//! - `dirs/<id>` lists the entries of a directory as they were when it was last synced.
//!
//! An id is an inode number with the time of its birth, so a reused inode is another file. The
//! model is strict: `sync_file_range` makes nothing durable, and a new name or a rename is durable
//! only when its directory was synced. A sync is not handed on to the disk.
//!
//! Where `FERRULE_POWER_SHADOW/slow` has a number, each sync takes that many milliseconds longer. Where
//! there is a `FERRULE_POWER_SHADOW/deaf`, a sync makes nothing durable.
//!
//! The shim itself makes raw system calls only; calls of the C library would come back to it.
#![cfg(target_os = "linux")]
#![allow(missing_docs, reason = "the functions are those of the C library")]

mod calls;
mod shadow;
