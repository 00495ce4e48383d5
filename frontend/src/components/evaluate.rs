//! The parts of the page Evaluate.

pub mod answers;
pub mod asking_fields;
pub mod counts;
pub mod data_fields;
pub mod head;
pub mod list;
