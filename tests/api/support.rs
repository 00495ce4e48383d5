//! A server with a small page and the smallest model, and a way to ask it.

use std::{
    fs,
    path::Path,
    sync::{Arc, OnceLock},
};

use axum::{
    Extension, Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Method, Request, StatusCode},
    response::Response,
};
use candle_core::{DType, Device};
use serde::{Serialize, de::DeserializeOwned};
use tempfile::TempDir;
use tower::ServiceExt as _;
use weft::{
    data_dir::DataDir,
    embedded,
    engine::Engine,
    jobs::Worker,
    lora::{Adapter, LoraWeights, Target},
    model_dir::ModelDir,
    store::{AdapterFacts, Store},
    web::{self, Access, AppState, page::Page},
};
use weft_shared::{api::problem::Problem, training::LoraOptions};
use weft_tests::fixture;

pub(crate) const INDEX: &str = "<!doctype html>";

/// An answer, read to its end.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body of an answer with this status.
    pub(crate) fn json<T: DeserializeOwned>(&self, status: u16) -> T {
        let body = String::from_utf8_lossy(&self.body);
        assert_eq!(self.status, status, "{body}");
        serde_json::from_str(&body).unwrap()
    }

    pub(crate) fn problem(&self) -> Problem {
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// A server with a page of three files, one of them compressed, the smallest model and an empty data folder.
///
/// Its clones are the same server. Its jobs stay queued: [`working_server`] runs them.
pub(crate) fn server() -> Router {
    server_with_adapters(&[])
}

/// The same with adapters of these names, each of which answers otherwise than the base.
pub(crate) fn server_with_adapters(names: &[&str]) -> Router {
    server_of(engine(), names)
}

/// The same with a model that no other test uses: what one forgets under an adapter's number, others would read anew.
pub(crate) fn server_of_its_own(names: &[&str]) -> Router {
    server_of(Arc::new(open_engine("mini")), names)
}

/// The same with a model that brings pairs to rehearse: they are the embedded model's.
pub(crate) fn rehearsing_server() -> Router {
    server_of(Arc::new(open_engine(embedded::NAME)), &[])
}

fn server_of(engine: Arc<Engine>, names: &[&str]) -> Router {
    let folder = tempfile::tempdir().unwrap();
    for name in names {
        add_adapter(folder.path(), name, engine.fingerprint());
    }
    serve(app_of(engine, folder.path()), folder)
}

/// The same, open to others than this machine.
pub(crate) fn server_with_access(access: Access) -> Router {
    let folder = tempfile::tempdir().unwrap();
    let app = app(folder.path()).with_access(access);
    serve(app, folder)
}

fn serve(app: AppState, folder: TempDir) -> Router {
    // The folder lives as long as the server.
    web::router(app).layer(Extension(Arc::new(folder)))
}

/// Puts an adapter into a folder that no server uses.
pub(crate) fn add_adapter(folder: &Path, name: &str, model_fingerprint: &str) {
    let data_dir = DataDir::open(Some(folder)).unwrap();
    let options = LoraOptions { r: 2, ..LoraOptions::default() };
    let new = AdapterFacts {
        name: name.into(),
        job: None,
        dataset_name: None,
        dataset_version: None,
        r: options.r,
        alpha: options.alpha,
        target_modules: options.target_modules.clone(),
        model_fingerprint: model_fingerprint.into(),
        size_bytes: 1,
    };
    let record = Store::open(&data_dir.database()).unwrap().add_adapter(&new).unwrap();

    let config = engine().model().config().clone();
    let targets = Target::from_names(&options.target_modules).unwrap();
    let seed = name.bytes().map(u64::from).sum();
    let fresh =
        Adapter::initialize(options.clone(), &targets, &config, seed, &Device::Cpu).unwrap();
    let learned = fresh.iter().map(|(layer, target, LoraWeights { a, b })| {
        let b = (b.ones_like().unwrap() * 0.3).unwrap();
        ((layer, target), LoraWeights { a: a.clone(), b })
    });
    let dir = data_dir.adapter(record.id);
    fs::create_dir_all(&dir).unwrap();
    Adapter::new(options, learned.collect()).save(&dir, Path::new("mini")).unwrap();
}

/// A server on this folder, and what runs its jobs until it is dropped.
pub(crate) fn working_server(folder: &Path) -> (Router, Worker) {
    let app = app(folder);
    let worker = app.jobs().work();
    (web::router(app), worker)
}

pub(crate) fn app(folder: &Path) -> AppState {
    app_of(engine(), folder)
}

fn app_of(engine: Arc<Engine>, folder: &Path) -> AppState {
    AppState::open(page(), engine, DataDir::open(Some(folder)).unwrap()).unwrap()
}

/// Loaded once for all tests of a process.
pub(crate) fn engine() -> Arc<Engine> {
    static ENGINE: OnceLock<Arc<Engine>> = OnceLock::new();
    ENGINE.get_or_init(|| Arc::new(open_engine("mini"))).clone()
}

/// The smallest model, under the name `source`.
fn open_engine(source: &str) -> Engine {
    let dir = ModelDir::open(&fixture("mini/checkpoint")).unwrap();
    Engine::open(source, dir, &Device::Cpu, DType::F32.into()).unwrap()
}

/// Asks for a path as the page itself would, with some headers more.
pub(crate) async fn get(server: Router, path: &str, headers: &[(&str, &str)]) -> Answer {
    ask(server, Method::GET, path, headers, Body::empty()).await
}

/// Sends JSON as the page does.
pub(crate) async fn send(
    server: &Router,
    method: Method,
    path: &str,
    body: &impl Serialize,
) -> Answer {
    let body = serde_json::to_string(body).unwrap();
    send_text(server, method, path, body).await
}

/// Sends what is said to be JSON.
pub(crate) async fn send_text(
    server: &Router,
    method: Method,
    path: &str,
    body: impl Into<Body>,
) -> Answer {
    let headers = [("content-type", "application/json")];
    ask(server.clone(), method, path, &headers, body.into()).await
}

pub(crate) async fn ask(
    server: Router,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: Body,
) -> Answer {
    // Its folder is there until the answer is.
    let response = open(server.clone(), method, path, headers, body).await;
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap().to_vec();
    Answer { status: parts.status, headers: parts.headers, body }
}

/// Asks, and leaves the body to be read.
pub(crate) async fn open(
    server: Router,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: Body,
) -> Response {
    let mut request = Request::builder().method(method).uri(path).header("host", "127.0.0.1:7860");
    if let Some(own) = request.headers_mut() {
        for (name, value) in headers {
            own.insert(
                http::HeaderName::from_bytes(name.as_bytes()).unwrap(),
                value.parse().unwrap(),
            );
        }
    }
    server.oneshot(request.body(body).unwrap()).await.unwrap()
}

fn page() -> Page {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in
        [("index.html", INDEX), ("boot-1.js", "start()"), ("boot-1.js.br", "compressed")]
    {
        fs::write(folder.path().join(name), content).unwrap();
    }
    Page::read(folder.path()).unwrap()
}
