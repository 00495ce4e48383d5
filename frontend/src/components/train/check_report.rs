//! What the check found: by topic, refusals first, each pair with a link to where it can be looked at.

use leptos::prelude::*;
use weft_shared::api::job::{CheckFinding, Severity};

use crate::{
    i18n::{
        self,
        train::findings::{detail, explain, pair, pair_name},
    },
    state::train::report::{Group, groups},
};

/// Of one topic so many are shown at once.
const SHOWN: usize = 6;

#[component]
pub fn CheckReport(
    #[prop(into)] findings: Signal<Vec<CheckFinding>>,
    /// The dataset that the rows are of.
    #[prop(into)]
    dataset: Signal<i64>,
) -> impl IntoView {
    let each = move || {
        let group = |group: Group| view! { <Topic group dataset=dataset.get() /> };
        groups(&findings.get()).into_iter().map(group).collect_view()
    };
    view! { <ul class="findings">{each}</ul> }
}

#[component]
fn Topic(group: Group, dataset: i64) -> impl IntoView {
    let words = i18n::use_words();
    let language = i18n::use_language();
    let check = move || &words.get().train.check;
    let Group { severity, topic, findings } = group;
    let severity_word = move || match severity {
        Severity::Refusal => check().refusal,
        Severity::Warning => check().warning,
    };
    let name = match severity {
        Severity::Refusal => "refusal",
        Severity::Warning => "warning",
    };
    let count = findings.len();
    let mut first = findings;
    let rest = first.split_off(first.len().min(SHOWN));
    let rest_count = rest.len();
    let items = move |findings: Vec<CheckFinding>| {
        findings.into_iter().map(|finding| view! { <Item finding dataset /> }).collect_view()
    };
    view! {
        <li class=format!("finding {name}") data-testid="train-finding" data-value=name>
            <p>
                <span class="severity">{severity_word}</span>
                " "
                <b>{move || explain(topic, language.get()).0}</b>
                {(count > 1).then(|| format!(" · {count}"))}
            </p>
            <p class="quiet-text">{move || explain(topic, language.get()).1}</p>
            <ul class="found">{items(first)}</ul>
            {(rest_count > 0)
                .then(move || {
                    view! {
                        <details>
                            <summary>{rest_count} " " {move || check().more_findings}</summary>
                            <ul class="found">{items(rest)}</ul>
                        </details>
                    }
                })}
        </li>
    }
}

#[component]
fn Item(finding: CheckFinding, dataset: i64) -> impl IntoView {
    let language = i18n::use_language();
    let CheckFinding { row, finding, .. } = finding;
    let name = {
        let pair = pair(&finding);
        move || pair.map(|pair| pair_name(pair, language.get()))
    };
    let link = row.map(|row| format!("/inspect?dataset={dataset}&row={row}"));
    let place = match link {
        Some(link) => view! { <a href=link>{name}</a> }.into_any(),
        None => view! { <span>{name}</span> }.into_any(),
    };
    view! {
        <li>
            {place}
            " "
            <span class="detail-text">{move || detail(&finding, language.get())}</span>
        </li>
    }
}
