//! As much of a hub as serves one repository: files by range, their tags, their commit.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use weft::hub::{Hub, HubSettings, ModelId};

pub(crate) const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// What the server has and how it behaves.
#[derive(Clone, Default)]
pub(crate) struct Shelf {
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    /// Tags other than `tag-FILE`.
    pub(crate) tags: BTreeMap<String, String>,
    /// Who does not have it is refused.
    pub(crate) token: Option<&'static str>,
    /// So many answers break off after the first four bytes of a file.
    pub(crate) break_offs: usize,
    /// Gives whole files to who asks for the rest of them.
    pub(crate) ignores_ranges: bool,
}

/// A running server, its cache folder, and what it was asked for.
pub(crate) struct TestHub {
    pub(crate) shelf: Arc<Mutex<Shelf>>,
    pub(crate) settings: HubSettings,
    requests: Arc<Mutex<Vec<String>>>,
    _cache: tempfile::TempDir,
}

impl TestHub {
    /// Serves a small model in shards as `me/mine`, revision `main`.
    pub(crate) fn start() -> Self {
        let index = r#"{"weight_map": {"a": "w-1.bin", "b": "w-2.bin", "c": "w-1.bin"}}"#;
        let files = [
            ("config.json", "{}"),
            ("tokenizer_config.json", "{}"),
            ("ice_text.model", "pieces"),
            ("pytorch_model.bin.index.json", index),
            ("w-1.bin", "the first shard"),
            ("w-2.bin", "the second shard"),
        ];
        let files = files
            .map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()))
            .into_iter()
            .collect();
        let shelf = Arc::new(Mutex::new(Shelf { files, ..Shelf::default() }));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let (shared, log) = (Arc::clone(&shelf), Arc::clone(&requests));
        thread::spawn(move || {
            for stream in listener.incoming() {
                // A client that goes away is no trouble of the server.
                let _ = answer(&stream.unwrap(), &shared, &log);
            }
        });
        let cache = tempfile::tempdir().unwrap();
        let settings = HubSettings {
            endpoint: Some(endpoint),
            cache: cache.path().to_owned(),
            token: None,
            offline: false,
        };
        Self { shelf, settings, requests, _cache: cache }
    }

    pub(crate) fn hub(&self) -> Hub {
        Hub::new(self.settings.clone())
    }

    pub(crate) fn change(&self, how: impl FnOnce(&mut Shelf)) {
        how(&mut self.shelf.lock().unwrap());
    }

    /// `PATH RANGE` of every request so far; forgets them.
    pub(crate) fn take_requests(&self) -> Vec<String> {
        std::mem::take(&mut *self.requests.lock().unwrap())
    }
}

pub(crate) fn id(text: &str) -> ModelId {
    text.parse().unwrap()
}

fn answer(
    stream: &TcpStream,
    shelf: &Mutex<Shelf>,
    log: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream).lines();
    let request = lines.next().unwrap_or(Ok(String::new()))?;
    let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
    let (mut range, mut token) = (None, None);
    for line in lines {
        let line = line?.to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("range: bytes=") {
            range = Some(value.to_owned());
        }
        if let Some(value) = line.strip_prefix("authorization: bearer ") {
            token = Some(value.to_owned());
        }
    }
    log.lock().unwrap().push(format!("{path} {}", range.as_deref().unwrap_or("whole")));
    let (head, body, keep) =
        respond(&path, range.as_deref(), token.as_deref(), &mut shelf.lock().unwrap());
    let mut stream = stream;
    write!(
        stream,
        "HTTP/1.1 {head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    )?;
    stream.write_all(&body[..keep.min(body.len())])
}

/// Status and headers, body, and how much of the body arrives.
fn respond(
    path: &str,
    range: Option<&str>,
    token: Option<&str>,
    shelf: &mut Shelf,
) -> (String, Vec<u8>, usize) {
    let status = |status: &str| (status.to_owned(), Vec::new(), 0);
    if shelf.token.is_some_and(|wanted| token != Some(wanted)) {
        return status("401 Unauthorized");
    }
    if path == "/api/models/me/mine/revision/main" {
        let info = format!(r#"{{"siblings": [], "sha": "{COMMIT}"}}"#).into_bytes();
        return ("200 OK".to_owned(), info.clone(), info.len());
    }
    let name = path.strip_prefix("/me/mine/resolve/main/").unwrap_or_default();
    let Some(file) = shelf.files.get(name) else {
        return status("404 Not Found");
    };
    let tag = shelf.tags.get(name).cloned().unwrap_or_else(|| format!("tag-{name}"));
    let headers = format!("ETag: \"{tag}\"\r\nX-Repo-Commit: {COMMIT}");
    let (start, end) = range.and_then(|it| it.split_once('-')).unwrap_or(("0", ""));
    let start: usize = start.parse().unwrap();
    let is_probe = end == "0";
    let end = end.parse().map_or(file.len(), |end: usize| end + 1);
    if start >= file.len() {
        return status("416 Range Not Satisfiable");
    }
    let content_range = format!("Content-Range: bytes {start}-{}/{}", end - 1, file.len());
    let start = if shelf.ignores_ranges && !is_probe { 0 } else { start };
    let body = file[start..end].to_vec();
    let breaks_off = shelf.break_offs > 0 && !is_probe && body.len() > 4;
    shelf.break_offs -= usize::from(breaks_off);
    let keep = if breaks_off { 4 } else { body.len() };
    (format!("206 Partial Content\r\n{headers}\r\n{content_range}"), body, keep)
}
