//! Marks in the browser's own timeline (User Timing), for whoever measures the page.

use leptos::prelude::window;

/// Notes when something happened, in milliseconds since the page was asked for.
pub fn mark(name: &str) {
    // A browser without a clock shows the page as well.
    if let Some(clock) = window().performance() {
        let _ = clock.mark(name);
    }
}
