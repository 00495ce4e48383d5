//! The part of the Protocol Buffers wire format that a SentencePiece file uses.
//!
//! Every length and varint is checked; nothing here knows what the fields mean.

use super::TokenizerError;

/// A field's number and what it holds.
pub(super) type Field<'a> = (u32, Value<'a>);

/// What a field holds, by wire type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Value<'a> {
    Varint(u64),
    Fixed64(u64),
    Bytes(&'a [u8]),
    Fixed32(u32),
}

impl<'a> Value<'a> {
    pub(super) fn bytes(self) -> Option<&'a [u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    pub(super) fn text(self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }

    pub(super) fn float(self) -> Option<f32> {
        match self {
            Self::Fixed32(bits) => Some(f32::from_bits(bits)),
            _ => None,
        }
    }

    pub(super) fn varint(self) -> Option<u64> {
        match self {
            Self::Varint(value) => Some(value),
            _ => None,
        }
    }

    pub(super) fn flag(self) -> Option<bool> {
        self.varint().map(|value| value != 0)
    }

    /// The wire type in words, for errors.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Varint(_) => "a varint",
            Self::Fixed64(_) => "a 64-bit field",
            Self::Bytes(_) => "a length-delimited field",
            Self::Fixed32(_) => "a 32-bit field",
        }
    }
}

/// Reads the fields of one message, in file order.
pub(super) struct Fields<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Where the message starts in the file, so that errors name file positions.
    start: usize,
}

impl<'a> Fields<'a> {
    /// The fields of `bytes`, which start at byte `start` of the file.
    pub(super) fn new(bytes: &'a [u8], start: usize) -> Self {
        Self { bytes, at: 0, start }
    }

    /// Position in the file of the next byte to read.
    pub(super) fn position(&self) -> usize {
        self.start + self.at
    }

    /// The next field, or none at the end of the message.
    pub(super) fn next(&mut self) -> Result<Option<Field<'a>>, TokenizerError> {
        if self.at == self.bytes.len() {
            return Ok(None);
        }
        let at = self.position();
        let key = self.varint()?;
        let value = match key & 7 {
            0 => Value::Varint(self.varint()?),
            1 => Value::Fixed64(u64::from_le_bytes(self.array("8 bytes")?)),
            2 => {
                let length = self.varint()?;
                Value::Bytes(self.take(length, "the bytes of a field")?)
            }
            5 => Value::Fixed32(u32::from_le_bytes(self.array("4 bytes")?)),
            other => {
                return Err(damaged("wire type 0, 1, 2 or 5", at, format!("wire type {other}")));
            }
        };
        match u32::try_from(key >> 3) {
            Ok(number) if number > 0 => Ok(Some((number, value))),
            _ => Err(damaged("a field number", at, format!("{}", key >> 3))),
        }
    }

    fn varint(&mut self) -> Result<u64, TokenizerError> {
        let at = self.position();
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let Some(&byte) = self.bytes.get(self.at) else {
                return Err(damaged("the rest of a varint", self.position(), "the end".into()));
            };
            self.at += 1;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(damaged("a varint of at most 10 bytes", at, "a longer one".into()))
    }

    fn take(&mut self, length: u64, wanted: &'static str) -> Result<&'a [u8], TokenizerError> {
        let rest = &self.bytes[self.at..];
        let taken = usize::try_from(length).ok().and_then(|length| rest.get(..length));
        let Some(taken) = taken else {
            let found = format!("{} of {length} bytes", rest.len());
            return Err(damaged(wanted, self.position(), found));
        };
        self.at += taken.len();
        Ok(taken)
    }

    fn array<const N: usize>(&mut self, wanted: &'static str) -> Result<[u8; N], TokenizerError> {
        let at = self.position();
        let taken = self.take(N as u64, wanted)?;
        taken.try_into().map_err(|_| damaged(wanted, at, format!("{} bytes", taken.len())))
    }
}

fn damaged(wanted: &'static str, at: usize, found: String) -> TokenizerError {
    TokenizerError::Damaged { wanted, at, found }
}

/// Appends a varint field.
pub(super) fn put_varint(out: &mut Vec<u8>, number: u32, value: u64) {
    raw_varint(out, u64::from(number) << 3);
    raw_varint(out, value);
}

/// Appends a length-delimited field.
pub(super) fn put_bytes(out: &mut Vec<u8>, number: u32, bytes: &[u8]) {
    raw_varint(out, u64::from(number) << 3 | 2);
    raw_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Appends a 32-bit float field.
pub(super) fn put_float(out: &mut Vec<u8>, number: u32, value: f32) {
    raw_varint(out, u64::from(number) << 3 | 5);
    out.extend_from_slice(&value.to_le_bytes());
}

fn raw_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_is_read_back() {
        let mut message = Vec::new();
        put_bytes(&mut message, 1, "问".as_bytes());
        put_float(&mut message, 2, -2.5);
        put_varint(&mut message, 400, u64::MAX);

        let mut fields = Fields::new(&message, 0);
        assert_eq!(fields.next(), Ok(Some((1, Value::Bytes("问".as_bytes())))));
        assert_eq!(fields.next(), Ok(Some((2, Value::Fixed32((-2.5_f32).to_bits())))));
        assert_eq!(fields.next(), Ok(Some((400, Value::Varint(u64::MAX)))));
        assert_eq!(fields.next(), Ok(None));
    }

    #[test]
    fn a_length_past_the_end_is_named() {
        let error = Fields::new(&[0x0a, 200, 1, b'x'], 10).next().unwrap_err();

        assert_eq!(
            error.to_string(),
            "damaged tokenizer: wanted the bytes of a field at byte 13, found 1 of 200 bytes"
        );
    }

    #[test]
    fn a_varint_ends() {
        let error = Fields::new(&[0xff; 11], 0).next().unwrap_err();

        assert_eq!(
            error.to_string(),
            "damaged tokenizer: wanted a varint of at most 10 bytes at byte 0, found a longer one"
        );
    }
}
