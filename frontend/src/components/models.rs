//! The parts of the page Models.

pub mod adapter_card;
pub mod elsewhere;
pub mod loaded;
pub mod rename;
