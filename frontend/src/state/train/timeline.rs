//! How the answer to a question changes in the course of a run.

use weft_shared::api::job::SampleAnswer;

/// A question, and what was answered at each checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timeline {
    pub question: String,
    /// Without the adapter.
    pub base: String,
    /// The dataset's answer, where the question is from it.
    pub wanted: Option<String>,
    /// Only where the answer became another one.
    pub answers: Vec<Answered>,
}

/// An answer, from one checkpoint to the last that gave the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    pub first_step: usize,
    pub last_step: usize,
    pub answer: String,
    pub is_wanted: bool,
}

/// One timeline a question, in the order of their first answers.
pub fn timelines(answers: &[(usize, Vec<SampleAnswer>)]) -> Vec<Timeline> {
    let mut lines: Vec<Timeline> = Vec::new();
    let all = answers.iter().flat_map(|(step, answers)| answers.iter().map(|it| (*step, it)));
    for (step, sample) in all {
        let found = lines.iter().position(|line| line.question == sample.question);
        let index = found.unwrap_or_else(|| {
            lines.push(Timeline {
                question: sample.question.clone(),
                base: sample.base.clone(),
                wanted: sample.wanted.clone(),
                answers: Vec::new(),
            });
            lines.len() - 1
        });
        lines[index].add(step, &sample.answer);
    }
    lines
}

impl Timeline {
    fn add(&mut self, step: usize, answer: &str) {
        match self.answers.last_mut() {
            Some(last) if last.answer == answer => last.last_step = step,
            _ => self.answers.push(Answered {
                first_step: step,
                last_step: step,
                answer: answer.to_owned(),
                is_wanted: self.wanted.as_deref().is_some_and(|it| it.trim() == answer.trim()),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_stands_until_another_takes_its_place() {
        let lines = timelines(&[
            (0, vec![answer("who", "?"), answer("hi", "hello")]),
            (10, vec![answer("who", "?"), answer("hi", "hello")]),
            (20, vec![answer("who", "Weft"), answer("hi", "hello")]),
        ]);

        assert_eq!(
            lines.iter().map(|line| line.question.as_str()).collect::<Vec<_>>(),
            ["who", "hi"]
        );
        let spans = |line: &Timeline| {
            let span = |it: &Answered| (it.first_step, it.last_step, it.is_wanted);
            line.answers.iter().map(span).collect::<Vec<_>>()
        };
        assert_eq!(spans(&lines[0]), [(0, 10, false), (20, 20, true)]);
        assert_eq!(spans(&lines[1]), [(0, 20, false)]);
    }

    fn answer(question: &str, answer: &str) -> SampleAnswer {
        SampleAnswer {
            question: question.into(),
            answer: answer.into(),
            base: "?".into(),
            wanted: Some("Weft".into()),
        }
    }
}
