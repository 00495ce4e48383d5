//! How pairs are encoded, one choice for all pages, in the context: what Inspect shows, Dataset counts and Train
//! starts from. A choice that is not the model's own is remembered.

use leptos::prelude::*;
use weft_shared::{
    sample::{PositionRule, SampleOptions},
    tokenizer::Revision,
};

use crate::{remembered, server, state::encoding::on_model, tokenizing::use_tokenizing};

const REMEMBERED_AS: &str = "weft-encoding";

/// Copies are of the same choice.
#[derive(Clone, Copy)]
pub struct Encoding {
    /// In use. Any page may change it.
    pub options: RwSignal<SampleOptions>,
    /// What the served model starts from; the published options until it is known. With a vocabulary of another model
    /// the positions are those of its revision.
    pub recommended: Signal<SampleOptions>,
}

/// The remembered choice, on the served model. To be called behind `server::provide` and
/// `tokenizing::provide`.
pub fn provide() -> Encoding {
    let model = server::use_server().model;
    let tokenizing = use_tokenizing();
    let recommended = Memo::new(move |_| {
        let of_model = model.with(|model| {
            model.as_ref().map(|model| model.recommended.encoding.clone()).unwrap_or_default()
        });
        match tokenizing.vocabulary.with(|it| it.as_ref().map(|it| it.revision)) {
            Some(revision) if !tokenizing.is_of_the_model.get() => SampleOptions {
                position_rule: match revision {
                    Revision::V096f3de => PositionRule::V096f3de,
                    Revision::Main => PositionRule::Main,
                },
                position_encoding_2d: true,
                ..of_model
            },
            _ => of_model,
        }
    });
    let chosen = StoredValue::new(remembered::read_json(REMEMBERED_AS));
    let on_this_model = move |recommended: &SampleOptions| {
        chosen.with_value(|it| on_model(recommended, it.as_ref()))
    };
    let options = RwSignal::new(on_this_model(&recommended.get_untracked()));
    let encoding = Encoding { options, recommended: recommended.into() };
    provide_context(encoding);

    Effect::watch(
        move || recommended.get(),
        move |recommended, _, _| options.set(on_this_model(recommended)),
        false,
    );
    Effect::watch(
        move || options.get(),
        move |options, _, _| {
            let is_chosen = recommended.with_untracked(|recommended| options != recommended);
            chosen.set_value(is_chosen.then(|| options.clone()));
            if is_chosen {
                remembered::write_json(REMEMBERED_AS, options);
            } else {
                remembered::forget(REMEMBERED_AS);
            }
        },
        false,
    );
    encoding
}

/// The page's encoding options.
pub fn use_encoding() -> Encoding {
    expect_context()
}
