//! What is fetched, what is found in the cache, and what is gone on with.

use std::fs;

use weft::hub::{HubError, Progress};

use crate::server::{COMMIT, TestHub, id};

#[test]
fn a_model_is_fetched_whole_and_then_costs_no_request() {
    let hub = TestHub::start();
    let mut progress = Vec::new();

    let folder = hub.hub().fetch(&id("me/mine"), &mut |it| progress.push(it.clone())).unwrap();

    assert!(folder.ends_with(format!("models--me--mine/snapshots/{COMMIT}")), "{folder:?}");
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    assert_eq!(read("config.json"), "{}");
    assert_eq!(
        (read("w-1.bin"), read("w-2.bin")),
        ("the first shard".into(), "the second shard".into())
    );
    assert!(folder.join("tokenizer_config.json").exists());
    let last = Progress { file: "w-2.bin".to_owned(), done_bytes: 16, total_bytes: 16 };
    assert_eq!(progress.last(), Some(&last));

    hub.take_requests();
    let again = hub.hub().fetch(&id("me/mine"), &mut |_| {}).unwrap();

    assert_eq!(again, folder);
    assert_eq!(hub.hub().cached(&id("me/mine")), Some(folder));
    assert!(hub.take_requests().is_empty());
}

#[test]
fn what_an_earlier_attempt_left_is_gone_on_with() {
    // Half a file, all but its name, and more than there is.
    for (part, asked) in
        [("the fir", "7-"), ("the first shard", "14-"), ("the first shard and more", "0-")]
    {
        let hub = TestHub::start();
        let blobs = hub.settings.cache.join("models--me--mine/blobs");
        fs::create_dir_all(&blobs).unwrap();
        fs::write(blobs.join("tag-w-1.part"), part).unwrap();
        hub.change(|shelf| drop(shelf.tags.insert("w-1.bin".to_owned(), "tag-w-1".to_owned())));

        let folder = hub.hub().fetch(&id("me/mine"), &mut |_| {}).unwrap();

        assert_eq!(fs::read_to_string(folder.join("w-1.bin")).unwrap(), "the first shard");
        let request = format!("/me/mine/resolve/main/w-1.bin {asked}");
        assert!(hub.take_requests().contains(&request), "{part:?}");
    }
}

#[test]
fn a_transfer_that_breaks_off_is_taken_up_again() {
    let hub = TestHub::start();
    hub.change(|shelf| {
        let file = shelf.files.get_mut("w-1.bin").unwrap();
        *file = (0..=255).collect();
        shelf.break_offs = 2;
    });

    let folder = hub.hub().fetch(&id("me/mine"), &mut |_| {}).unwrap();

    assert_eq!(fs::read(folder.join("w-1.bin")).unwrap(), (0..=255).collect::<Vec<u8>>());
}

#[test]
fn weights_in_one_file_need_no_index() {
    let hub = TestHub::start();
    hub.change(|shelf| {
        shelf.files.retain(|name, _| !name.contains("w-") && !name.contains("index"));
        shelf.files.insert("model.safetensors".to_owned(), b"weights".to_vec());
    });

    let folder = hub.hub().fetch(&id("me/mine"), &mut |_| {}).unwrap();

    assert_eq!(fs::read_to_string(folder.join("model.safetensors")).unwrap(), "weights");
    assert!(hub.hub().cached(&id("me/mine")).is_some());
}

#[test]
fn offline_the_cache_is_used_and_what_it_lacks_is_named() {
    let mut hub = TestHub::start();
    let folder = hub.hub().fetch(&id("me/mine"), &mut |_| {}).unwrap();
    hub.settings.offline = true;
    hub.take_requests();

    assert_eq!(hub.hub().fetch(&id("me/mine"), &mut |_| {}).unwrap(), folder);

    fs::remove_file(folder.join("w-2.bin")).unwrap();
    let missing = hub.hub().fetch(&id("me/mine"), &mut |_| {}).unwrap_err();
    assert!(matches!(&missing, HubError::Offline { file, .. } if file == "w-2.bin"), "{missing}");
    let nothing = hub.hub().fetch(&id("me/other@v1"), &mut |_| {}).unwrap_err();
    assert!(nothing.to_string().starts_with("config.json of me/other@v1 is not in the cache"));
    assert!(hub.take_requests().is_empty());
}

#[test]
fn what_other_programs_cached_is_found_by_branch_commit_or_its_beginning() {
    let hub = TestHub::start();
    let folder = hub.hub().fetch(&id("me/mine"), &mut |_| {}).unwrap();
    // Python's client writes a file in refs for a branch, and none for a commit.
    let commits = [COMMIT, &COMMIT[..7]];
    for revision in commits {
        let found = hub.hub().cached(&id(&format!("me/mine@{revision}")));
        assert_eq!(found.as_ref(), Some(&folder), "{revision}");
    }
    assert_eq!(hub.hub().cached(&id("me/mine@0123456e")), None);
    assert_eq!(hub.hub().cached(&id("me/mine@dev")), None);
}
