//! What there is to see of the pair: all of it follows from the inspector and from the token that is pointed at.

use leptos::prelude::*;
use weft_shared::{
    pair::Pair,
    sample::{AttentionMask, Fit, Part, Sample},
};

use super::desk::Desk;
use crate::{
    components::token_strip::Selected,
    state::{
        chip::{self, Chip},
        inspect::{Column, Inspector, Remark, chip_at, columns, remarks},
    },
    worker::{Refusal, Sampled, Steps},
};

/// Copies are of the same sight.
#[derive(Clone, Copy)]
pub(super) struct Sight {
    pub(super) pair: Memo<Pair>,
    pub(super) sampled: Memo<Sampled>,
    pub(super) sample: Memo<Option<Sample>>,
    pub(super) chips: Memo<Vec<Chip>>,
    pub(super) columns: Memo<Vec<Column>>,
    pub(super) remarks: Memo<Vec<Remark>>,
    /// How many tokens of the sample are not shown.
    pub(super) hidden: Memo<usize>,
    /// A chip's index: the one that is pointed at or walked to.
    pub(super) selected: Selected,
    /// The one to bring into view.
    pub(super) reached: RwSignal<Option<usize>>,
    pub(super) chosen: Memo<Option<Chip>>,
}

impl Sight {
    pub(super) fn of(desk: Desk) -> Self {
        let inspector = desk.inspector;
        let pair = Memo::new(move |_| inspector.with(|it| it.pair().clone()));
        let sampled = Memo::new(move |_| inspector.with(|it| it.sampled().clone()));
        let chips = Memo::new(move |_| sampled.with(chip::chips));
        let selected = RwSignal::new(None);
        Self {
            pair,
            sampled,
            sample: Memo::new(move |_| {
                sampled.with(|it| it.encoded().map(|encoded| encoded.sample.clone()))
            }),
            chips,
            columns: Memo::new(move |_| {
                let of_sample = |it: &Sampled| {
                    let encoded = it.encoded()?;
                    Some(chips.with(|chips| columns(chips, encoded)))
                };
                sampled.with(of_sample).unwrap_or_default()
            }),
            remarks: Memo::new(move |_| {
                let truncation = desk.encoding.options.with(|options| options.truncation);
                chips.with(|chips| sampled.with(|it| remarks(it, chips, truncation)))
            }),
            hidden: Memo::new(move |_| inspector.with(Inspector::hidden)),
            selected,
            reached: RwSignal::new(None),
            chosen: Memo::new(move |_| chips.with(|chips| chips.get(selected.get()?).cloned())),
        }
    }

    pub(super) fn has_tokens(self) -> Memo<bool> {
        Memo::new(move |_| {
            !self.chips.with(Vec::is_empty) && self.pair.with(|pair| *pair != Pair::default())
        })
    }

    pub(super) fn has_sample(self) -> Memo<bool> {
        let has_tokens = self.has_tokens();
        Memo::new(move |_| has_tokens.get() && self.sample.with(Option::is_some))
    }

    /// How long question and answer are, where that is known.
    pub(super) fn fits(self) -> Memo<Option<(Fit, Fit)>> {
        Memo::new(move |_| {
            self.sampled.with(|sampled| match sampled.outcome.as_ref()? {
                Ok(encoded) => Some((encoded.question, encoded.answer)),
                Err(Refusal::TooLong { question, answer }) => Some((*question, *answer)),
                Err(_) => None,
            })
        })
    }

    /// Whose text has the selected token, and where.
    pub(super) fn marked(self) -> Memo<Option<(Part, (usize, usize))>> {
        Memo::new(move |_| {
            self.chosen.with(|chip| chip.as_ref().and_then(|chip| Some((chip.origin, chip.span?))))
        })
    }

    /// The selected token's column.
    pub(super) fn chosen_column(self) -> Memo<Option<Column>> {
        Memo::new(move |_| {
            let chip = self.selected.get()?;
            self.columns.with(|columns| columns.iter().find(|it| it.chip == chip).cloned())
        })
    }

    /// The selected token's index in the sample.
    pub(super) fn place(self) -> Memo<Option<usize>> {
        Memo::new(move |_| self.chosen.with(|chip| chip.as_ref()?.place))
    }

    pub(super) fn mask(self) -> Memo<AttentionMask> {
        let none = AttentionMask { context_length: 0, length: 0 };
        Memo::new(move |_| {
            self.sample.with(|sample| sample.as_ref().map_or(none, Sample::attention_mask))
        })
    }

    /// Whether the selected token is the answer's.
    pub(super) fn is_in_answer(self) -> Memo<bool> {
        Memo::new(move |_| {
            self.chosen.with(|chip| chip.as_ref().is_some_and(|chip| chip.origin.is_learned()))
        })
    }

    /// How the text of the selected token's side became tokens.
    pub(super) fn steps(self) -> Memo<Steps> {
        let is_in_answer = self.is_in_answer();
        Memo::new(move |_| {
            self.sampled.with(|sampled| {
                let steps = if is_in_answer.get() {
                    &sampled.answer_steps
                } else {
                    &sampled.question_steps
                };
                steps.clone()
            })
        })
    }

    /// What the token at a place of the sample is called.
    pub(super) fn token_at(self, place: usize) -> String {
        let shown = self.columns.with(|it| it.get(place).map(|column| column.shown.clone()));
        shown.unwrap_or_else(|| format!("#{}", place + 1))
    }

    /// Selects a token and brings it into view.
    pub(super) fn reach(self, chip: usize) {
        self.selected.set(Some(chip));
        self.reached.set(Some(chip));
    }

    /// The caret moved to a byte of a text.
    pub(super) fn follow_caret(self, part: Part, at: usize) {
        if let Some(chip) = self.chips.with_untracked(|chips| chip_at(chips, part, at)) {
            self.reach(chip);
        }
    }

    /// Selects the token at a place of the sample.
    pub(super) fn point_at(self, place: usize) {
        let chip = self.columns.with_untracked(|it| it.get(place).map(|column| column.chip));
        if chip.is_some() {
            self.selected.set(chip);
        }
    }
}
