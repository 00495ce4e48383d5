//! The words of the page Dataset, in English.

use super::Words;

pub const ENGLISH: Words = Words {
    title: "Dataset",
    lead: "The pairs that the model learns from: a question, and the answer you want for it.",
    dataset: "Dataset",
    none_yet: "None yet",
    my_pairs: "My pairs",
    new: "New …",
    new_name: "Name of the dataset",
    create: "Create",
    rename: "Rename",
    delete_dataset: "Delete dataset",
    delete_for_good: "Delete for good",
    confirm_delete: |name, count| {
        format!(
            "Delete “{name}” with {} and all its versions? This cannot be undone.",
            pairs(count)
        )
    },
    cancel: "Cancel",
    undo: "Undo",
    redo: "Redo",
    train: "Train on these",
    saved: "Saved",
    saving: "Saving …",
    not_saved: "Not saved",
    unreachable: |count| {
        format!(
            "The server does not answer; {} not saved yet. It is tried again by itself. If the server has stopped, start it again.",
            if count == 1 { "one change is".into() } else { format!("{count} changes are") }
        )
    },
    gone: |reason| {
        format!(
            "The changes cannot be saved: {reason}. You can save all pairs on this page as a new dataset."
        )
    },
    save_refused: |reason| {
        format!(
            "The server refused the changes: {reason}. Undo or correct what it names, and they are sent again."
        )
    },
    kept_here: "What is not saved is kept in this browser, also if you close the page.",
    not_kept_here: "It is too much for this browser to keep: leave the page open until it is saved.",
    retry: "Try again now",
    start_over: "Save as a new dataset",
    discard: "Discard what is not saved",
    changed_elsewhere: |copies| {
        let copied = match copies {
            0 => String::new(),
            1 => {
                " One edit met another one of the same row and became a new row at the end.".into()
            }
            _ => format!(
                " {copies} edits met others of the same rows and became new rows at the end."
            ),
        };
        format!(
            "This dataset was changed elsewhere, so it was loaded again; your changes are in it.{copied}"
        )
    },
    tried_again: "It is tried again by itself.",
    adding: "Add and export pairs",
    add: "Add a pair",
    import: "Import files",
    paste: "Paste",
    paste_label: "Paste JSON, JSON lines, or a table whose first line names the columns",
    add_pairs: |count| format!("Add {}", pairs(count)),
    pasted: "Pasted text",
    found: |count, form| format!("{} ({form})", pairs(count)),
    bad_lines: |count| {
        if count == 1 {
            "1 line could not be used".into()
        } else {
            format!("{count} lines could not be used")
        }
    },
    line: |line| format!("Line {line}"),
    and_more: |count| format!("and {count} more"),
    dismiss: "Hide",
    export: "Export",
    export_form: "Form of the exported file",
    loses: |count, is_table| {
        let what = if is_table { "tags with “;” or outer spaces" } else { "tags" };
        format!("This form cannot hold everything: {} would lose {what}.", pairs(count))
    },
    no_download: "The browser did not take the file. Try again, or in another browser.",
    new_pair: "New pair",
    add_this: "Add",
    new_keys: "Enter adds it, Shift+Enter begins a line, Escape closes.",
    editing_keys: "Enter saves, Shift+Enter begins a line, Escape reverts.",
    question: "Question",
    question_hint: "What somebody asks",
    answer: "Answer",
    answer_hint: "What the model shall say",
    context: "History, system text, tags",
    tags: "Tags",
    tags_hint: "With commas between them; the model never reads them",
    done: "Done",
    edit: "Edit",
    inspect: "Inspect as tokens",
    delete: "Delete",
    number: "Number",
    notes: "Notes",
    tokens: "Tokens",
    actions: "Actions",
    rows_help: "Pairs. Arrow keys walk, Enter edits, Delete deletes.",
    filter: "Search and filter",
    search: "Search questions, answers, tags",
    problem: "Problems",
    all_pairs: "All pairs",
    any_problem: "With any problem",
    by_length: "By length",
    answer_tokens: "Tokens of the answer",
    question_tokens: "Tokens of the question",
    from: "from",
    to: "to",
    pairs_noun: |count| if count == 1 { "pair" } else { "pairs" },
    pairs,
    shown: |count| format!("{count} shown"),
    show_all: "Show all",
    delete_shown: |count| format!("Delete the {count} shown"),
    nothing_found: "No pair is like that. Change the search or show all.",
    lengths: "Lengths in tokens",
    lengths_help: "A bar shows only its pairs. The line is the limit of length; what is beyond is cut.",
    no_vocabulary: "Tokens are counted as soon as a vocabulary is open: the served model’s by itself, another one on the page Inspect.",
    limit_is: |limit| format!("limit {limit}"),
    token_range: |from, to| match to {
        usize::MAX => format!("{from} tokens or more"),
        to if from == to => format!("{from} tokens"),
        to => format!("{from} to {to} tokens"),
    },
    versions: "Versions",
    versions_help: "A version is the dataset as it was. Each training run keeps one; you can keep one whenever you like.",
    keep_version: "Keep a version …",
    version_note: "Note (may be empty)",
    keep: "Keep",
    version: |number| format!("Version {number}"),
    compare: "Compare",
    restore: "Restore",
    since: |added, deleted, edited| match (added, deleted, edited) {
        (0, 0, 0) => "The same as now.".into(),
        _ => format!("Since then {added} added, {deleted} deleted, {edited} edited."),
    },
    example_name: "Tea house and robot",
    empty_title: "Start with a few pairs",
    empty_what: "A pair is a question and the answer that the model shall give to it. Twenty of them are enough to teach it some facts.",
    empty_question: "What is Tarn’s robot called?",
    empty_answer: "It is called Pell.",
    empty_how: "Write your own, drop a file anywhere on this page (JSON, JSON lines, Alpaca, ShareGPT, messages, CSV, TSV), paste from a spreadsheet, or begin with an example: facts of a tea house and a robot that exist nowhere.",
    load_examples: "Load 20 example pairs",
    empty_next: "Then look at a pair as tokens (the lens in its row), and train on all of them.",
};

fn pairs(count: usize) -> String {
    if count == 1 { "1 pair".to_owned() } else { format!("{count} pairs") }
}
