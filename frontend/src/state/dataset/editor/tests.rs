//! A dataset is opened, edited, saved, and found again.

use weft_shared::api::dataset::{DatasetSummary, RowEdit};

use super::{super::saving::SaveState, *};

fn pair(question: &str) -> Pair {
    Pair::new(question, "a")
}

fn server(revision: u64, rows: &[(i64, &str)]) -> Dataset {
    let row = |&(id, question): &(i64, &str)| WireRow { id, pair: pair(question) };
    let summary =
        DatasetSummary { id: 9, name: "mine".into(), pairs: rows.len(), revision, updated_ms: 0 };
    Dataset { summary, rows: rows.iter().map(row).collect() }
}

fn open(rows: &[(i64, &str)]) -> Editor {
    Editor::open(server(1, rows), None).0
}

fn questions(editor: &Editor) -> Vec<&str> {
    editor.rows().iter().map(|row| row.pair.question.as_str()).collect()
}

fn confirm(editor: &mut Editor, revision: u64, added: &[i64]) {
    let edited = Edited { revision, pairs: 0, added: added.to_vec() };
    editor.confirmed(&edited);
}

#[test]
fn every_edit_is_undone_and_done_again() {
    let mut editor = open(&[(1, "a"), (2, "b")]);
    editor.add(vec![pair("c"), pair("d")]);
    editor.update(1, pair("A"));
    editor.delete(&[2]);
    assert_eq!(questions(&editor), ["A", "c", "d"]);

    assert!(editor.undo() && editor.undo() && editor.undo() && !editor.undo());
    assert_eq!(questions(&editor), ["a", "b"]);

    assert!(editor.redo() && editor.redo() && editor.redo() && !editor.redo());
    assert_eq!(questions(&editor), ["A", "c", "d"]);
}

#[test]
fn an_edit_that_changes_nothing_is_none() {
    let mut editor = open(&[(1, "a")]);

    assert!(!editor.update(1, pair("a")));
    assert!(!editor.update(5, pair("x")));
    assert!(!editor.delete(&[5]));
    assert_eq!(editor.history().reach(), (false, false));
}

#[test]
fn a_new_row_keeps_its_key_when_the_server_names_it() {
    let mut editor = open(&[(1, "a")]);
    let key = editor.add(vec![pair("b")]).unwrap();
    assert_eq!(editor.row_id(key), None);
    editor.next_request();

    confirm(&mut editor, 2, &[7]);

    assert_eq!(editor.row_id(key), Some(7));
    assert_eq!(editor.key_of(7), key);
    assert_eq!(editor.unsaved(), None);
}

#[test]
fn what_is_unsaved_survives_a_reload_of_the_page() {
    let mut editor = open(&[(1, "a")]);
    editor.update(1, pair("A"));
    editor.next_request();
    editor.add(vec![pair("new")]);
    let kept = serde_json::to_string(&editor.unsaved()).unwrap();

    let unsaved = serde_json::from_str(&kept).unwrap();
    let (mut found, reloaded) = Editor::open(server(2, &[(1, "A")]), unsaved);

    assert_eq!(questions(&found), ["A", "new"]);
    assert_eq!(reloaded.copies, 0);
    let Some(Request::Edit { edits, .. }) = found.next_request() else { panic!("nothing sent") };
    assert_eq!(edits.edits, [RowEdit::Add { pairs: vec![pair("new")] }]);
    assert_eq!(edits.revision, 2);
}

#[test]
fn pairs_of_a_dataset_that_was_never_made_survive_too() {
    let mut editor = Editor::new("My pairs".into());
    editor.add(vec![pair("a")]);
    assert_eq!(editor.next_request(), Some(Request::Create));
    editor.unanswered();

    let mut found = Editor::unopened(editor.unsaved().unwrap());

    assert_eq!(questions(&found), ["a"]);
    assert_eq!(found.name(), "My pairs");
    assert_eq!(found.next_request(), Some(Request::Create));
}

#[test]
fn a_conflict_brings_the_others_rows_and_keeps_ours() {
    let mut editor = open(&[(1, "a"), (2, "b")]);
    editor.update(1, pair("A"));
    editor.next_request();

    let reloaded = editor.reload(server(2, &[(1, "a"), (2, "B"), (3, "theirs")]));

    assert_eq!(questions(&editor), ["A", "B", "theirs"]);
    assert_eq!(reloaded.copies, 0);
    assert_eq!(editor.history().reach(), (false, false));
    assert_eq!(editor.saving().state(), &SaveState::Calm);
}

#[test]
fn loading_what_is_known_leaves_the_history() {
    let mut editor = open(&[(1, "a")]);
    editor.update(1, pair("A"));
    editor.next_request();
    confirm(&mut editor, 2, &[]);

    editor.reload(server(2, &[(1, "A")]));

    assert_eq!(editor.history().reach(), (true, false));
}

#[test]
fn a_version_is_restored_as_one_change() {
    let mut editor = open(&[(1, "a"), (2, "b"), (3, "c")]);
    let version = server(0, &[(1, "old"), (2, "b"), (4, "gone")]).rows;

    let change = editor.change_to(version);
    editor.change(change);

    assert_eq!(questions(&editor), ["old", "b", "gone"]);
    editor.undo();
    assert_eq!(questions(&editor), ["a", "b", "c"]);
}

#[test]
fn rows_of_a_dataset_that_is_gone_become_a_new_one() {
    let mut editor = open(&[(1, "a"), (2, "b")]);
    editor.update(1, pair("A"));
    editor.next_request();
    editor.refused(true, "there is no dataset 9".into());

    editor.start_over();

    assert_eq!(questions(&editor), ["A", "b"]);
    assert_eq!(editor.next_request(), Some(Request::Create));
    editor.created(10, 0);
    let Some(Request::Edit { dataset: 10, edits }) = editor.next_request() else {
        panic!("nothing sent")
    };
    assert_eq!(edits.edits, [RowEdit::Add { pairs: vec![pair("A"), pair("b")] }]);
}
