//! The facts as a text to read.

use std::fmt::{Display, Formatter, Result};

use super::{Ids, ModelFacts};

impl Display for ModelFacts {
    fn fmt(&self, f: &mut Formatter) -> Result {
        writeln!(f, "{}\n", self.modules)?;
        writeln!(f, "revision     {}", self.revision)?;
        let positions = if self.position_encoding_2d { "2-D positions" } else { "1-D positions" };
        let most = grouped(self.max_sequence_length as u64);
        writeln!(f, "sequences    up to {most} tokens, {positions}")?;
        writeln!(f, "special ids  {}", self.special_ids)?;
        writeln!(f, "parameters   {}", grouped(self.parameters))?;
        let lora = &self.lora;
        writeln!(
            f,
            "with LoRA    trainable {} of {}, {:.4} % (r {} on {})",
            grouped(lora.trainable),
            grouped(lora.total),
            lora.percent,
            lora.r,
            lora.target_modules.join(", ")
        )?;
        writeln!(f, "embedding    {}", self.embedding)?;
        match &self.tokenizer {
            None => writeln!(f, "tokenizer    not in this folder")?,
            Some(tokenizer) => {
                writeln!(f, "tokenizer    {} tokens", grouped(tokenizer.tokens as u64))?;
                if tokenizer.special_ids != self.special_ids {
                    writeln!(f, "             with other ids: {}", tokenizer.special_ids)?;
                }
            }
        }
        match &self.weights {
            None => writeln!(f, "weights      none in this folder")?,
            Some(weights) => {
                writeln!(
                    f,
                    "weights      {} in {}, {}",
                    weights.form,
                    weights.dtypes.join(" and "),
                    bytes(weights.size_bytes)
                )?;
                for file in &weights.files {
                    writeln!(f, "             {file}")?;
                }
                for tensor in &weights.unusable {
                    writeln!(f, "             {tensor}")?;
                }
            }
        }
        self.problems.iter().try_for_each(|problem| writeln!(f, "problem      {problem}"))
    }
}

impl Display for Ids {
    fn fmt(&self, f: &mut Formatter) -> Result {
        let Self { mask, gmask, sop, eop, pad } = self;
        write!(f, "[MASK] {mask}, [gMASK] {gmask}, <sop> {sop}, <eop> {eop}, <pad> {pad}")
    }
}

/// `6,258,876,416`.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn bytes(size: u64) -> String {
    match size {
        0..1_000_000 => format!("{} bytes", grouped(size)),
        1_000_000..1_000_000_000 => format!("{:.1} MB", size as f64 / 1e6),
        _ => format!("{:.1} GB", size as f64 / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_three() {
        assert_eq!(
            [0, 999, 1000, 6_258_876_416].map(grouped),
            ["0", "999", "1,000", "6,258,876,416"]
        );
    }

    #[test]
    fn sizes_are_in_fitting_units() {
        assert_eq!([12, 4_800_000, 13_744_473_856].map(bytes), ["12 bytes", "4.8 MB", "13.7 GB"]);
    }
}
