//! Whatever is wrong is said in plain words, and nothing wrong stays in the cache.

use std::net::TcpListener;

use weft::hub::{Hub, HubError};

use crate::server::{TestHub, id};

#[test]
fn a_missing_repository_revision_or_file_is_named() {
    let hub = TestHub::start();

    let repository = error(&hub, "me/other");
    assert_eq!(
        repository,
        "there is no folder me/other, and the hub has no repository of this name"
    );
    assert_eq!(error(&hub, "me/mine@dev"), "the hub's repository me/mine has no revision dev");

    hub.change(|shelf| drop(shelf.files.remove("w-2.bin")));
    let file = error(&hub, "me/mine");
    assert!(file.starts_with("the hub's me/mine@main has no w-2.bin"), "{file}");

    hub.change(|shelf| shelf.files.retain(|name, _| !name.contains("index")));
    let hub_without_weights = TestHub::start();
    hub_without_weights.change(|shelf| shelf.files.retain(|name, _| !name.contains("index")));
    let weights = error(&hub_without_weights, "me/mine");
    assert!(weights.contains("has no pytorch_model.bin.index.json"), "{weights}");
}

#[test]
fn who_is_refused_is_told_of_the_token() {
    let mut hub = TestHub::start();
    hub.change(|shelf| shelf.token = Some("secret"));

    let refused = error(&hub, "me/mine");
    assert!(refused.contains("config.json of me/mine@main (status 401)"), "{refused}");
    assert!(refused.contains("HF_TOKEN"), "{refused}");

    hub.settings.token = Some("secret".to_owned());
    hub.hub().fetch(&id("me/mine"), &mut |_| {}).unwrap();
}

#[test]
fn a_hub_that_is_not_there_is_named() {
    let mut hub = TestHub::start();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    hub.settings.endpoint = Some(format!("http://{free}"));

    let unreachable = error(&hub, "me/mine");

    assert!(unreachable.starts_with(&format!("cannot reach http://{free}")), "{unreachable}");
}

#[test]
fn a_file_of_another_size_is_not_kept() {
    let hub = TestHub::start();
    let blobs = hub.settings.cache.join("models--me--mine/blobs");
    std::fs::create_dir_all(&blobs).unwrap();
    std::fs::write(blobs.join("tag-w-1.part"), "the fir").unwrap();
    hub.change(|shelf| {
        shelf.tags.insert("w-1.bin".to_owned(), "tag-w-1".to_owned());
        shelf.ignores_ranges = true;
    });

    let size = error(&hub, "me/mine");

    assert!(size.starts_with("w-1.bin of me/mine@main has 22 bytes, wanted 15"), "{size}");
    let folder = hub.hub().fetch(&id("me/mine"), &mut |_| {}).unwrap();
    assert_eq!(std::fs::read_to_string(folder.join("w-1.bin")).unwrap(), "the first shard");
}

#[test]
fn a_file_of_another_digest_is_not_kept() {
    let hub = TestHub::start();
    hub.change(|shelf| drop(shelf.tags.insert("w-1.bin".to_owned(), "ab".repeat(32))));

    let digest = error(&hub, "me/mine");

    assert!(digest.starts_with("w-1.bin of me/mine@main is damaged"), "{digest}");
    assert!(digest.contains(&"ab".repeat(32)), "{digest}");
    assert_eq!(hub.hub().cached(&id("me/mine")), None);

    // The digest that `sha256sum` gives.
    let right = "73e9223e96fb2299d62d7e64cc0837495a1df5e2d7d2baa9cad98410c61db9f2".to_owned();
    hub.change(|shelf| drop(shelf.tags.insert("w-1.bin".to_owned(), right)));
    hub.hub().fetch(&id("me/mine"), &mut |_| {}).unwrap();
}

#[test]
fn an_index_cannot_lead_out_of_the_cache() {
    let hub = TestHub::start();
    for shard in ["../../../w", "/etc/w", "a/b", ""] {
        hub.change(|shelf| {
            let index = format!(r#"{{"weight_map": {{"a": "{shard}"}}}}"#).into_bytes();
            shelf.files.insert("pytorch_model.bin.index.json".to_owned(), index);
            let tag = format!("index-{}", shard.len());
            shelf.tags.insert("pytorch_model.bin.index.json".to_owned(), tag);
        });
        let _ = std::fs::remove_dir_all(hub.settings.cache.join("models--me--mine"));

        let index = error(&hub, "me/mine");

        assert!(index.contains("is no index of weights"), "{shard:?}: {index}");
    }
}

#[test]
fn a_folder_is_taken_as_it_is_and_a_word_is_no_model() {
    let dir = tempfile::tempdir().unwrap();

    assert_eq!(weft::hub::resolve(dir.path().to_str().unwrap()).unwrap(), dir.path());
    let word = weft::hub::resolve("no-such-folder").unwrap_err();
    assert!(matches!(word, HubError::NoModel { .. }));
    assert!(word.to_string().starts_with("there is no folder no-such-folder"), "{word}");
}

#[test]
fn a_cache_that_cannot_be_written_is_named() {
    let mut hub = TestHub::start();
    let file = tempfile::NamedTempFile::new().unwrap();
    hub.settings.cache = file.path().join("hub");

    let message = error(&hub, "me/mine");

    assert!(message.starts_with("cannot read or write"), "{message}");
}

/// Why a model cannot be had.
fn error(hub: &TestHub, model: &str) -> String {
    Hub::new(hub.settings.clone()).fetch(&id(model), &mut |_| {}).unwrap_err().to_string()
}
