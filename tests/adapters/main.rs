//! Adapters in PEFT's form, state dicts of 2023, and adapters merged into models.

#![expect(clippy::unwrap_used, reason = "a failed setup is a failed test")]

mod command_line;
mod import;
mod merge;
mod peft;
mod support;
