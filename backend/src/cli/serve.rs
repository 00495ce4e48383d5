//! `weft serve`: the page and its server.

use std::{
    io::{self, Write as _},
    net::{IpAddr, Ipv4Addr},
    path::PathBuf,
    process,
    sync::Arc,
    time::Duration,
};

use anyhow::Context;

use super::common::ComputeArgs;
use crate::{
    data_dir::DataDir,
    embedded,
    engine::Engine,
    hub,
    model_dir::ModelDir,
    server,
    web::{self, Access, AppState, page::Page},
};

/// For what still computes when everything else has ended.
const PATIENCE: Duration = Duration::from_secs(1);

/// Serves the page, on this machine alone unless told otherwise.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A model folder, a hub id, or the small model that is in the program.
    #[arg(long, value_name = "DIR|ID", default_value = embedded::NAME)]
    model: String,
    /// The folder for datasets, runs, adapters and conversations; by default the system's folder for such data
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// The address to listen on; one that others can reach needs a token
    #[arg(long, value_name = "ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    host: IpAddr,
    /// The port to listen on; 0 takes a free one
    #[arg(long, default_value_t = 7860)]
    port: u16,
    /// A secret that every client has to send and the page asks for. Others see a command line: better set `WEFT_TOKEN`
    #[arg(long)]
    token: Option<String>,
    /// A name under which others reach this server, for example through a proxy; several may be given
    #[arg(long, value_name = "NAME")]
    allowed_host: Vec<String>,
    #[command(flatten)]
    compute: ComputeArgs,
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
    let access = Access::new(args.host, args.token.as_deref(), &args.allowed_host)?;
    let data_dir = DataDir::open(args.data_dir.as_deref())?;
    let (device, format) = args.compute.open()?;
    let model = ModelDir::open(&hub::resolve(&args.model)?)?;
    let engine = Engine::open(&args.model, model, &device, format)?;
    let app = AppState::open(page, Arc::new(engine), data_dir)?.with_access(access);

    let runtime = tokio::runtime::Runtime::new()?;
    let served = runtime.block_on(serve(args.host, args.port, app));
    runtime.shutdown_timeout(PATIENCE);
    served
}

async fn serve(host: IpAddr, port: u16, app: AppState) -> anyhow::Result<()> {
    let listener = server::bind(host, port).await.with_context(|| {
        format!(
            "could not listen on port {port} of {host}; another Weft may be running, or choose one with --port"
        )
    })?;
    let worker = app.jobs().work();
    writeln!(io::stdout(), "Weft is at http://{}/", listener.local_addr()?)?;

    let router = web::router(app.clone());
    let stop = async move {
        told_to_stop().await;
        app.end();
        tokio::spawn(async {
            told_to_stop().await;
            // Who asks twice does not want to wait for the step; the run goes on from its last checkpoint.
            process::exit(130);
        });
    };
    let served = server::run(listener, router, stop).await;
    // Stops the running job, after the step it is at, with a checkpoint from which the next start goes on.
    tokio::task::block_in_place(|| drop(worker));
    Ok(served?)
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
