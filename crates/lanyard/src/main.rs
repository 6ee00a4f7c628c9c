//! The program `lanyard`.
//!
//! Owns the allocator. Everything else is the library.

use std::process::ExitCode;

/// Gives the memory of password hashes back to the system, and costs a request less than the platform's own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    lanyard::main()
}
