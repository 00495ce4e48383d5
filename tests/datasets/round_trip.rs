//! What is written is read back, for every form, as far as the form can hold it.

use proptest::prelude::*;
use weft_shared::dataset::{Form, read, write};
use weft_shared::pair::{Pair, Turn};

proptest! {
    #[test]
    fn every_form_gives_the_pairs_back(pairs in prop::collection::vec(pair(), 1..6)) {
        for form in Form::all() {
            let held: Vec<_> = pairs.iter().map(|pair| held_by(form, pair)).collect();

            let file = write(&pairs, form).unwrap();

            let told = read(&file, Some(form)).unwrap();
            prop_assert_eq!(&told.pairs, &held);
            prop_assert_eq!(told.form, form);
            prop_assert_eq!(told.problems, []);
            let found = read(&file, None).unwrap();
            prop_assert_eq!(&found.pairs, &held);
            prop_assert_eq!(found.form, form);
        }
    }
}

/// The pair without what the form says it cannot hold.
fn held_by(form: Form, pair: &Pair) -> Pair {
    let mut held = pair.clone();
    if form.loses(pair).is_some() {
        held.tags = match form {
            Form::Csv | Form::Tsv => pair
                .tags
                .iter()
                .flat_map(|tag| tag.split(';'))
                .map(str::trim)
                .filter(|tag| !tag.is_empty())
                .map(str::to_owned)
                .collect(),
            Form::Json(_) | Form::JsonLines(_) => Vec::new(),
        };
    }
    held
}

fn pair() -> impl Strategy<Value = Pair> {
    let turn = (text(), text()).prop_map(|(question, answer)| Turn { question, answer });
    let history = prop::collection::vec(turn, 0..3);
    let system =
        prop::option::of(text().prop_filter("an empty one is none", |text| !text.is_empty()));
    let tags = prop::collection::vec(text(), 0..3);
    (text(), text(), history, system, tags).prop_map(|(question, answer, history, system, tags)| {
        Pair { question, answer, history, system, tags }
    })
}

/// Text of the characters that forms treat in their own ways, and any others.
fn text() -> impl Strategy<Value = String> {
    let special = prop::sample::select(vec![
        "\"", "\"\"", ",", ";", "\t", "\n", "\r\n", "\r", " ", "\\", "[", "]", "{", "}", ":",
        "null", "\u{feff}", "\u{2028}", "\0", "你好", "é",
    ]);
    prop::collection::vec(
        prop_oneof![special.prop_map(String::from), any::<char>().prop_map(String::from)],
        0..12,
    )
    .prop_map(|pieces| pieces.concat())
}
