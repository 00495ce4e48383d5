//! The `weft` program, for the tests of the command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    weft::cli::main()
}
