//! The parts of the page Train.

pub mod adapter_options;
pub mod answers;
pub mod check_report;
pub mod choices;
pub mod curves;
pub mod data_choice;
pub mod digest;
pub mod dry_run;
pub mod estimate;
pub mod event_log;
pub mod manifest_view;
pub mod number_field;
pub mod options_form;
pub mod run_head;
pub mod run_list;
