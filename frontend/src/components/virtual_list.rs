//! A grid of very many rows, of which only those in sight are made.

mod sight;

use std::sync::Arc;

use leptos::{ev, prelude::*};
use wasm_bindgen::JsCast as _;
use web_sys::{Element, HtmlElement};

use self::sight::Sight;
use crate::state::row_layout::RowLayout;

/// What is in a row.
pub type RowView = Arc<dyn Fn(i64) -> AnyView + Send + Sync>;

/// A row to bring into sight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    pub key: i64,
    /// Whether the keyboard goes there too.
    pub takes_keyboard: bool,
}

/// Rows have the height of `.row-probe`; one may be open and as high as it needs to be.
#[component]
pub fn VirtualList(
    /// Of all rows, in ascending order.
    #[prop(into)]
    keys: Signal<Arc<Vec<i64>>>,
    #[prop(into)] open: Signal<Option<i64>>,
    /// The row that the keyboard is at.
    active: RwSignal<Option<i64>>,
    go_to: RwSignal<Option<Target>>,
    #[prop(into)] label: Signal<String>,
    columns: usize,
    /// The cells of the heading.
    heading: AnyView,
    row: RowView,
    /// A key pressed on a row itself, not on something in it.
    #[prop(into)]
    on_key: Callback<(i64, ev::KeyboardEvent)>,
) -> impl IntoView {
    let sight = Sight::watch(open);
    let rows = RowsInSight { keys, open, active, sight, layout: layout(keys, open, sight) };
    Effect::new(move || {
        let Some(target) = go_to.get() else { return };
        go_to.set(None);
        let Some(place) = rows.place(target.key) else { return };
        // The list is as long as it will be only with the next picture.
        request_animation_frame(move || {
            if target.takes_keyboard {
                rows.walk_to(place);
            } else {
                rows.show(place);
            }
        });
    });
    let press = move |key: i64, event: ev::KeyboardEvent| {
        let is_on_row = event.target() == event.current_target();
        if is_on_row && !rows.walk(key, &event) {
            on_key.run((key, event));
        }
    };
    let shown = rows.shown();
    let each = move |key: i64| {
        let top = move || rows.place(key).map(|place| rows.layout.get().top(place));
        view! {
            <div
                id=row_id(key)
                class="row"
                class:open=move || open.get() == Some(key)
                role="row"
                data-testid="dataset-row"
                data-key=key.to_string()
                aria-rowindex=move || rows.place(key).map(|place| (place + 2).to_string())
                tabindex=move || rows.tab(key)
                style:top=move || top().map(|top| format!("{top}px"))
                on:focusin=move |_| active.set(Some(key))
                on:keydown=move |event| press(key, event)
            >
                {row(key)}
            </div>
        }
    };

    view! {
        <div class="virtual-list">
            <div class="row-probe" aria-hidden="true" node_ref=sight.probe></div>
            <div
                class="scroller"
                role="grid"
                aria-label=label
                aria-rowcount=move || (keys.with(|keys| keys.len()) + 1).to_string()
                aria-colcount=columns.to_string()
                node_ref=sight.scroller
                on:scroll:target=move |event| {
                    sight.scrolled.set(f64::from(event.target().scroll_top()));
                }
            >
                <div class="heading" role="rowgroup" node_ref=sight.heading>
                    <div class="row" role="row" aria-rowindex="1">
                        {heading}
                    </div>
                </div>
                <div
                    class="rows"
                    role="rowgroup"
                    style:height=move || format!("{}px", rows.layout.get().height())
                >
                    <For each=move || shown.get() key=|key| *key let:key>
                        {each(key)}
                    </For>
                </div>
            </div>
        </div>
    }
}

/// The rows, and what of them is in sight.
#[derive(Clone, Copy)]
struct RowsInSight {
    keys: Signal<Arc<Vec<i64>>>,
    open: Signal<Option<i64>>,
    active: RwSignal<Option<i64>>,
    sight: Sight,
    layout: Memo<RowLayout>,
}

fn layout(keys: Signal<Arc<Vec<i64>>>, open: Signal<Option<i64>>, sight: Sight) -> Memo<RowLayout> {
    Memo::new(move |_| {
        let measured = sight.measured.get();
        keys.with(|keys| {
            let open = open.get().and_then(|open| keys.binary_search(&open).ok());
            let open = open.map(|place| (place, measured.open.max(measured.row)));
            RowLayout { count: keys.len(), row_height: measured.row, open }
        })
    })
}

impl RowsInSight {
    fn place(self, key: i64) -> Option<usize> {
        self.keys.with(|keys| keys.binary_search(&key).ok())
    }

    /// The keys of the rows to make.
    fn shown(self) -> Memo<Vec<i64>> {
        Memo::new(move |_| {
            let from = self.sight.scrolled.get();
            let seen = self.layout.get().seen(from, from + self.sight.measured.get().view);
            // What has the focus stays, wherever one scrolls.
            let kept = [self.open.get(), self.active.get()];
            self.keys.with(|keys| {
                let mut shown = keys.get(seen).unwrap_or_default().to_vec();
                let exists = |key: &i64| keys.binary_search(key).is_ok();
                shown.extend(kept.into_iter().flatten().filter(exists));
                shown.sort_unstable();
                shown.dedup();
                shown
            })
        })
    }

    /// The list is one stop for the tabulator.
    fn tab(self, key: i64) -> &'static str {
        let active = self.active.get().filter(|active| self.place(*active).is_some());
        let is_stop = match active {
            Some(active) => active == key,
            None => self.place(key) == Some(0),
        };
        if is_stop { "0" } else { "-1" }
    }

    fn show(self, place: usize) {
        if let Some(layout) = self.layout.try_get_untracked() {
            self.sight.show(layout, place);
        }
    }

    /// Brings the keyboard to a row.
    fn walk_to(self, place: usize) {
        let keys = self.keys.try_with_untracked(|keys| keys.get(place).copied());
        let Some(Some(key)) = keys else { return };
        self.show(place);
        self.active.set(Some(key));
        request_animation_frame(move || focus_row(key));
    }

    /// Goes where a key leads from a row; false where it leads nowhere.
    fn walk(self, key: i64, event: &ev::KeyboardEvent) -> bool {
        let measured = self.sight.measured.get_untracked();
        let layout = self.layout.get_untracked();
        let page = layout.seen(0.0, measured.view).len() / 2;
        let place = self.keys.with_untracked(|keys| keys.binary_search(&key).ok());
        let Some(target) = place.and_then(|place| step(&event.key(), place, page)) else {
            return false;
        };
        event.prevent_default();
        self.walk_to(target.min(layout.count.saturating_sub(1)));
        true
    }
}

fn row_id(key: i64) -> String {
    format!("row-{key}")
}

fn row_element(key: i64) -> Option<Element> {
    document().get_element_by_id(&row_id(key))
}

/// Puts the keyboard on a row.
pub fn focus_row(key: i64) {
    let element = row_element(key).and_then(|element| element.dyn_into::<HtmlElement>().ok());
    if let Some(element) = element {
        // A row that was removed meanwhile cannot have it.
        let _ = element.focus();
    }
}

/// Where a key leads from a row.
fn step(key: &str, from: usize, page: usize) -> Option<usize> {
    match key {
        "ArrowDown" => Some(from + 1),
        "ArrowUp" => Some(from.saturating_sub(1)),
        "PageDown" => Some(from + page),
        "PageUp" => Some(from.saturating_sub(page)),
        "Home" => Some(0),
        "End" => Some(usize::MAX),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_walk_from_row_to_row() {
        assert_eq!(step("ArrowDown", 3, 10), Some(4));
        assert_eq!(step("ArrowUp", 0, 10), Some(0));
        assert_eq!(step("PageDown", 3, 10), Some(13));
        assert_eq!(step("PageUp", 3, 10), Some(0));
        assert_eq!(step("End", 3, 10), Some(usize::MAX));
        assert_eq!(step("a", 3, 10), None);
    }
}
