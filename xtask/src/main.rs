//! Weft's two commands, `cargo xtask run` and `cargo xtask test`, and what else is done to the project by program.

mod axe;
mod browser;
mod corpus;
mod cuda_toolkit;
mod debian_wasm;
mod gpu;
mod lazy_cuda;
mod openai_client;
mod page;
mod pretrain;
mod run;
mod shell;
mod site;
mod test;
mod wasm_target;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask run [-- ARGUMENTS OF weft serve]   builds page and server and starts Weft
cargo xtask run --gpu [-- ARGUMENTS]           the same, and computes on an NVIDIA GPU if there is one
cargo xtask build [--gpu]                      builds them and says where the program is
cargo xtask test                               checks everything
cargo xtask test --gpu                         the tests of the GPU engine: needs an NVIDIA GPU
cargo xtask page                               builds the page alone
cargo xtask pictures                           takes the README's pictures of the running product
cargo xtask corpus [--output DIR] [--seed N]   writes the pairs that the embedded model is trained on
cargo xtask pretrain-embedded                  makes the embedded model anew, which takes long";

fn main() -> ExitCode {
    match command() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn command() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    match arguments.next().as_deref() {
        Some("run") => run::run(arguments.collect()),
        Some("build") => run::build(arguments.collect()),
        Some("test") => match arguments.next().as_deref() {
            None => test::test(),
            Some("--gpu") => test::test_gpu(),
            Some(other) => anyhow::bail!("no option {other:?} of test\n{HELP}"),
        },
        Some("corpus") => corpus::run(arguments.collect()),
        Some("pretrain-embedded") => pretrain::pretrain(&arguments.collect::<Vec<_>>()),
        Some("page") => {
            println!("{}", page::build(wasm_target::ensure()?)?.display());
            Ok(())
        }
        Some("pictures") => test::pictures(),
        Some("help" | "--help" | "-h") | None => {
            println!("{HELP}");
            Ok(())
        }
        Some(other) => anyhow::bail!("no command {other:?}\n{HELP}"),
    }
}
