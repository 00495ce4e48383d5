//! A fingerprint of an encoded dataset: equal in browser and server exactly when they would train on the same numbers.
//!
//! SHA-256 over the bytes `weft samples 1\n` and then, for each sample in order, all numbers little-endian:
//!
//! | what                          | type                  |
//! | ----------------------------- | --------------------- |
//! | number of tokens, `n`         | `u32`                 |
//! | `input_ids`                   | `n` times `u32`       |
//! | `labels`                      | `n` times `i64`       |
//! | number of position rows       | `u32`                 |
//! | `position_ids`, row by row    | rows times `n` times `u32` |
//!
//! The attention mask follows from `input_ids` and needs no bytes of its own.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::Sample;

/// Names the layout; another layout gets another number.
const HEADER: &[u8] = b"weft samples 1\n";

/// The fingerprint; shown, and written in JSON, as 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DatasetDigest([u8; 32]);

impl DatasetDigest {
    pub fn of<'a>(samples: impl IntoIterator<Item = &'a Sample>) -> Self {
        let mut builder = DigestBuilder::default();
        for sample in samples {
            builder.add(sample);
        }
        builder.finish()
    }
}

/// Takes samples one by one.
#[derive(Clone, Debug)]
pub struct DigestBuilder(Sha256);

impl Default for DigestBuilder {
    fn default() -> Self {
        Self(Sha256::new_with_prefix(HEADER))
    }
}

impl DigestBuilder {
    pub fn add(&mut self, sample: &Sample) {
        let rows = sample.position_ids.rows();
        self.0.update((sample.len() as u32).to_le_bytes());
        self.add_all(&sample.input_ids);
        for label in &sample.labels {
            self.0.update(label.to_le_bytes());
        }
        self.0.update((rows.len() as u32).to_le_bytes());
        for row in rows {
            self.add_all(row);
        }
    }

    pub fn finish(self) -> DatasetDigest {
        DatasetDigest(self.0.finalize().into())
    }

    fn add_all(&mut self, numbers: &[u32]) {
        for number in numbers {
            self.0.update(number.to_le_bytes());
        }
    }
}

impl fmt::Display for DatasetDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A text that is not 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a dataset digest has 64 hexadecimal digits")]
pub struct NotADigest;

impl FromStr for DatasetDigest {
    type Err = NotADigest;

    fn from_str(text: &str) -> Result<Self, NotADigest> {
        if text.len() != 64 || !text.is_ascii() {
            return Err(NotADigest);
        }
        let mut bytes = [0; 32];
        for (n, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * n..2 * n + 2], 16).map_err(|_| NotADigest)?;
        }
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for DatasetDigest {
    type Error = NotADigest;

    fn try_from(text: String) -> Result<Self, NotADigest> {
        text.parse()
    }
}

impl From<DatasetDigest> for String {
    fn from(digest: DatasetDigest) -> Self {
        digest.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::PositionIds;

    /// `hashlib.sha256(b"weft samples 1\n" + struct.pack("<I2I2qI4I", 2, 7, 9, -100, 9, 2, 0, 1, 0, 1)).hexdigest()`
    #[test]
    fn the_layout_is_the_documented_one() {
        let digest = DatasetDigest::of(&[sample()]);

        assert_eq!(
            digest.to_string(),
            "582485fcddf8df457ffa9622d7ae14d385f0aee7b92ab69124465dcf59e5bfd9"
        );
    }

    #[test]
    fn every_number_counts() {
        let changes: [fn(&mut Sample); 4] = [
            |sample| sample.input_ids[0] = 8,
            |sample| sample.labels[0] = 7,
            |sample| sample.position_ids = PositionIds::TwoRows([vec![0, 1], vec![0, 2]]),
            |sample| sample.position_ids = PositionIds::OneRow(vec![0, 1]),
        ];
        for change in changes {
            let mut other = sample();
            change(&mut other);

            assert_ne!(DatasetDigest::of(&[other]), DatasetDigest::of(&[sample()]));
        }
    }

    #[test]
    fn order_and_number_count() {
        let [mut first, second] = [sample(), sample()];
        first.input_ids[0] = 8;

        assert_ne!(DatasetDigest::of([&first, &second]), DatasetDigest::of([&second, &first]));
        assert_ne!(DatasetDigest::of([&second]), DatasetDigest::of([&second, &second]));
        assert_ne!(DatasetDigest::of([]), DatasetDigest::of([&second]));
    }

    #[test]
    fn hexadecimal_reads_back() {
        let digest = DatasetDigest::of(&[sample()]);

        assert_eq!(digest.to_string().parse(), Ok(digest));
        assert_eq!("0g".repeat(32).parse::<DatasetDigest>(), Err(NotADigest));
        assert_eq!("é".repeat(32).parse::<DatasetDigest>(), Err(NotADigest));
    }

    fn sample() -> Sample {
        Sample {
            input_ids: vec![7, 9],
            labels: vec![-100, 9],
            position_ids: PositionIds::TwoRows([vec![0, 1], vec![0, 1]]),
            context_length: 1,
        }
    }
}
