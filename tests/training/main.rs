//! Runs of the trainer on the smallest model: resumed, stopped, diverged, and learned by heart.

#![expect(clippy::unwrap_used, reason = "a failed setup is a failed test")]

mod methods;
mod resume;
mod setup;
mod trouble;
