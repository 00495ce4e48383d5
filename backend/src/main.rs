//! The `weft` command; everything is in the library, so that tests run the same program.

use std::process::ExitCode;

/// A training step takes and gives back the same large pieces of memory again and again. This allocator keeps them;
/// glibc's gives them to the system and clears them anew each step.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    weft::cli::main()
}
