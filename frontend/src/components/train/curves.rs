//! The curves of a run, and of runs beside it.

use leptos::prelude::*;

use crate::{
    components::line_chart::{LineChart, LookedAt},
    i18n,
    state::{
        chart::{Scale, Series, axis::short},
        train::{
            curves::{self, Names},
            run_log::RunLog,
        },
    },
};

/// Rows of the table: enough to follow the curve by ear.
const TABLE_ROWS: usize = 40;

#[component]
pub fn Curves(
    #[prop(into)] log: Signal<RunLog>,
    /// Other runs, with their names.
    #[prop(into)]
    others: Signal<Vec<(String, RunLog)>>,
) -> impl IntoView {
    let words = i18n::use_words();
    let chart = move || &words.get().train.chart;
    let shows_rate = RwSignal::new(true);
    let shows_norm = RwSignal::new(false);
    let is_logarithmic = RwSignal::new(false);
    let shows_table = RwSignal::new(false);
    let looked_at: LookedAt = RwSignal::new(None);
    let scale = move || if is_logarithmic.get() { Scale::Logarithmic } else { Scale::Linear };
    let total_steps = Memo::new(move |_| log.with(RunLog::total_steps));

    let losses = Memo::new(move |_| {
        let chart = chart();
        let names = Names {
            each_step: chart.each_step,
            smoothed: chart.smoothed,
            held_out: chart.held_out,
        };
        log.with(|log| others.with(|others| curves::losses(log, others, &names)))
    });
    let rates = Memo::new(move |_| {
        log.with(|log| curves::one(log, chart().learning_rate, |point| point.learning_rate))
    });
    let norms = Memo::new(move |_| {
        log.with(|log| curves::one(log, chart().grad_norm, |point| point.grad_norm))
    });
    let small = move |title: fn(&i18n::train::ChartWords) -> &'static str,
                      series: Memo<Vec<Series>>,
                      name: &'static str| {
        let title = Signal::derive(move || title(chart()).to_owned());
        let scale = Signal::stored(Scale::Linear);
        view! { <LineChart title series total_steps scale looked_at is_small=true name /> }
    };
    let table_label = move || if shows_table.get() { chart().hide_table } else { chart().table };
    view! {
        <section class="curves" aria-labelledby="curves-title">
            <div class="bar">
                <h3 id="curves-title">{move || chart().title}</h3>
                <div class="toggles" role="group" aria-label=move || chart().shown>
                    <Toggle id="train-show-rate" label=Signal::derive(move || chart().learning_rate) is_on=shows_rate />
                    <Toggle id="train-show-norm" label=Signal::derive(move || chart().grad_norm) is_on=shows_norm />
                    <Toggle id="train-log-scale" label=Signal::derive(move || chart().logarithmic) is_on=is_logarithmic />
                </div>
            </div>
            <LineChart
                title=Signal::derive(move || chart().loss.to_owned())
                series=losses
                total_steps
                scale=Signal::derive(scale)
                looked_at
                name="train-chart"
            />
            <Show when=move || shows_rate.get()>
                {small(|chart| chart.learning_rate, rates, "train-chart-rate")}
            </Show>
            <Show when=move || shows_norm.get()>
                {small(|chart| chart.grad_norm, norms, "train-chart-norm")}
            </Show>
            <button
                class="quiet"
                type="button"
                data-testid="train-table"
                aria-expanded=move || shows_table.get().to_string()
                on:click=move |_| shows_table.update(|shown| *shown = !*shown)
            >
                {table_label}
            </button>
            <Show when=move || shows_table.get()>
                <CurveTable log />
            </Show>
        </section>
    }
}

#[component]
fn Toggle(id: &'static str, label: Signal<&'static str>, is_on: RwSignal<bool>) -> impl IntoView {
    view! {
        <label class="toggle">
            <input
                type="checkbox"
                data-testid=id
                prop:checked=is_on
                on:change:target=move |event| is_on.set(event.target().checked())
            />
            <span>{label}</span>
        </label>
    }
}

/// The same numbers for those who do not see the curve.
#[component]
fn CurveTable(log: Signal<RunLog>) -> impl IntoView {
    let words = i18n::use_words();
    let chart = move || &words.get().train.chart;
    let row = |row: curves::TableRow| {
        let held_out = row.held_out.map_or_else(String::new, short);
        view! {
            <tr>
                <th scope="row">{row.point.step}</th>
                <td>{short(row.point.loss)}</td>
                <td>{held_out}</td>
                <td>{short(row.point.learning_rate)}</td>
                <td>{short(row.point.grad_norm)}</td>
            </tr>
        }
    };
    let rows =
        move || log.with(|log| curves::table(log, TABLE_ROWS)).into_iter().map(row).collect_view();
    view! {
        <div class="table-scroll" tabindex="0" role="region" aria-label=move || chart().values>
            <table class="numbers-table">
                <thead>
                    <tr>
                        <th scope="col">{move || chart().step}</th>
                        <th scope="col">{move || chart().loss}</th>
                        <th scope="col">{move || chart().held_out}</th>
                        <th scope="col">{move || chart().learning_rate}</th>
                        <th scope="col">{move || chart().grad_norm}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
}
