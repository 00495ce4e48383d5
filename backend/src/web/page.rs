//! The page: files that are sent as they are.

use std::{collections::BTreeMap, fs, io, path::Path, sync::Arc};

use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};

use super::{ApiError, AppState};

/// What `backend/build.rs` found.
static EMBEDDED: &[(&str, &[u8])] = &include!(concat!(env!("OUT_DIR"), "/page_files.rs"));

/// Where the page stands in the address; what it shows there it decides itself.
const PLACES: [&str; 7] = ["/", "/inspect", "/dataset", "/train", "/evaluate", "/chat", "/models"];

const NOTICE: &str = "This server was built without the page. `cargo xtask run` builds both.\n";

/// The files of the page, by name; `NAME.br` is `NAME`, compressed.
#[derive(Clone)]
pub struct Page {
    files: Arc<BTreeMap<String, Bytes>>,
}

impl Page {
    /// The page in this program; without a file where it was built without one.
    pub fn embedded() -> Self {
        let files =
            EMBEDDED.iter().map(|&(name, bytes)| (name.to_owned(), Bytes::from_static(bytes)));
        Self { files: Arc::new(files.collect()) }
    }

    /// A page that was built into a folder.
    pub fn read(dir: &Path) -> io::Result<Self> {
        let mut files = BTreeMap::new();
        for entry in dir.read_dir()? {
            let entry = entry?;
            files.insert(
                entry.file_name().to_string_lossy().into_owned(),
                fs::read(entry.path())?.into(),
            );
        }
        Ok(Self { files: Arc::new(files) })
    }

    fn get(&self, name: &str, headers: &HeaderMap) -> Option<Response> {
        let plain = self.files.get(name)?;
        let compressed = self.files.get(&format!("{name}.br")).filter(|_| accepts_brotli(headers));
        let common = [
            (header::CONTENT_TYPE, content_type(name)),
            (header::CACHE_CONTROL, cache_control(name)),
            (header::VARY, "accept-encoding"),
        ];
        Some(match compressed {
            Some(bytes) => {
                (common, [(header::CONTENT_ENCODING, "br")], bytes.clone()).into_response()
            }
            None => (common, plain.clone()).into_response(),
        })
    }
}

/// Sends a file of the page.
pub(super) async fn send(
    State(app): State<AppState>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let path = uri.path();
    let name = if PLACES.contains(&path) { "index.html" } else { path.trim_start_matches('/') };
    if name == "index.html" && app.page.files.is_empty() {
        return Ok((StatusCode::SERVICE_UNAVAILABLE, NOTICE).into_response());
    }
    app.page.get(name, &headers).ok_or_else(|| ApiError::NothingHere(uri.path().to_owned()))
}

fn accepts_brotli(headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
    accepted.is_some_and(|accepted| accepted.split(',').any(|coding| coding.trim() == "br"))
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

/// All names but `index.html` change with the content.
fn cache_control(name: &str) -> &'static str {
    if name == "index.html" { "no-cache" } else { "public, max-age=31536000, immutable" }
}
