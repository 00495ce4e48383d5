//! The pages, one file each: they wire state, api, worker and components.

pub mod chat;
pub mod dataset;
pub mod evaluate;
pub mod inspect;
pub mod models;
pub mod token;
pub mod train;
