//! Who may know whom, and how long a file may be.
//!
//! The rules of `ARCHITECTURE.md` as tests: an import that crosses a boundary fails here, with the rule's reason.

#![expect(clippy::unwrap_used, reason = "a failed setup is a failed test")]

mod layers;
mod packages;
mod sizes;
mod source;
