//! What of a long list is in sight: measured whenever something has another size, and scrolled.

use leptos::{html, prelude::*};
use wasm_bindgen::{JsCast as _, closure::Closure};
use web_sys::{Element, ResizeObserver};

use super::row_element;
use crate::state::row_layout::RowLayout;

/// Sizes in pixels, and where they are measured.
#[derive(Clone, Copy)]
pub(super) struct Sight {
    pub(super) scroller: NodeRef<html::Div>,
    /// Covers the top of the rows.
    pub(super) heading: NodeRef<html::Div>,
    /// Has the height of a closed row.
    pub(super) probe: NodeRef<html::Div>,
    pub(super) measured: RwSignal<Measured>,
    /// How far down one is.
    pub(super) scrolled: RwSignal<f64>,
    open: Signal<Option<i64>>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Measured {
    /// Of the window that the rows are seen through.
    pub(super) view: f64,
    pub(super) row: f64,
    /// Of the open row.
    pub(super) open: f64,
}

type Observer = (ResizeObserver, Closure<dyn FnMut()>);

impl Sight {
    /// Measures from now on, the open row too.
    pub(super) fn watch(open: Signal<Option<i64>>) -> Self {
        let sight = Self {
            scroller: NodeRef::new(),
            heading: NodeRef::new(),
            probe: NodeRef::new(),
            // Until the first measuring.
            measured: RwSignal::new(Measured { view: 600.0, row: 56.0, open: 0.0 }),
            scrolled: RwSignal::new(0.0),
            open,
        };
        let observer = StoredValue::new_local(observer(move || sight.measure()));
        Effect::new(move || {
            let open = open.get();
            // The row is there, or gone, with the next picture.
            request_animation_frame(move || {
                let elements =
                    [element(sight.scroller), element(sight.probe), open.and_then(row_element)];
                observer.try_with_value(|observer| {
                    let Some((observer, _)) = observer else { return };
                    observer.disconnect();
                    elements.iter().flatten().for_each(|element| observer.observe(element));
                });
                sight.measure();
            });
        });
        on_cleanup(move || {
            observer.with_value(|observer| {
                if let Some((observer, _)) = observer {
                    observer.disconnect();
                }
            });
        });
        sight
    }

    /// Scrolls where that is needed to see a row.
    pub(super) fn show(self, layout: RowLayout, place: usize) {
        let (Some(from), Some(measured)) =
            (self.scrolled.try_get_untracked(), self.measured.try_get_untracked())
        else {
            return;
        };
        let target = layout.scroll_to(place, from, from + measured.view);
        if let (Some(target), Some(scroller)) = (target, self.scroller.get_untracked()) {
            scroller.set_scroll_top(target as i32);
            self.scrolled.set(f64::from(scroller.scroll_top()));
        }
    }

    fn measure(self) {
        let Some(measured) = self.measured.try_get_untracked() else { return };
        let height = |element: Option<Element>| {
            element.map_or(0.0, |it| it.get_bounding_client_rect().height())
        };
        let found = Measured {
            view: height(element(self.scroller)) - height(element(self.heading)),
            row: height(element(self.probe)).max(1.0),
            open: height(self.open.get_untracked().and_then(row_element)),
        };
        if measured != found {
            self.measured.set(found);
        }
    }
}

fn element(node: NodeRef<html::Div>) -> Option<Element> {
    node.try_get_untracked().flatten().map(Into::into)
}

/// Calls back whenever something observed has another size. `None` where the browser has no such thing.
fn observer(measure: impl Fn() + 'static) -> Option<Observer> {
    let callback = Closure::<dyn FnMut()>::new(measure);
    let observer = ResizeObserver::new(callback.as_ref().unchecked_ref()).ok()?;
    Some((observer, callback))
}
