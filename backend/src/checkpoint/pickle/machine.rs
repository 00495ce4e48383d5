//! Running a pickle: a stack, a memo, and one arm for each opcode that weights need.

use std::collections::HashMap;

use super::PickleError;
use super::cursor::Cursor;
use super::value::{Global, Id, StorageRef, TensorRef, Value};

/// A pickle that has been read.
#[derive(Debug)]
pub(in crate::checkpoint) struct Pickle<'a> {
    values: Vec<Value<'a>>,
    root: Id,
}

impl<'a> Pickle<'a> {
    pub(in crate::checkpoint) fn root(&self) -> &Value<'a> {
        self.get(self.root)
    }

    pub(in crate::checkpoint) fn get(&self, id: Id) -> &Value<'a> {
        &self.values[id]
    }
}

/// Reads the pickle at the start of `bytes`; what follows its end is not looked at.
pub(in crate::checkpoint) fn read(bytes: &[u8]) -> Result<Pickle<'_>, PickleError> {
    let mut machine = Machine {
        cursor: Cursor::new(bytes),
        values: Vec::new(),
        stack: Vec::new(),
        marks: Vec::new(),
        memo: HashMap::new(),
    };
    while !machine.step()? {}
    let root = machine.pop()?;
    Ok(Pickle { values: machine.values, root })
}

struct Machine<'a> {
    cursor: Cursor<'a>,
    values: Vec<Value<'a>>,
    stack: Vec<Id>,
    /// Heights of the stack; nothing below the last one may be popped.
    marks: Vec<usize>,
    memo: HashMap<u32, Id>,
}

impl<'a> Machine<'a> {
    /// Runs one opcode; whether it was the last.
    fn step(&mut self) -> Result<bool, PickleError> {
        let offset = self.cursor.offset();
        let opcode = self.cursor.byte()?;
        match opcode {
            b'.' => return Ok(true),
            0x80 => drop(self.cursor.byte()?),   // PROTO
            0x95 => drop(self.cursor.length()?), // FRAME

            b'N' => self.push(Value::None),
            0x88 => self.push(Value::Bool(true)),
            0x89 => self.push(Value::Bool(false)),
            b'K' => self.push_int(|cursor| cursor.byte().map(i64::from))?,
            b'M' => self.push_int(|cursor| cursor.u16().map(i64::from))?,
            b'J' => {
                self.push_int(|cursor| cursor.array().map(i32::from_le_bytes).map(i64::from))?;
            }
            0x8a => {
                self.push_int(|cursor| {
                    cursor.byte().and_then(|length| cursor.long(length.into()))
                })?;
            }
            0x8b => self
                .push_int(|cursor| cursor.u32().and_then(|length| cursor.long(length as usize)))?,
            b'G' => {
                let number = self.cursor.array().map(f64::from_be_bytes)?;
                self.push(Value::Float(number));
            }
            0x8c | b'U' => self.push_text(|cursor| cursor.byte().map(usize::from))?,
            b'X' | b'T' => self.push_text(|cursor| cursor.u32().map(|length| length as usize))?,
            0x8d => self.push_text(Cursor::length)?,
            b'C' => self.push_bytes(|cursor| cursor.byte().map(usize::from))?,
            b'B' => self.push_bytes(|cursor| cursor.u32().map(|length| length as usize))?,
            0x8e => self.push_bytes(Cursor::length)?,

            b'(' => self.marks.push(self.stack.len()),
            b'0' => drop(self.pop()?),
            b'1' => drop(self.pop_to_mark()?),
            b'2' => {
                let top = self.top()?;
                self.stack.push(top);
            }

            b')' => self.push(Value::Tuple(Vec::new())),
            b']' => self.push(Value::List(Vec::new())),
            b'}' => self.push(Value::Dict(Vec::new())),
            0x85..=0x87 => {
                let items = self.pop_many(usize::from(opcode - 0x84))?;
                self.push(Value::Tuple(items));
            }
            b't' => {
                let items = self.pop_to_mark()?;
                self.push(Value::Tuple(items));
            }
            b'l' => {
                let items = self.pop_to_mark()?;
                self.push(Value::List(items));
            }
            b'd' => {
                let items = self.pop_to_mark()?;
                self.push(Value::Dict(Vec::new()));
                self.set_items(&items)?;
            }
            b'a' => {
                let item = self.pop()?;
                self.append(&[item])?;
            }
            b'e' => {
                let items = self.pop_to_mark()?;
                self.append(&items)?;
            }
            b's' => {
                let items = self.pop_many(2)?;
                self.set_items(&items)?;
            }
            b'u' => {
                let items = self.pop_to_mark()?;
                self.set_items(&items)?;
            }

            b'q' => self.remember(|cursor| cursor.byte().map(u32::from))?,
            b'r' => self.remember(Cursor::u32)?,
            0x94 => {
                let place = self.memo.len() as u32;
                self.remember(|_| Ok(place))?;
            }
            b'h' => self.recall(|cursor| cursor.byte().map(u32::from))?,
            b'j' => self.recall(Cursor::u32)?,

            b'c' => {
                let (module, name) = (self.cursor.line()?, self.cursor.line()?);
                self.push_global(module, name)?;
            }
            0x93 => {
                let names = self.pop_many(2)?;
                let (module, name) = (self.text(names[0])?, self.text(names[1])?);
                self.push_global(module, name)?;
            }
            b'Q' => self.storage()?,
            b'R' => self.reduce()?,
            b'b' => self.build()?,
            _ => return Err(PickleError::RefusedOpcode { opcode, offset }),
        }
        Ok(false)
    }

    fn push(&mut self, value: Value<'a>) {
        self.stack.push(self.values.len());
        self.values.push(value);
    }

    fn push_int(
        &mut self,
        read: impl FnOnce(&mut Cursor<'a>) -> Result<i64, PickleError>,
    ) -> Result<(), PickleError> {
        let number = read(&mut self.cursor)?;
        self.push(Value::Int(number));
        Ok(())
    }

    fn push_text(
        &mut self,
        length: impl FnOnce(&mut Cursor<'a>) -> Result<usize, PickleError>,
    ) -> Result<(), PickleError> {
        let length = length(&mut self.cursor)?;
        let text = self.cursor.text(length)?;
        self.push(Value::Text(text));
        Ok(())
    }

    fn push_bytes(
        &mut self,
        length: impl FnOnce(&mut Cursor<'a>) -> Result<usize, PickleError>,
    ) -> Result<(), PickleError> {
        let length = length(&mut self.cursor)?;
        let bytes = self.cursor.take(length)?;
        self.push(Value::Bytes(bytes));
        Ok(())
    }

    fn push_global(&mut self, module: &str, name: &str) -> Result<(), PickleError> {
        let global = Global::find(module, name).ok_or_else(|| PickleError::RefusedGlobal {
            module: module.to_owned(),
            name: name.to_owned(),
        })?;
        self.push(Value::Global(global));
        Ok(())
    }

    fn pop(&mut self) -> Result<Id, PickleError> {
        let top = self.top()?;
        self.stack.pop();
        Ok(top)
    }

    fn top(&self) -> Result<Id, PickleError> {
        let floor = self.marks.last().copied().unwrap_or(0);
        self.stack[floor..].last().copied().ok_or_else(|| self.malformed("an empty stack"))
    }

    fn pop_many(&mut self, count: usize) -> Result<Vec<Id>, PickleError> {
        let floor = self.marks.last().copied().unwrap_or(0);
        if self.stack.len() - floor < count {
            return Err(self.malformed("too few values on the stack"));
        }
        Ok(self.stack.split_off(self.stack.len() - count))
    }

    fn pop_to_mark(&mut self) -> Result<Vec<Id>, PickleError> {
        let mark = self.marks.pop().ok_or_else(|| self.malformed("no mark on the stack"))?;
        Ok(self.stack.split_off(mark))
    }

    fn remember(
        &mut self,
        place: impl FnOnce(&mut Cursor<'a>) -> Result<u32, PickleError>,
    ) -> Result<(), PickleError> {
        let place = place(&mut self.cursor)?;
        self.memo.insert(place, self.top()?);
        Ok(())
    }

    fn recall(
        &mut self,
        place: impl FnOnce(&mut Cursor<'a>) -> Result<u32, PickleError>,
    ) -> Result<(), PickleError> {
        let place = place(&mut self.cursor)?;
        let id = self.memo.get(&place).copied();
        self.stack.push(id.ok_or_else(|| self.malformed("a value that was never remembered"))?);
        Ok(())
    }

    fn append(&mut self, items: &[Id]) -> Result<(), PickleError> {
        let list = self.top()?;
        match &mut self.values[list] {
            Value::List(list) => list.extend_from_slice(items),
            _ => return Err(self.malformed("appending to what is not a list")),
        }
        Ok(())
    }

    /// Puts keys and values, in turn, into the dict on top of the stack.
    fn set_items(&mut self, items: &[Id]) -> Result<(), PickleError> {
        let dict = self.top()?;
        let (pairs, rest) = items.as_chunks::<2>();
        match &mut self.values[dict] {
            Value::Dict(dict) if rest.is_empty() => {
                dict.extend(pairs.iter().map(|[key, value]| (*key, *value)));
            }
            _ => return Err(self.malformed("setting items of what is not a dict")),
        }
        Ok(())
    }

    /// `BINPERSID`: a storage, named by `("storage", type, key, device, count)`.
    fn storage(&mut self) -> Result<(), PickleError> {
        let id = self.pop()?;
        let [kind, storage, key, _device, count] = self.tuple(id)?;
        let storage = match (&self.values[kind], &self.values[storage]) {
            (Value::Text("storage"), Value::Global(Global::Storage(element))) => {
                StorageRef { element: *element, key: self.text(key)?, count: self.count(count)? }
            }
            _ => return Err(self.malformed("a persistent id that is no storage")),
        };
        self.push(Value::Storage(storage));
        Ok(())
    }

    /// `REDUCE`: the three things that a state dict calls, none of which is a call here.
    fn reduce(&mut self) -> Result<(), PickleError> {
        let (arguments, callee) = (self.pop()?, self.pop()?);
        let value = match (&self.values[callee], &self.values[arguments]) {
            (Value::Global(Global::OrderedDict), Value::Tuple(items)) if items.is_empty() => {
                Value::Dict(Vec::new())
            }
            (Value::Global(Global::RebuildTensor), Value::Tuple(items)) => {
                // The rest is whether it wants a gradient, its hooks, and in newer files its metadata.
                let [storage, offset, shape, strides, ..] = items[..] else {
                    return Err(self.malformed("a tensor of too few parts"));
                };
                let Value::Storage(storage) = self.values[storage] else {
                    return Err(self.malformed("a tensor without a storage"));
                };
                Value::Tensor(TensorRef {
                    storage,
                    offset: self.count(offset)?,
                    shape: self.counts(shape)?,
                    strides: self.counts(strides)?,
                })
            }
            (Value::Global(Global::RebuildParameter), Value::Tuple(items)) => {
                match items.first().map(|first| &self.values[*first]) {
                    Some(tensor @ Value::Tensor(_)) => tensor.clone(),
                    _ => return Err(self.malformed("a parameter that is no tensor")),
                }
            }
            _ => return Err(self.malformed("a call that no state dict makes")),
        };
        self.push(value);
        Ok(())
    }

    /// `BUILD`: attributes of an object. A state dict has its version notes there, which say nothing about tensors.
    fn build(&mut self) -> Result<(), PickleError> {
        self.pop()?;
        let object = self.top()?;
        match &self.values[object] {
            Value::Dict(_) => Ok(()),
            _ => Err(self.malformed("attributes of what is not a dict")),
        }
    }

    fn text(&self, id: Id) -> Result<&'a str, PickleError> {
        match self.values[id] {
            Value::Text(text) => Ok(text),
            _ => Err(self.malformed("something else where a text belongs")),
        }
    }

    fn count(&self, id: Id) -> Result<usize, PickleError> {
        match self.values[id] {
            Value::Int(number) => {
                usize::try_from(number).map_err(|_| self.malformed("a negative count"))
            }
            _ => Err(self.malformed("something else where a count belongs")),
        }
    }

    fn counts(&self, id: Id) -> Result<Vec<usize>, PickleError> {
        match &self.values[id] {
            Value::Tuple(items) => items.iter().map(|item| self.count(*item)).collect(),
            _ => Err(self.malformed("something else where a shape belongs")),
        }
    }

    fn tuple<const SIZE: usize>(&self, id: Id) -> Result<[Id; SIZE], PickleError> {
        match &self.values[id] {
            Value::Tuple(items) => items.as_slice().try_into().ok(),
            _ => None,
        }
        .ok_or_else(|| self.malformed("a tuple of the wrong length"))
    }

    fn malformed(&self, what: &'static str) -> PickleError {
        self.cursor.malformed(what)
    }
}
