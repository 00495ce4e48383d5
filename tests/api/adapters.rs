//! The adapters of a server.

use std::io::{Cursor, Read as _};

use axum::{body::Body, http::Method};
use serde_json::{Value, json};
use weft_shared::api::{adapter::AdapterInfo, chat::ModelList};
use zip::ZipArchive;

use crate::support::{ask, get, send, server_with_adapters};

#[tokio::test]
async fn adapters_are_listed_with_the_newest_first() {
    let server = server_with_adapters(&["first", "second"]);

    let adapters: Vec<AdapterInfo> = get(server, "/api/adapters", &[]).await.json(200);

    let names: Vec<_> = adapters.iter().map(|it| (it.name.as_str(), it.is_usable)).collect();
    assert_eq!(names, [("second", true), ("first", true)]);
}

#[tokio::test]
async fn a_name_that_is_taken_or_none_is_refused() {
    let server = server_with_adapters(&["first", "second"]);
    for (name, status, kind) in [
        ("second", 409, "/problems/name-taken"),
        ("a/b", 422, "/problems/bad-name"),
        ("..", 422, "/problems/bad-name"),
        ("", 422, "/problems/bad-name"),
    ] {
        let rename = json!({ "name": name });
        let answer = send(&server, Method::PATCH, "/api/adapters/first", &rename).await;

        assert_eq!(answer.status, status, "{name}");
        assert_eq!(answer.problem().kind, kind);
    }
    let answer = send(&server, Method::PATCH, "/api/adapters/none", &json!({ "name": "x" })).await;
    assert_eq!(answer.problem().kind, "/problems/not-found");
}

#[tokio::test]
async fn a_deleted_adapter_is_gone() {
    let server = server_with_adapters(&["mine"]);
    let delete = || ask(server.clone(), Method::DELETE, "/api/adapters/mine", &[], Body::empty());

    assert_eq!(delete().await.status, 204);

    assert_eq!(delete().await.status, 404);
    let models: ModelList = get(server.clone(), "/v1/models", &[]).await.json(200);
    assert_eq!(models.data.len(), 1);
    assert_eq!(get(server, "/api/adapters/mine/download", &[]).await.status, 404);
}

#[tokio::test]
async fn an_adapter_is_downloaded_in_pefts_form() {
    let server = server_with_adapters(&["我的"]);

    let answer = get(server, "/api/adapters/%E6%88%91%E7%9A%84/download", &[]).await;

    assert_eq!(answer.header("content-type"), Some("application/zip"));
    assert_eq!(
        answer.header("content-disposition"),
        Some("attachment; filename*=UTF-8''%E6%88%91%E7%9A%84.zip")
    );
    let mut archive = ZipArchive::new(Cursor::new(answer.body)).unwrap();
    let names: Vec<_> = archive.file_names().map(|name| name.unwrap().into_owned()).collect();
    assert_eq!(names, ["adapter_config.json", "adapter_model.safetensors"]);
    let mut config = String::new();
    archive.by_name("adapter_config.json").unwrap().read_to_string(&mut config).unwrap();
    let config: Value = serde_json::from_str(&config).unwrap();
    assert_eq!(config["r"], 2);
    let mut weights = Vec::new();
    archive.by_name("adapter_model.safetensors").unwrap().read_to_end(&mut weights).unwrap();
    assert!(safetensors::SafeTensors::deserialize(&weights).is_ok());
}
