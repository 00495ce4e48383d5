//! Files and pasted text that become rows.

use leptos::{prelude::*, task::spawn_local};
use wasm_bindgen_futures::JsFuture;
use web_sys::{File, js_sys::Uint8Array};
use weft_shared::pair::Pair;

use super::Curating;
use crate::state::dataset::{
    editor::Editor,
    import::{Report, dataset_name, import},
};

impl Curating {
    /// Adds what files hold; a dataset that begins with one is named after it.
    pub fn import_files(self, files: Vec<File>) {
        self.close();
        spawn_local(async move {
            let mut reports = Vec::new();
            let mut pairs: Vec<Pair> = Vec::new();
            for file in files {
                let Ok(buffer) = JsFuture::from(file.array_buffer()).await else {
                    reports.push(Report::unread(file.name()));
                    continue;
                };
                let bytes = Uint8Array::new(&buffer).to_vec();
                let (report, more) = import(Some(file.name()), &bytes);
                if pairs.is_empty() && !more.is_empty() {
                    self.name_unnamed(dataset_name(&file.name()));
                }
                pairs.extend(more);
                reports.push(report);
            }
            self.reports.set(reports);
            if !pairs.is_empty() {
                self.append(pairs);
            }
        });
    }

    /// Adds pairs from elsewhere, under this name where there is no dataset yet.
    pub fn add_named(self, name: &str, pairs: Vec<Pair>) {
        self.close();
        self.name_unnamed(name);
        self.append(pairs);
    }

    /// The name that a dataset gets that is not made yet and has none.
    pub fn name_unnamed(self, name: &str) {
        let is_unnamed =
            self.editor.with_untracked(|editor| editor.id().is_none() && editor.name().is_empty());
        if is_unnamed {
            self.editor.update(|editor: &mut Editor| editor.rename(name.to_owned()));
        }
    }
}
