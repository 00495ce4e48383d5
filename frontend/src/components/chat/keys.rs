//! What keys mean where a question is written.

use leptos::ev;

/// What Safari calls the key that ends the composition of a word, which is over by then.
const COMPOSED: u32 = 229;

/// Whether a key sends: Enter does, with Shift it breaks the line, and while a Chinese word is composed it chooses it.
pub(super) fn sends(event: &ev::KeyboardEvent) -> bool {
    let is_composing = event.is_composing() || event.key_code() == COMPOSED;
    event.key() == "Enter" && !event.shift_key() && !is_composing
}
