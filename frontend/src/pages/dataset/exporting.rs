//! The dataset as a file, made in the browser.

use js_sys::{Array, Uint8Array};
use leptos::prelude::*;
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::{Blob, BlobPropertyBag, HtmlAnchorElement, Url};
use weft_shared::{
    dataset::{Form, write},
    pair::Pair,
};

use super::views::Views;
use crate::{
    curating::{News, use_curating},
    i18n,
    state::dataset::editor::Editor,
};

#[component]
pub(super) fn Exporting(views: Views) -> impl IntoView {
    let words = i18n::use_words();
    let curating = use_curating();
    let editor = curating.editor;
    let form = RwSignal::new(Form::all().next());
    let lost = Memo::new(move |_| {
        views.edition.with(|_| ());
        let form = form.get()?;
        let loses = |editor: &Editor| {
            editor.rows().iter().filter(|row| form.loses(&row.pair).is_some()).count()
        };
        Some((form, editor.with_untracked(loses))).filter(|(_, count)| *count > 0)
    });
    let export = move |_| {
        curating.commit();
        let Some(form) = form.get_untracked() else { return };
        let (name, pairs) = editor.with_untracked(|editor| {
            let pairs: Vec<Pair> = editor.rows().iter().map(|row| (*row.pair).clone()).collect();
            (file_name(editor.name(), form), pairs)
        });
        let is_saved = write(&pairs, form).is_ok_and(|bytes| download(&name, &bytes).is_ok());
        if !is_saved {
            curating.news.set(Some(News::NoDownload));
        }
    };
    let options = move || {
        Form::all()
            .map(|it| {
                let is_chosen = move || form.get() == Some(it);
                view! { <option value=it.name() prop:selected=is_chosen>{it.name()}</option> }
            })
            .collect_view()
    };
    let what_is_lost = move || {
        let (form, count) = lost.get()?;
        Some((words.get().dataset.loses)(count, matches!(form, Form::Csv | Form::Tsv)))
    };
    view! {
        <Show when=move || { views.count.get() > 0 }>
            <div class="export to-the-end">
                <label>
                    <span class="visually-hidden">{move || words.get().dataset.export_form}</span>
                    <select
                        data-testid="dataset-export-form"
                        on:change:target=move |event| form.set(event.target().value().parse().ok())
                    >
                        {options}
                    </select>
                </label>
                <button class="button outlined" type="button" data-testid="dataset-export" on:click=export>
                    {move || words.get().dataset.export}
                </button>
            </div>
            <p class="hint loses" role="status">{what_is_lost}</p>
        </Show>
    }
}

/// Named after the dataset, and what cannot be in a file's name left out.
fn file_name(dataset: &str, form: Form) -> String {
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_' | '.');
    let stem: String = dataset.chars().map(|c| if allowed(c) { c } else { '-' }).collect();
    let extension = match form {
        Form::Json(_) => "json",
        Form::JsonLines(_) => "jsonl",
        Form::Csv => "csv",
        Form::Tsv => "tsv",
    };
    format!("{stem}.{extension}")
}

fn download(name: &str, bytes: &[u8]) -> Result<(), JsValue> {
    let parts = Array::of1(&Uint8Array::from(bytes));
    let options = BlobPropertyBag::new();
    options.set_type("application/octet-stream");
    let blob = Blob::new_with_u8_array_sequence_and_options(&parts, &options)?;
    let url = Url::create_object_url_with_blob(&blob)?;
    let link = document().create_element("a")?.dyn_into::<HtmlAnchorElement>()?;
    link.set_href(&url);
    link.set_download(name);
    link.click();
    Url::revoke_object_url(&url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_the_datasets_name_and_the_forms_ending() {
        let name = |dataset, form: &str| file_name(dataset, form.parse().unwrap());

        assert_eq!(name("茶馆 v2.1", "weft-jsonl"), "茶馆 v2.1.jsonl");
        assert_eq!(name("a/b:c", "alpaca"), "a-b-c.json");
    }
}
