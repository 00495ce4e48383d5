//! What travels on a connection: a kind, a length, and that many bytes. Numbers are little-endian.

use std::io::{self, Read, Write};

/// What a frame holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A process that says who it is.
    Hello,
    /// The answer to it, or to whatever else needs none: go on.
    Done,
    /// f64s that are summed.
    Numbers,
    /// f32s that are summed.
    Floats,
    /// A value that all must have, or that rank 0 gives to all.
    Text,
    /// Why the run is over.
    Failure,
}

const KINDS: [Kind; 6] =
    [Kind::Hello, Kind::Done, Kind::Numbers, Kind::Floats, Kind::Text, Kind::Failure];

/// Bytes of a [`Kind::Text`] or [`Kind::Failure`] at most: nobody makes this process take more memory than that.
const LONGEST_TEXT: usize = 1 << 20;

/// The first bytes of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub kind: Kind,
    pub len: usize,
}

impl Header {
    pub(super) const LEN: usize = 9;

    fn bytes(self) -> [u8; Self::LEN] {
        let mut bytes = [self.kind as u8; Self::LEN];
        bytes[1..].copy_from_slice(&(self.len as u64).to_le_bytes());
        bytes
    }

    pub(super) fn read(mut from: impl Read) -> io::Result<Self> {
        let mut bytes = [0; Self::LEN];
        from.read_exact(&mut bytes)?;
        let [kind, len @ ..] = bytes;
        let strange = || io::Error::new(io::ErrorKind::InvalidData, "what it sent is no frame");
        let kind = *KINDS.get(usize::from(kind)).ok_or_else(strange)?;
        let len = usize::try_from(u64::from_le_bytes(len)).map_err(|_| strange())?;
        Ok(Self { kind, len })
    }

    /// Whether the rest may be read without knowing how much was due.
    pub(super) fn is_text(self) -> bool {
        matches!(self.kind, Kind::Text | Kind::Failure) && self.len <= LONGEST_TEXT
    }
}

impl std::fmt::Display for Header {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes of {:?}", self.len, self.kind)
    }
}

pub(super) fn write(mut to: impl Write, kind: Kind, payload: &[u8]) -> io::Result<()> {
    to.write_all(&Header { kind, len: payload.len() }.bytes())?;
    to.write_all(payload)?;
    to.flush()
}

/// The bytes that follow a header.
pub(super) fn payload(mut from: impl Read, len: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; len];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Numbers that can be sent and summed.
pub(super) trait Summed: Copy + std::ops::AddAssign {
    const KIND: Kind;
    const LEN: usize;
    fn put(self, into: &mut Vec<u8>);
    fn take(from: &[u8]) -> Self;
}

macro_rules! summed {
    ($number:ty, $kind:expr) => {
        impl Summed for $number {
            const KIND: Kind = $kind;
            const LEN: usize = size_of::<$number>();

            fn put(self, into: &mut Vec<u8>) {
                into.extend_from_slice(&self.to_le_bytes());
            }

            fn take(from: &[u8]) -> Self {
                let mut bytes = [0; Self::LEN];
                bytes.copy_from_slice(from);
                Self::from_le_bytes(bytes)
            }
        }
    };
}

summed!(f64, Kind::Numbers);
summed!(f32, Kind::Floats);

pub(super) fn to_bytes<T: Summed>(numbers: &[T]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(numbers.len() * T::LEN);
    for number in numbers {
        number.put(&mut bytes);
    }
    bytes
}

pub(super) fn from_bytes<T: Summed>(bytes: &[u8]) -> impl Iterator<Item = T> {
    bytes.chunks_exact(T::LEN).map(T::take)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_read_as_it_was_written() {
        let numbers = [1.5, f64::NAN, -0.0];
        let mut sent = Vec::new();
        write(&mut sent, Kind::Numbers, &to_bytes(&numbers)).unwrap();

        let mut rest = sent.as_slice();
        let header = Header::read(&mut rest).unwrap();
        assert_eq!(header, Header { kind: Kind::Numbers, len: 24 });
        let read: Vec<f64> = from_bytes(&payload(&mut rest, header.len).unwrap()).collect();

        assert_eq!(read.map_bits(), numbers.to_vec().map_bits());
        assert!(rest.is_empty());
    }

    #[test]
    fn what_is_no_frame_is_refused() {
        assert!(Header::read(b"GET / HTTP/1.1\r\n".as_slice()).is_err());
        assert!(Header::read(b"\x02\x01".as_slice()).is_err());
        assert!(!Header { kind: Kind::Failure, len: LONGEST_TEXT + 1 }.is_text());
    }

    trait MapBits {
        fn map_bits(self) -> Vec<u64>;
    }

    impl MapBits for Vec<f64> {
        fn map_bits(self) -> Vec<u64> {
            self.into_iter().map(f64::to_bits).collect()
        }
    }
}
