//! What each layer must not name in its code.

use std::path::Path;

use crate::source::{code, rust_files};

#[test]
fn shared_has_no_files_clock_or_environment() {
    assert_unknown(
        "shared/src",
        &["std::fs", "std::env", "std::time", "std::net", "std::thread"],
        &[],
    );
}

#[test]
fn only_the_web_layer_knows_http() {
    assert_unknown(
        "backend/src",
        &["axum", "tower"],
        &["backend/src/web", "backend/src/web.rs", "backend/src/server.rs"],
    );
}

#[test]
fn the_web_layer_knows_no_model() {
    let inner = ["candle", "crate::chatglm", "crate::ops", "crate::training"];
    assert_unknown("backend/src/web", &inner, &[]);
    assert_unknown("backend/src/web.rs", &inner, &[]);
}

#[test]
fn only_the_store_knows_the_database() {
    let store = ["backend/src/store", "backend/src/store.rs"];
    assert_unknown("backend/src", &["rusqlite"], &store);
}

#[test]
fn the_store_knows_neither_model_nor_server() {
    let outer = ["axum", "tokio", "candle", "crate::web", "crate::training", "crate::chatglm"];
    assert_unknown("backend/src/store", &outer, &[]);
    assert_unknown("backend/src/store.rs", &outer, &[]);
}

#[test]
fn the_model_knows_neither_server_nor_runtime() {
    let outer = ["axum", "tokio", "crate::web", "crate::server", "crate::cli"];
    for place in [
        "ops",
        "ops.rs",
        "chatglm",
        "chatglm.rs",
        "generation",
        "generation.rs",
        "lora",
        "lora.rs",
        "training",
        "training.rs",
    ] {
        assert_unknown(&format!("backend/src/{place}"), &outer, &[]);
    }
}

#[test]
fn the_trainer_knows_other_processes_but_not_how_they_are_reached() {
    for place in ["training", "training.rs"] {
        let ways = ["std::net", "std::env", "socket2", "cudarc", "World"];
        assert_unknown(&format!("backend/src/{place}"), &ways, &[]);
    }
}

#[test]
fn unsafe_code_is_in_the_ops_alone() {
    let forms = ["unsafe {", "unsafe fn", "unsafe impl", "unsafe trait", "unsafe extern"];
    let allowed = ["backend/src/ops", "backend/src/ops.rs", "tests/architecture"];
    for room in ["shared/src", "backend", "frontend/src", "tests", "xtask/src"] {
        assert_unknown(room, &forms, &allowed);
    }
}

#[test]
fn only_one_file_of_the_page_knows_the_server() {
    assert_unknown(
        "frontend/src",
        &["gloo_net", "\"/api/", "\"/v1/"],
        &["frontend/src/api.rs", "frontend/src/api"],
    );
}

#[test]
fn components_ask_neither_server_nor_worker() {
    // The wire types of `weft_shared::api` are values like any other.
    assert_unknown(
        "frontend/src/components",
        &["crate::api", "api,", "api::{self", "worker::client", "crate::pages"],
        &[],
    );
}

#[test]
fn the_state_of_the_page_knows_no_browser() {
    assert_unknown(
        "frontend/src/state",
        &["leptos", "web_sys", "js_sys", "gloo", "wasm_bindgen"],
        &[],
    );
}

/// Fails where the code at `place` names one of `banned`, except in the places `allowed`.
fn assert_unknown(place: &str, banned: &[&str], allowed: &[&str]) {
    let files = rust_files(place);
    assert!(!files.is_empty(), "nothing at {place}: has it moved?");
    for file in files {
        if allowed.iter().any(|allowed| file.starts_with(Path::new(allowed))) {
            continue;
        }
        let code = code(&file);
        for name in banned {
            assert!(!names(&code, name), "{} must not know {name}", file.display());
        }
    }
}

/// Whether `code` has `name` at the start of a word: `api::` is not in `map_api::`.
fn names(code: &str, name: &str) -> bool {
    let is_word = |character: char| character.is_alphanumeric() || character == '_';
    let starts_word = name.starts_with(is_word);
    code.match_indices(name).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        !starts_word || !before.is_some_and(is_word)
    })
}

#[test]
fn a_name_is_found_where_a_word_starts() {
    assert!(names("use axum::Router;", "axum"));
    assert!(!names("taxum::x", "axum"));
    assert!(names("fetch(\"/api/status\")", "\"/api/"));
}
