//! The part of Python's pickle language that describes tensors, and no more.
//!
//! A pickle is a program. Python runs it, and it may call anything; that is why opening an unknown `.bin` file in
//! Python is dangerous. Here it can build numbers, texts, lists, dicts and descriptions of tensors, and the few names
//! it may use are a closed enum, [`Global`]: anything else ends the reading with an error that says what was asked for.
//! Nothing is called, and memory stays proportional to the pickle's length.

mod cursor;
mod machine;
#[cfg(test)]
mod tests;
mod value;

pub(super) use self::machine::{Pickle, read};
pub(super) use self::value::{TensorRef, Value};

/// Why a pickle was not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PickleError {
    #[error(
        "it asks for {module}.{name}, which no file of weights needs: not read, nothing was run"
    )]
    RefusedGlobal { module: String, name: String },
    #[error("it uses pickle opcode {opcode:#04x} at byte {offset}, which no file of weights needs")]
    RefusedOpcode { opcode: u8, offset: usize },
    #[error("it ends in the middle, at byte {offset}")]
    Truncated { offset: usize },
    #[error("its byte {offset}: {what}")]
    Malformed { offset: usize, what: &'static str },
}
