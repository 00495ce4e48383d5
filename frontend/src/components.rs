//! The parts of pages: values in, decisions out. None of them asks the server or the worker.

pub mod copy_button;
pub mod counts;
pub mod header;
pub mod id_list;
pub mod notice;
pub mod step_list;
pub mod switches;
pub mod text_input;
pub mod token_detail;
pub mod token_legend;
pub mod token_strip;
pub mod vocabulary_picker;
