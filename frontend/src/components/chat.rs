//! The parts of the page Chat.

pub mod answerer;
pub mod composer;
pub mod conversation_list;
pub mod empty;
mod keys;
pub mod question;
pub mod reply_card;
pub mod sampling;
pub mod save_pair;
