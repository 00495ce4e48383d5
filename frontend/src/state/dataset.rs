//! A dataset under edit: its rows, every change to them, and what the server has not got yet.
//!
//! A change is applied at once, remembered for undoing and queued for the server ([`editor::Editor`]). Everything
//! else is a view of the rows: [`lengths`], [`problems`], [`filter`], [`histogram`].

pub mod change;
pub mod draft;
pub mod editor;
pub mod examples;
pub mod filter;
pub mod histogram;
pub mod history;
pub mod import;
pub mod lengths;
pub mod problems;
mod rebase;
pub mod rows;
pub mod saving;
