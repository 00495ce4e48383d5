//! Reading a pickle's bytes from front to back.

use super::PickleError;

pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, offset: 0 }
    }

    pub(super) fn offset(&self) -> usize {
        self.offset
    }

    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], PickleError> {
        let truncated = PickleError::Truncated { offset: self.bytes.len() };
        let end = self.offset.checked_add(count).ok_or(truncated.clone())?;
        let taken = self.bytes.get(self.offset..end).ok_or(truncated)?;
        self.offset = end;
        Ok(taken)
    }

    pub(super) fn array<const SIZE: usize>(&mut self) -> Result<[u8; SIZE], PickleError> {
        let mut array = [0; SIZE];
        array.copy_from_slice(self.take(SIZE)?);
        Ok(array)
    }

    pub(super) fn byte(&mut self) -> Result<u8, PickleError> {
        self.array().map(u8::from_le_bytes)
    }

    pub(super) fn u16(&mut self) -> Result<u16, PickleError> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, PickleError> {
        self.array().map(u32::from_le_bytes)
    }

    /// A length of eight bytes.
    pub(super) fn length(&mut self) -> Result<usize, PickleError> {
        let length = self.array().map(u64::from_le_bytes)?;
        usize::try_from(length).map_err(|_| self.malformed("a length larger than memory"))
    }

    pub(super) fn text(&mut self, length: usize) -> Result<&'a str, PickleError> {
        let bytes = self.take(length)?;
        std::str::from_utf8(bytes).map_err(|_| self.malformed("a text that is not UTF-8"))
    }

    /// The bytes up to the next line feed, which is taken too.
    pub(super) fn line(&mut self) -> Result<&'a str, PickleError> {
        let rest = &self.bytes[self.offset..];
        let length = rest
            .iter()
            .position(|&byte| byte == b'\n')
            .ok_or(PickleError::Truncated { offset: self.bytes.len() })?;
        let line = self.text(length)?;
        self.offset += 1;
        Ok(line)
    }

    /// A whole number in as few little-endian bytes as it needs, its sign in the highest bit.
    pub(super) fn long(&mut self, length: usize) -> Result<i64, PickleError> {
        let bytes = self.take(length)?;
        if length > 8 {
            return Err(self.malformed("a whole number of more than 64 bits"));
        }
        let negative = bytes.last().is_some_and(|&highest| highest >= 0x80);
        let mut number = if negative { [0xff; 8] } else { [0; 8] };
        number[..length].copy_from_slice(bytes);
        Ok(i64::from_le_bytes(number))
    }

    pub(super) fn malformed(&self, what: &'static str) -> PickleError {
        PickleError::Malformed { offset: self.offset, what }
    }
}
