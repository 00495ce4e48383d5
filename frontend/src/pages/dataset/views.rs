//! What the page shows of the rows: all derived, and derived again only where something changed.

use std::{sync::Arc, time::Duration};

use leptos::{leptos_dom::helpers::debounce, prelude::*};
use weft_shared::sample::SampleOptions;

use crate::{
    components::virtual_list::Target,
    curating::Curating,
    encoding::use_encoding,
    state::dataset::{
        editor::Editor,
        filter::Filter,
        lengths::{Lengths, Part},
        problems::{TextProblems, too_long},
        rows::{Key, Row},
    },
    tokenizing::use_tokenizing,
};

/// How long typing must pause until it is searched for.
const TYPING: Duration = Duration::from_millis(150);

/// Copies are of the same views.
#[derive(Clone, Copy)]
pub(super) struct Views {
    editor: RwSignal<Editor>,
    pub(super) lengths: RwSignal<Lengths>,
    pub(super) edition: Memo<(u32, u64)>,
    /// Of all rows.
    pub(super) count: Memo<usize>,
    pub(super) problems: Memo<Arc<TextProblems>>,
    pub(super) filter: RwSignal<Filter>,
    /// Of the rows to show.
    pub(super) keys: Memo<Arc<Vec<Key>>>,
    pub(super) options: RwSignal<SampleOptions>,
    /// The open row.
    pub(super) open: Memo<Option<Key>>,
    /// The row that the keyboard is at.
    pub(super) active: RwSignal<Option<Key>>,
    pub(super) go_to: RwSignal<Option<Target>>,
}

impl Views {
    /// `row` is the server's name of a row to go to.
    pub(super) fn new(curating: Curating, row: Option<i64>) -> Self {
        let editor = curating.editor;
        let edition = curating.edition();
        let count = Memo::new(move |_| {
            edition.with(|_| ());
            editor.with_untracked(|editor| editor.rows().len())
        });
        let problems = Memo::new(move |_| {
            edition.with(|_| ());
            Arc::new(editor.with_untracked(|editor| TextProblems::of(editor.rows())))
        });
        let filter = RwSignal::new(Filter::default());
        let open = Memo::new(move |_| curating.draft.with(|draft| draft.as_ref()?.key));
        let keys = Memo::new(move |_| {
            edition.with(|_| ());
            let filter = filter.get();
            let keys = |lengths: &Lengths| {
                editor.with_untracked(|editor| {
                    problems.with(|problems| filter.keys(editor.rows(), problems, lengths))
                })
            };
            let mut keys = if filter.needs_lengths() {
                curating.lengths.with(keys)
            } else {
                curating.lengths.with_untracked(keys)
            };
            // The row that is being edited stays, whatever becomes of it.
            let exists = |key: &Key| editor.with_untracked(|it| it.rows().get(*key).is_some());
            if let Some(open) = open.get().filter(exists)
                && let Err(place) = keys.binary_search(&open)
            {
                keys.insert(place, open);
            }
            Arc::new(keys)
        });
        let options = use_encoding().options;
        count_when_needed(curating, edition, options);

        let go_to = RwSignal::new(None);
        go_once(curating, edition, go_to, row);
        let active = RwSignal::new(None);
        Self {
            editor,
            lengths: curating.lengths,
            edition,
            count,
            problems,
            filter,
            keys,
            options,
            open,
            active,
            go_to,
        }
    }

    /// A row, whenever it changes.
    pub(super) fn row(self, key: Key) -> Memo<Option<Row>> {
        Memo::new(move |_| {
            self.edition.with(|_| ());
            self.editor.with_untracked(|editor| editor.rows().get(key).cloned())
        })
    }

    /// How many rows come before a row, among all.
    pub(super) fn place(self, key: Key) -> Memo<Option<usize>> {
        Memo::new(move |_| {
            self.edition.with(|_| ());
            self.editor.with_untracked(|editor| editor.rows().position(key))
        })
    }

    /// Lengths of one part of all rows that are counted.
    pub(super) fn tokens(self, part: Part) -> Vec<usize> {
        self.edition.with(|_| ());
        self.lengths.with(|lengths| {
            self.editor.with_untracked(|editor| {
                editor.rows().iter().filter_map(|row| lengths.tokens(row, part)).collect()
            })
        })
    }

    pub(super) fn too_long(self) -> usize {
        self.edition.with(|_| ());
        self.lengths
            .with(|lengths| self.editor.with_untracked(|editor| too_long(editor.rows(), lengths)))
    }

    /// Brings a row into sight, and the keyboard to it.
    pub(super) fn walk_to(self, key: Option<Key>) {
        self.active.set(key);
        self.go_to.set(key.map(|key| Target { key, takes_keyboard: true }));
    }

    /// Brings a row into sight.
    pub(super) fn show(self, key: Key) {
        self.go_to.set(Some(Target { key, takes_keyboard: false }));
    }

    /// Takes the words to search for as they are typed.
    pub(super) fn searching(self) -> impl Fn(String) + Clone {
        let search = debounce(TYPING, move |words| {
            // Behind the last letter the page may be left.
            self.filter.try_update(|filter| filter.words = words);
        });
        let search = StoredValue::new_local(search);
        move |words| {
            search.try_update_value(|search| search(words));
        }
    }
}

/// Counts what is new, and everything where the limits or the vocabulary change.
fn count_when_needed(
    curating: Curating,
    edition: Memo<(u32, u64)>,
    options: RwSignal<SampleOptions>,
) {
    let vocabulary = use_tokenizing().vocabulary;
    Effect::watch(
        move || (vocabulary.get(), options.get()),
        move |_, _, _| curating.count_again(),
        false,
    );
    Effect::new(move || {
        edition.with(|_| ());
        curating.count();
    });
}

/// Goes to a row as soon as there are rows, once.
fn go_once(
    curating: Curating,
    edition: Memo<(u32, u64)>,
    go_to: RwSignal<Option<Target>>,
    row: Option<i64>,
) {
    let wanted = StoredValue::new(row);
    Effect::new(move || {
        edition.with(|_| ());
        let Some(row) = wanted.get_value() else { return };
        let key = curating.editor.with_untracked(|editor| {
            let key = editor.key_of(row);
            editor.rows().get(key).map(|row| row.key)
        });
        if let Some(key) = key {
            wanted.set_value(None);
            go_to.set(Some(Target { key, takes_keyboard: true }));
        }
    });
}
