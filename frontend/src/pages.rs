//! The pages, one file each: they wire state, api, worker and components.

pub mod inspect;
