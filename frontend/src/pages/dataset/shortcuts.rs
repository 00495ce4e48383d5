//! Keys that work anywhere on the page but in a text.

use leptos::{ev, prelude::*};
use wasm_bindgen::JsCast as _;
use web_sys::HtmlElement;

use crate::curating::Curating;

/// Undo and redo.
pub(super) fn listen(curating: Curating) {
    let pressed = window_event_listener(ev::keydown, move |event| {
        if is_in_text(event.target()) || !(event.ctrl_key() || event.meta_key()) {
            return;
        }
        match (event.key().to_lowercase().as_str(), event.shift_key()) {
            ("z", false) => curating.undo(),
            ("z", true) | ("y", false) => curating.redo(),
            _ => return,
        }
        event.prevent_default();
    });
    on_cleanup(move || pressed.remove());
}

/// Whether the target is a field, which undoes and pastes by itself.
pub(super) fn is_in_text(target: Option<web_sys::EventTarget>) -> bool {
    let element = target.and_then(|target| target.dyn_into::<HtmlElement>().ok());
    element.is_some_and(|it| ["INPUT", "TEXTAREA", "SELECT"].contains(&it.tag_name().as_str()))
}
