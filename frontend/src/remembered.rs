//! What the browser remembers of a person's choices, and keeps to itself.

use gloo_storage::{LocalStorage, Storage};
use serde::{Serialize, de::DeserializeOwned};

/// The choice made under a name, if any.
pub fn read(name: &str) -> Option<String> {
    LocalStorage::raw().get_item(name).ok()?
}

/// Remembers a choice. Where the browser forbids that, it holds for this visit.
pub fn write(name: &str, value: &str) {
    let _ = LocalStorage::raw().set_item(name, value);
}

/// As [`read`], for what [`write_json`] wrote. What an older page wrote in another form counts as nothing.
pub fn read_json<T: DeserializeOwned>(name: &str) -> Option<T> {
    serde_json::from_str(&read(name)?).ok()
}

/// As [`write`], for more than a word.
pub fn write_json(name: &str, value: &impl Serialize) {
    if let Ok(json) = serde_json::to_string(value) {
        write(name, &json);
    }
}

/// Keeps work that is saved nowhere else yet; false where there is no room for it, or the browser forbids it.
pub fn keep(name: &str, work: &str) -> bool {
    LocalStorage::raw().set_item(name, work).is_ok()
}

/// Forgets a choice.
pub fn forget(name: &str) {
    let _ = LocalStorage::raw().remove_item(name);
}
