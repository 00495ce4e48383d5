//! What a person should notice about a sample.

use weft_shared::sample::{Fit, Part, Truncation};

use crate::{
    state::chip::{Chip, Kind},
    worker::{Refusal, Sampled},
};

/// Something to notice.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Remark {
    /// Only `<eop>` is learned.
    EmptyAnswer,
    /// The question lost tokens at its end, or at its front.
    QuestionCut {
        lost: usize,
        at_front: bool,
    },
    /// The answer lost tokens; at its end, `<eop>` is learned at the wrong place.
    AnswerCut {
        lost: usize,
        at_front: bool,
    },
    /// Text that the tokenizer takes for a special token.
    SpecialInText(String),
    /// There is no sample.
    Dropped {
        question_over: usize,
        answer_over: usize,
    },
    NoRoomForQuestion,
    NoRoomForAnswer,
    /// In the tokenizer's own words.
    Other(String),
}

impl Remark {
    /// Whether the pair gives no sample.
    pub fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::Dropped { .. } | Self::NoRoomForQuestion | Self::NoRoomForAnswer | Self::Other(_)
        )
    }
}

/// The remarks on a sample, the gravest first.
pub fn remarks(sampled: &Sampled, chips: &[Chip], truncation: Truncation) -> Vec<Remark> {
    let mut remarks = Vec::new();
    if let Some(refusal) = sampled.refusal() {
        remarks.push(match refusal {
            Refusal::NoRoomForQuestion => Remark::NoRoomForQuestion,
            Refusal::NoRoomForAnswer => Remark::NoRoomForAnswer,
            Refusal::TooLong { question, answer } => {
                Remark::Dropped { question_over: question.lost(), answer_over: answer.lost() }
            }
            Refusal::Other(reason) => Remark::Other(reason.clone()),
        });
    }
    if let Some(encoded) = sampled.encoded() {
        let at_front = truncation == Truncation::Front;
        let lost = |fit: Fit| Some(fit.lost()).filter(|lost| *lost > 0);
        remarks.extend(lost(encoded.answer).map(|lost| Remark::AnswerCut { lost, at_front }));
        remarks.extend(lost(encoded.question).map(|lost| Remark::QuestionCut { lost, at_front }));
        if sampled.pair.answer.is_empty() {
            remarks.push(Remark::EmptyAnswer);
        }
    }
    for chip in chips {
        let is_structure = matches!(chip.origin, Part::Opening | Part::End);
        let remark = Remark::SpecialInText(chip.piece.clone());
        if chip.kind == Kind::Special && !is_structure && !remarks.contains(&remark) {
            remarks.push(remark);
        }
    }
    remarks
}

#[cfg(test)]
mod tests {
    use weft_shared::{
        pair::Pair,
        sample::{Encoded, PositionIds, Sample, SourcedToken},
    };

    use super::*;
    use crate::state::chip::chips;

    #[test]
    fn a_cut_answer_is_told_first() {
        let sampled = sampled(Pair::new("q", "a"), 12, 13);

        let remarks = remarks(&sampled, &[], Truncation::Front);

        assert_eq!(
            remarks,
            [
                Remark::AnswerCut { lost: 3, at_front: true },
                Remark::QuestionCut { lost: 2, at_front: true }
            ]
        );
    }

    #[test]
    fn an_empty_answer_is_marked() {
        let sampled = sampled(Pair::new("q", ""), 1, 0);

        assert_eq!(remarks(&sampled, &[], Truncation::End), [Remark::EmptyAnswer]);
    }

    #[test]
    fn a_special_token_in_the_text_is_told_once() {
        let token = |part, start| SourcedToken {
            id: 7,
            piece: "<sop>".into(),
            start,
            end: start + 5,
            part,
            span: None,
            place: None,
        };
        let tokens =
            vec![token(Part::Question, 0), token(Part::Question, 5), token(Part::Opening, 10)];
        let text = "<sop>".repeat(3);
        let sampled = Sampled { text, tokens, ..sampled(Pair::new("q", "a"), 1, 1) };

        let remarks = remarks(&sampled, &chips(&sampled), Truncation::End);

        assert_eq!(remarks, [Remark::SpecialInText("<sop>".into())]);
    }

    #[test]
    fn a_dropped_pair_says_by_how_much() {
        let fit = |tokens| Fit { tokens, limit: 10 };
        let refusal = Refusal::TooLong { question: fit(12), answer: fit(3) };
        let outcome = Some(Err(refusal));
        let sampled = Sampled { outcome, ..Sampled::empty(1, Pair::new("q", "a")) };

        let remarks = remarks(&sampled, &[], Truncation::Drop);

        assert_eq!(remarks, [Remark::Dropped { question_over: 2, answer_over: 0 }]);
        assert!(remarks[0].is_refusal());
    }

    /// At most ten tokens of each.
    fn sampled(pair: Pair, question: usize, answer: usize) -> Sampled {
        let fit = |tokens| Fit { tokens, limit: 10 };
        let sample = Sample {
            input_ids: Vec::new(),
            labels: Vec::new(),
            position_ids: PositionIds::OneRow(Vec::new()),
            context_length: 0,
        };
        let encoded = Encoded { sample, question: fit(question), answer: fit(answer) };
        Sampled { outcome: Some(Ok(encoded)), ..Sampled::empty(1, pair) }
    }
}
