//! The pickle of a state dict of f16 tensors, as `torch.save` writes it.

/// What Python's unpickler is told to do; of protocol 2.
const PROTOCOL_2: &[u8] = b"\x80\x02";
const MARK: u8 = b'(';
const TUPLE: u8 = b't';
const REDUCE: u8 = b'R';
const FALSE: u8 = b'\x89';
const PERSISTENT_ID: u8 = b'Q';
const SET_ITEMS: u8 = b'u';
const STOP: u8 = b'.';
/// `OrderedDict()`
const ORDERED_DICT: &[u8] = b"ccollections\nOrderedDict\n)R";
const REBUILD: &[u8] = b"ctorch._utils\n_rebuild_tensor_v2\n";
const HALF_STORAGE: &[u8] = b"ctorch\nHalfStorage\n";

/// Of tensors by name and shape, each with a storage of its own, whose key is its number.
pub(super) fn pickle(tensors: &[(String, Vec<usize>)]) -> Vec<u8> {
    let mut program = Program(PROTOCOL_2.to_vec());
    program.push(ORDERED_DICT);
    program.op(MARK);
    for (key, (name, shape)) in tensors.iter().enumerate() {
        program.text(name);
        program.push(REBUILD);
        program.op(MARK);
        program.storage(key, shape.iter().product());
        program.integer(0);
        program.tuple(shape.iter().copied());
        program.tuple((0..shape.len()).map(|axis| shape[axis + 1..].iter().product()));
        program.op(FALSE);
        program.push(ORDERED_DICT);
        program.op(TUPLE);
        program.op(REDUCE);
    }
    program.op(SET_ITEMS);
    program.op(STOP);
    program.0
}

struct Program(Vec<u8>);

impl Program {
    fn push(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn op(&mut self, op: u8) {
        self.0.push(op);
    }

    fn text(&mut self, text: &str) {
        self.op(b'X');
        self.push(&(text.len() as u32).to_le_bytes());
        self.push(text.as_bytes());
    }

    /// In four bytes where they are enough, else in eight.
    fn integer(&mut self, number: usize) {
        if let Ok(number) = i32::try_from(number) {
            self.op(b'J');
            self.push(&number.to_le_bytes());
        } else {
            self.push(b"\x8a\x08");
            self.push(&(number as i64).to_le_bytes());
        }
    }

    fn tuple(&mut self, numbers: impl Iterator<Item = usize>) {
        self.op(MARK);
        numbers.for_each(|number| self.integer(number));
        self.op(TUPLE);
    }

    /// `("storage", torch.HalfStorage, KEY, "cpu", COUNT)`
    fn storage(&mut self, key: usize, count: usize) {
        self.op(MARK);
        self.text("storage");
        self.push(HALF_STORAGE);
        self.text(&key.to_string());
        self.text("cpu");
        self.integer(count);
        self.op(TUPLE);
        self.op(PERSISTENT_ID);
    }
}
