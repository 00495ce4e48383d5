//! What the page Evaluate knows: what is to be asked, how far that is, and what came of it.

pub mod form;
pub mod pace;
pub mod table;
