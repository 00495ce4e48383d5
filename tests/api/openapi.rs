//! The document that describes the API: it is whole, and it is true.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use axum::{body::Body, http::Method};
use serde_json::Value;

use crate::support::{ask, get, server};

/// `GET /api/datasets/{id}`
type Route = (String, String);

#[tokio::test]
async fn every_route_is_in_the_document() {
    let documented = routes_of(&document().await);

    let forgotten: Vec<_> = routes_of_the_source().difference(&documented).cloned().collect();

    assert!(forgotten.is_empty(), "not in backend/src/web/openapi.rs: {forgotten:?}");
}

#[tokio::test]
async fn the_server_answers_everything_in_the_document() {
    for (method, path) in routes_of(&document().await) {
        let path = path.replace("{id}", "7").replace("{number}", "7").replace("{name}", "x");
        let method = Method::from_bytes(method.as_bytes()).unwrap();

        let answer = ask(server(), method.clone(), &path, &[], Body::empty()).await;

        assert_ne!(answer.status, 405, "{method} {path}");
        if answer.status == 404 {
            assert_ne!(answer.problem().kind, "/problems/nothing-here", "{method} {path}");
        }
    }
}

#[tokio::test]
async fn every_reference_leads_somewhere() {
    let document = document().await;
    let mut references = Vec::new();
    collect(&document, "$ref", &mut references);

    assert!(references.len() > 20, "{references:?}");
    for reference in references {
        let pointer = reference.as_str().unwrap().strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

#[tokio::test]
async fn the_document_has_what_the_standard_asks_for() {
    let document = document().await;

    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["info"]["title"], "Weft");
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    let mut ids = BTreeSet::new();
    for (path, method, operation) in operations(&document) {
        let of = format!("{method} {path}");
        assert!(ids.insert(operation["operationId"].as_str().unwrap()), "two are called as {of}");
        assert!(operation["summary"].is_string(), "{of} says nothing");
        let tag = &operation["tags"][0];
        assert!(document["tags"].as_array().unwrap().iter().any(|one| one["name"] == *tag), "{of}");
        let responses = operation["responses"].as_object().unwrap();
        assert!(responses.keys().any(|status| status.starts_with('2')), "{of} never succeeds");
        assert!(responses.values().all(|response| response["description"].is_string()), "{of}");
        let (form, name) = if path.starts_with("/v1/") {
            ("application/json", "ErrorBody")
        } else {
            ("application/problem+json", "Problem")
        };
        let refusals = responses.iter().filter(|(status, _)| !status.starts_with('2'));
        assert!(responses.contains_key("default"), "{of} is never refused");
        for (status, refusal) in refusals {
            let schema = &refusal["content"][form]["schema"]["$ref"];
            assert_eq!(schema, &format!("#/components/schemas/{name}"), "{of}: {status}");
        }
        assert_eq!(parameters_in(path), path_parameters(operation), "{of}");
    }
}

/// A type that is a part of another and refuses the other's fields describes nothing that exists.
#[tokio::test]
async fn no_part_of_a_type_refuses_the_other_parts() {
    let document = document().await;
    let mut parts = Vec::new();
    collect(&document, "allOf", &mut parts);

    assert!(!parts.is_empty());
    for part in parts.into_iter().flat_map(|parts| parts.as_array().unwrap()) {
        let named = part["$ref"].as_str().and_then(|name| document.pointer(&name[1..]));
        assert_ne!(named.unwrap_or(part)["additionalProperties"], false, "{part}");
    }
}

#[tokio::test]
async fn the_types_are_described_as_they_are_sent() {
    let document = document().await;
    let schemas = &document["components"]["schemas"];

    assert_eq!(schemas["Pair"]["required"], serde_json::json!(["question", "answer"]));
    assert_eq!(
        schemas["NewDataset"]["properties"]["pairs"]["items"]["$ref"],
        "#/components/schemas/Pair"
    );
    assert_eq!(schemas["Edits"]["additionalProperties"], false);
}

async fn document() -> Value {
    let answer = get(server(), "/api/openapi.json", &[]).await;
    assert_eq!(answer.header("content-type"), Some("application/json"));
    answer.json(200)
}

fn routes_of(document: &Value) -> BTreeSet<Route> {
    operations(document).map(|(path, method, _)| (method, path.to_owned())).collect()
}

/// Path, method and description of each operation.
fn operations(document: &Value) -> impl Iterator<Item = (&str, String, &Value)> {
    document["paths"].as_object().unwrap().iter().flat_map(|(path, item)| {
        let operations = item.as_object().unwrap().iter();
        operations.map(|(method, operation)| (path.as_str(), method.to_uppercase(), operation))
    })
}

fn parameters_in(path: &str) -> BTreeSet<&str> {
    path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect()
}

fn path_parameters(operation: &Value) -> BTreeSet<&str> {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let in_path = parameters.filter(|parameter| parameter["in"] == "path");
    in_path.map(|parameter| parameter["name"].as_str().unwrap()).collect()
}

/// Every value under `key`, at any depth.
fn collect<'a>(value: &'a Value, key: &str, found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get(key));
            fields.values().for_each(|value| collect(value, key, found));
        }
        Value::Array(items) => items.iter().for_each(|value| collect(value, key, found)),
        _ => {}
    }
}

/// The routes that the router is built of: axum does not list them, so they are read from `.route("…", get(…))`.
fn routes_of_the_source() -> BTreeSet<Route> {
    let mut routes = BTreeSet::new();
    for file in source_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../backend/src/web")) {
        let text = fs::read_to_string(&file).unwrap();
        let one_line = text.split_whitespace().collect::<String>().replace(",)", ")");
        for call in one_line.split(".route(\"").skip(1) {
            let (path, rest) = call.split_once('"').unwrap();
            let methods = rest.split_once("))").unwrap().0;
            for method in ["get", "post", "put", "patch", "delete"] {
                let starts_word = |at: usize| !methods[..at].ends_with(char::is_alphanumeric);
                if methods.match_indices(&format!("{method}(")).any(|(at, _)| starts_word(at)) {
                    routes.insert((method.to_uppercase(), path.to_owned()));
                }
            }
        }
    }
    assert!(routes.len() > 10, "{routes:?}: has the router another form?");
    routes
}

fn source_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(source_files(&path)) } else { files.push(path) }
    }
    files
}
