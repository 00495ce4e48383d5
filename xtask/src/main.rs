//! Weft's two commands: `cargo xtask run` and `cargo xtask test`.

mod browser;
mod debian_wasm;
mod page;
mod run;
mod shell;
mod site;
mod test;
mod wasm_target;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask run [-- ARGUMENTS OF weft serve]   builds page and server and starts Weft
cargo xtask test                               checks everything
cargo xtask page                               builds the page alone";

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
        Some("run") => run::run(arguments.skip_while(|argument| argument == "--").collect()),
        Some("test") => test::test(),
        Some("page") => {
            println!("{}", page::build(wasm_target::ensure()?)?.display());
            Ok(())
        }
        Some("help" | "--help" | "-h") | None => {
            println!("{HELP}");
            Ok(())
        }
        Some(other) => anyhow::bail!("no command {other:?}\n{HELP}"),
    }
}
