//! `weft serve`: the page and its server.

use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use anyhow::Context;

use crate::{
    model_dir, server,
    web::{self, AppState, ServedModel, page::Page},
};

/// Serves the page on this machine.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The folder of a ChatGLM-6B model; its tokenizer is opened in the page
    #[arg(long, value_name = "DIR")]
    model: Option<PathBuf>,
    /// The port to listen on; 0 takes a free one
    #[arg(long, default_value_t = 7860)]
    port: u16,
    /// A folder with a built page, in place of the one in the program (for work on the page)
    #[arg(long, value_name = "DIR", hide = true)]
    page: Option<PathBuf>,
}

/// Serves until it is told to stop.
pub(super) fn run(args: Args) -> anyhow::Result<()> {
    let page = match &args.page {
        Some(dir) => Page::read(dir)
            .with_context(|| format!("could not read the page in {}", dir.display()))?,
        None => Page::embedded(),
    };
    let model = args.model.as_deref().map(served_model).transpose()?;
    let router = web::router(AppState { page, model });

    tokio::runtime::Runtime::new()?.block_on(async {
        let listener = server::bind(args.port).await.with_context(|| {
            format!("could not listen on port {}; another Weft may be running, or choose one with --port", args.port)
        })?;
        writeln!(io::stdout(), "Weft is at http://{}/", listener.local_addr()?)?;
        server::run(listener, router, told_to_stop()).await?;
        Ok(())
    })
}

fn served_model(dir: &Path) -> anyhow::Result<ServedModel> {
    let tokenizer = model_dir::tokenizer(dir)?.to_bytes().into();
    let name = dir.file_name().unwrap_or(dir.as_os_str()).to_string_lossy().into_owned();
    Ok(ServedModel { name, tokenizer })
}

/// Over when someone presses Ctrl-C, or the system asks the program to end.
async fn told_to_stop() {
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated() => {}
    }
}

#[cfg(unix)]
async fn terminated() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut asked) => drop(asked.recv().await),
        Err(_) => std::future::pending().await,
    }
}

#[cfg(not(unix))]
async fn terminated() {
    std::future::pending().await
}
