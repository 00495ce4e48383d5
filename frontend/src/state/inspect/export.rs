//! A sample to take along: as JSON, and as Python that makes its PyTorch tensors.

use std::fmt::Display;

use serde::Serialize;
use weft_shared::{
    pair::Pair,
    sample::{PositionIds, Sample},
};

/// What is copied as JSON.
#[derive(Serialize)]
struct Record<'a> {
    #[serde(flatten)]
    pair: &'a Pair,
    #[serde(flatten)]
    sample: &'a Sample,
}

/// Pair and sample in one object.
pub fn json(pair: &Pair, sample: &Sample) -> String {
    serde_json::to_string_pretty(&Record { pair, sample }).unwrap_or_default()
}

/// A list of numbers, as short as JSON allows.
pub fn json_list(numbers: &[impl Display]) -> String {
    let numbers: Vec<String> = numbers.iter().map(ToString::to_string).collect();
    format!("[{}]", numbers.join(","))
}

/// Rows of positions; also a single one is a row in a list.
pub fn json_rows(positions: &PositionIds) -> String {
    let rows: Vec<String> = positions.rows().iter().map(|row| json_list(row)).collect();
    format!("[{}]", rows.join(","))
}

/// A batch of one, as the published `modeling_chatglm.py` takes it.
pub fn python(sample: &Sample) -> String {
    let Sample { input_ids, labels, position_ids, context_length } = sample;
    let length = sample.len();
    let positions = match position_ids {
        PositionIds::OneRow(row) => json_list(row),
        PositionIds::TwoRows(_) => json_rows(position_ids),
    };
    format!(
        "import torch

input_ids = torch.tensor([{}])
labels = torch.tensor([{}])
position_ids = torch.tensor([{positions}])

# True where a token (row) must not see another (column).
attention_mask = torch.ones(1, 1, {length}, {length}).tril()
attention_mask[..., :{context_length}] = 1
attention_mask = attention_mask < 0.5
",
        json_list(input_ids),
        json_list(labels),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn python_makes_the_tensors() {
        let wanted = "import torch

input_ids = torch.tensor([[7,8,9]])
labels = torch.tensor([[-100,-100,9]])
position_ids = torch.tensor([[[0,1,2],[0,1,2]]])

# True where a token (row) must not see another (column).
attention_mask = torch.ones(1, 1, 3, 3).tril()
attention_mask[..., :1] = 1
attention_mask = attention_mask < 0.5
";

        assert_eq!(python(&sample()), wanted);
    }

    #[test]
    fn json_holds_pair_and_sample() {
        let json = json(&Pair::new("q", "a"), &sample());

        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(value["question"], "q");
        assert_eq!(value["input_ids"], serde_json::json!([7, 8, 9]));
        assert_eq!(value["position_ids"], serde_json::json!([[0, 1, 2], [0, 1, 2]]));
        assert_eq!(value["context_length"], 1);
    }

    #[test]
    fn one_row_of_positions_is_a_list_of_one() {
        assert_eq!(json_rows(&PositionIds::OneRow(vec![0, 1])), "[[0,1]]");
    }

    fn sample() -> Sample {
        Sample {
            input_ids: vec![7, 8, 9],
            labels: vec![-100, -100, 9],
            position_ids: PositionIds::TwoRows([vec![0, 1, 2], vec![0, 1, 2]]),
            context_length: 1,
        }
    }
}
