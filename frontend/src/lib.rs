//! Weft's page: what a person sees, in the browser.
//!
//! A page wires three things together: [`state`] (what it knows and how that changes, plain Rust without a browser),
//! [`components`] (values in, decisions out) and, for what is not in the browser, [`api`] (the only file that knows
//! a URL) and [`worker`] (tokenization, beside the page so that it never holds up typing). What all pages share is in the
//! context: [`server`] (model and adapters), [`encoding`] (lengths, truncation, positions), [`tokenizing`] (vocabulary and
//! worker) and [`curating`] (the dataset that is open).
//!
//! It knows `weft-shared` and nothing of the server's code.

pub mod app;

pub mod components;
pub mod pages;
pub mod state;

pub mod api;
pub mod curating;
pub mod encoding;
pub mod server;
pub mod tokenizing;
pub mod worker;

pub mod i18n;
pub mod links;
pub mod remembered;
pub mod theme;
pub mod timing;
