//! Curves over the steps of a run, with the values where the pointer or the keyboard is.

use leptos::{ev, html, prelude::*};

use crate::{
    i18n,
    state::chart::{Curve, Drawing, SIDE, Scale, Series, axis::short, nearest},
};

/// Key presses from one end of the curve to the other.
const KEY_STEPS: f64 = 100.0;

/// The step that is looked at; charts that share it show the same one.
pub type LookedAt = RwSignal<Option<f64>>;

#[component]
pub fn LineChart(
    #[prop(into)] title: Signal<String>,
    #[prop(into)] series: Signal<Vec<Series>>,
    /// The whole run's, so that a curve grows into its place.
    #[prop(into)]
    total_steps: Signal<usize>,
    #[prop(into)] scale: Signal<Scale>,
    looked_at: LookedAt,
    /// Lower, beside a chart that matters more.
    #[prop(optional)]
    is_small: bool,
    /// Its `data-testid`.
    name: &'static str,
) -> impl IntoView {
    let words = i18n::use_words();
    let drawing = Memo::new(move |_| {
        series.with(|series| Drawing::new(series, total_steps.get() as f64, scale.get()))
    });
    let is_empty = Memo::new(move |_| series.with(|it| it.iter().all(|it| it.points.is_empty())));
    let last = Memo::new(move |_| {
        let last = |series: &Series| series.points.last().map(|point| point.0);
        series.with(|series| series.iter().filter_map(last).fold(0.0, f64::max))
    });
    let step = move || looked_at.get().unwrap_or_else(|| last.get());
    let told = move || {
        let values = series.with(|series| {
            let value = |it: &Series| {
                let (_, value) = nearest(&it.points, step())?;
                Some(format!("{} {}", it.name, short(value)))
            };
            series.iter().filter_map(value).collect::<Vec<_>>().join(", ")
        });
        format!("{} {:.0}: {values}", words.get().train.chart.step, step())
    };

    let plot = NodeRef::<html::Div>::new();
    let point_at = move |event: ev::PointerEvent| {
        let Some(plot) = plot.get_untracked() else { return };
        let place = plot.get_bounding_client_rect();
        let share = (f64::from(event.client_x()) - place.left()) / place.width().max(1.0);
        looked_at.set(Some(drawing.with_untracked(|it| it.x.value(share.clamp(0.0, 1.0)).round())));
    };
    let walk = move |event: ev::KeyboardEvent| {
        let last = last.get_untracked();
        let stride = (last / KEY_STEPS).ceil().max(1.0);
        let now = looked_at.get_untracked().unwrap_or(last);
        let next = match event.key().as_str() {
            "ArrowLeft" | "ArrowDown" => Some(now - stride),
            "ArrowRight" | "ArrowUp" => Some(now + stride),
            "Home" => Some(0.0),
            "End" => Some(last),
            "Escape" => None,
            _ => return,
        };
        event.prevent_default();
        looked_at.set(next.map(|step| step.clamp(0.0, last)));
    };

    view! {
        <figure class="chart" class:small=is_small data-testid=name>
            <figcaption>
                <span class="chart-title">{title}</span>
                <ChartLegend series step=Signal::derive(step) />
            </figcaption>
            <div class="chart-body">
                <svg class="labels-y" aria-hidden="true" focusable="false">
                    {move || drawing.with(|it| labels(&it.y.ticks(), true))}
                </svg>
                <div
                    class="plot"
                    node_ref=plot
                    role="slider"
                    tabindex="0"
                    aria-label=move || format!("{}. {}", title.get(), words.get().train.chart.keys)
                    aria-valuemin="0"
                    aria-valuemax=move || format!("{:.0}", last.get())
                    aria-valuenow=move || format!("{:.0}", step().min(last.get()))
                    aria-valuetext=told
                    on:pointermove=point_at
                    on:pointerdown=point_at
                    on:pointerleave=move |_| looked_at.set(None)
                    on:keydown=walk
                    on:blur=move |_| looked_at.set(None)
                >
                    <Plot drawing looked_at />
                    <Show when=move || is_empty.get()>
                        <p class="plot-empty">{move || words.get().train.chart.no_values}</p>
                    </Show>
                </div>
                <svg class="labels-x" aria-hidden="true" focusable="false">
                    {move || drawing.with(|it| labels(&it.x.ticks(), false))}
                </svg>
            </div>
        </figure>
    }
}

/// Lines alone: they are stretched to the page, and text would be too.
#[component]
fn Plot(drawing: Memo<Drawing>, looked_at: LookedAt) -> impl IntoView {
    let grid = move || {
        let ticks = drawing.with(|it| it.y.ticks());
        let line = |(_, place): (f64, f64)| {
            let y = (1.0 - place) * SIDE;
            format!("M0 {y:.1}H{SIDE}")
        };
        ticks.into_iter().map(line).collect::<String>()
    };
    let curves = move || {
        let curves = drawing.with(|it| it.curves.clone());
        let curve = |curve: Curve| {
            view! {
                <path class=format!("curve {}", curve.class) d=curve.line />
                <path class=format!("dots {}", curve.class) d=curve.dots />
            }
        };
        curves.into_iter().map(curve).collect_view()
    };
    let cursor = move || {
        let place = drawing.with(|it| it.x.place(looked_at.get()?));
        place.map_or_else(String::new, |place| format!("M{:.1} 0V{SIDE}", place * SIDE))
    };
    view! {
        <svg viewBox=format!("0 0 {SIDE} {SIDE}") preserveAspectRatio="none" aria-hidden="true" focusable="false">
            <path class="grid" d=grid />
            {curves}
            <path class="cursor" d=cursor />
        </svg>
    }
}

/// What each colour is, and its value at the step.
#[component]
fn ChartLegend(series: Signal<Vec<Series>>, step: Signal<f64>) -> impl IntoView {
    let words = i18n::use_words();
    let entries = move || {
        let entry = |it: &Series| {
            let value = nearest(&it.points, step.get()).map_or("–".into(), |it| short(it.1));
            view! {
                <div class=format!("key {}", it.look.class())>
                    <dt>{it.name.clone()}</dt>
                    <dd>{value}</dd>
                </div>
            }
        };
        series.with(|series| series.iter().map(entry).collect_view())
    };
    view! {
        <dl class="chart-legend" aria-hidden="true">
            <div>
                <dt>{move || words.get().train.chart.step}</dt>
                <dd>{move || format!("{:.0}", step.get())}</dd>
            </div>
            {entries}
        </dl>
    }
}

/// Numbers beside an axis.
fn labels(ticks: &[(f64, f64)], is_upright: bool) -> impl IntoView + use<> {
    let label = |&(value, place): &(f64, f64)| {
        let percent = |share: f64| format!("{:.2}%", share * 100.0);
        let (x, y, anchor) = if is_upright {
            ("100%".to_owned(), percent(1.0 - place), "end")
        } else {
            (percent(place), "50%".to_owned(), "middle")
        };
        view! { <text x=x y=y dy="0.35em" text-anchor=anchor>{short(value)}</text> }
    };
    ticks.iter().map(label).collect_view()
}
