//! What the page Train knows: the options as they are typed, what the check says, and how a run goes.

pub mod curves;
pub mod field;
pub mod form;
pub mod manifest;
pub mod preview;
pub mod report;
pub mod run_log;
pub mod timeline;
