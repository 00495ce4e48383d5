//! Files of pairs: every form as people have it, what damage does to it, and that writing loses nothing.
#![expect(clippy::unwrap_used, reason = "a failed setup is a failed test")]

mod arbitrary_bytes;
mod damage;
mod forms;
mod round_trip;
