//! Some rows of the loss, on the calling thread. As in attention, logits are kept with rows side by
//! side, `[tokens, rows]`, so that each step works on all rows of a panel at once.
#![expect(clippy::inline_always, reason = "only inlined code is compiled for each instruction set")]

use std::ops::Range;

use crate::ops::gemm::{By, Matmul, Matrix, MatrixMut, PANEL, panel_of_rows};
use crate::ops::scratch::Scratch;
use crate::ops::simd::{self, exp, larger, versions};

/// Elements of the head that are read at once, and then again from the cache.
const CHUNK: usize = 32 * 1024;

/// A number for each row of a panel.
type Lanes = [f32; PANEL];

/// Rows that are read together.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    /// `[rows, model]`
    pub(super) hidden: Matrix<'a>,
    pub(super) targets: &'a [u32],
}

/// What a part of the vocabulary says of some rows.
#[derive(Default)]
pub(super) struct Part {
    panels: Vec<Panel>,
}

/// The same of `PANEL` rows.
struct Panel {
    largest: Lanes,
    /// Of the exponentials of logits less the largest.
    sums: Lanes,
    target_logits: Lanes,
    /// `[model, PANEL]`: rows of the head weighted by these exponentials; empty if not wanted.
    weighted: Vec<f32>,
}

/// Tokens of the head that are read at once.
fn tokens_at_once(head: Matrix) -> usize {
    (CHUNK / head.columns().max(1)).clamp(24, 128)
}

fn product(keep: f32, left: Matrix, right: Matrix, out: &mut [f32]) {
    let mut out = MatrixMut::new(out, left.rows(), right.columns());
    Matmul { keep, scale: 1.0, left, right }.run(&mut out, By::Caller, |_, _, _| {});
}

impl Rows<'_> {
    /// `hidden` as panels `[model, PANEL]`, one after another.
    fn panels(&self) -> Scratch {
        let (rows, model) = (self.hidden.rows(), self.hidden.columns());
        let mut panels = Scratch::take(rows.div_ceil(PANEL) * model * PANEL);
        for (first, panel) in (0..rows).step_by(PANEL).zip(panels.chunks_exact_mut(model * PANEL)) {
            panel_of_rows(self.hidden.rows_of(first, (first + PANEL).min(rows)), panel);
        }
        panels
    }

    /// Reads a part of the vocabulary.
    pub(super) fn read(&self, head: Matrix, tokens: Range<usize>, weigh: bool) -> Part {
        let model = head.columns();
        let hidden = self.panels();
        let mut panels: Vec<Panel> = (0..self.hidden.rows().div_ceil(PANEL))
            .map(|_| Panel::new(if weigh { model * PANEL } else { 0 }))
            .collect();
        let at_once = tokens_at_once(head);
        let mut logits = Scratch::take(at_once * PANEL);
        for start in tokens.clone().step_by(at_once) {
            let end = (start + at_once).min(tokens.end);
            let head = head.rows_of(start, end);
            let logits = &mut logits[..(end - start) * PANEL];
            let targets = self.targets.chunks(PANEL);
            let hidden = hidden.chunks_exact(model * PANEL);
            for ((panel, hidden), targets) in panels.iter_mut().zip(hidden).zip(targets) {
                product(0.0, head, Matrix::new(hidden, model, PANEL), logits);
                for (lane, &target) in targets.iter().enumerate() {
                    if (start..end).contains(&(target as usize)) {
                        let token = target as usize - start;
                        panel.target_logits[lane] = logits[token * PANEL + lane];
                    }
                }
                panel.add(logits);
                if weigh {
                    let weights = Matrix::new(logits, end - start, PANEL);
                    product(1.0, head.transposed(), weights, &mut panel.weighted);
                }
            }
        }
        Part { panels }
    }

    /// Writes the gradient of the head's rows `tokens`.
    pub(super) fn head_gradient(
        &self,
        head: Matrix,
        tokens: Range<usize>,
        log_sums: &[f32],
        to: &mut MatrixMut,
    ) {
        let (rows, model) = (self.hidden.rows(), head.columns());
        let hidden = self.panels();
        let at_once = tokens_at_once(head);
        let mut logits = Scratch::take(at_once * PANEL);
        for start in tokens.clone().step_by(at_once) {
            let end = (start + at_once).min(tokens.end);
            let logits = &mut logits[..(end - start) * PANEL];
            let mut to = to.rows_of(start - tokens.start, end - tokens.start);
            let panels = hidden.chunks_exact(model * PANEL);
            for (first, panel) in (0..rows).step_by(PANEL).zip(panels) {
                let last = (first + PANEL).min(rows);
                product(0.0, head.rows_of(start, end), Matrix::new(panel, model, PANEL), logits);
                let lanes = std::array::from_fn(|i| log_sums[(first + i).min(last - 1)]);
                weights(logits, &lanes, 1.0 / rows as f32);
                for (lane, &target) in self.targets[first..last].iter().enumerate() {
                    if (start..end).contains(&(target as usize)) {
                        logits[(target as usize - start) * PANEL + lane] -= 1.0 / rows as f32;
                    }
                }
                let keep = if first == 0 { 0.0 } else { 1.0 };
                let left = Matrix::strided(logits, end - start, last - first, PANEL);
                let right = self.hidden.rows_of(first, last);
                Matmul { keep, scale: 1.0, left, right }.run(&mut to, By::Caller, |_, _, _| {});
            }
        }
    }
}

impl Panel {
    fn new(weighted: usize) -> Self {
        Self {
            largest: [f32::NEG_INFINITY; PANEL],
            sums: [0.0; PANEL],
            target_logits: [0.0; PANEL],
            weighted: vec![0.0; weighted],
        }
    }

    /// Adds logits `[tokens, PANEL]`, which become their exponentials less the largest so far.
    fn add(&mut self, logits: &mut [f32]) {
        let mut factors = [1.0; PANEL];
        exponentials(logits, &mut self.largest, &mut self.sums, &mut factors);
        if factors.iter().any(|&factor| factor < 1.0) {
            scale_lanes(&mut self.weighted, &factors);
        }
    }

    /// Makes `largest` the largest, which must not be less than before.
    fn raise(&mut self, largest: &Lanes) {
        let factors = std::array::from_fn(|lane| exp(self.largest[lane] - largest[lane]));
        for (sum, factor) in self.sums.iter_mut().zip(factors) {
            *sum *= factor;
        }
        scale_lanes(&mut self.weighted, &factors);
        self.largest = *largest;
    }
}

impl Part {
    /// What all parts of a vocabulary say together.
    pub(super) fn join(parts: Vec<Part>) -> Self {
        let mut parts = parts.into_iter();
        let mut whole = parts.next().unwrap_or_default();
        for part in parts {
            for (panel, mut other) in whole.panels.iter_mut().zip(part.panels) {
                let largest =
                    std::array::from_fn(|lane| larger(panel.largest[lane], other.largest[lane]));
                panel.raise(&largest);
                other.raise(&largest);
                simd::add(&mut panel.sums, &other.sums);
                simd::add(&mut panel.weighted, &other.weighted);
                // Only the part that holds the target has its logit.
                simd::add(&mut panel.target_logits, &other.target_logits);
            }
        }
        whole
    }

    pub(super) fn log_sum(&self, row: usize) -> f32 {
        let panel = &self.panels[row / PANEL];
        panel.largest[row % PANEL] + panel.sums[row % PANEL].ln()
    }

    pub(super) fn target_logit(&self, row: usize) -> f32 {
        self.panels[row / PANEL].target_logits[row % PANEL]
    }

    /// Writes the gradient `[rows, model]` of the mean loss over `count` rows.
    pub(super) fn gradient(&self, head: Matrix, targets: &[u32], count: f32, to: &mut MatrixMut) {
        for (row, &target) in targets.iter().enumerate() {
            let (panel, lane) = (&self.panels[row / PANEL], row % PANEL);
            let share = 1.0 / (panel.sums[lane] * count);
            let weighted = panel.weighted.iter().skip(lane).step_by(PANEL);
            let head = head.row(target as usize);
            for ((to, weighted), head) in to.row_mut(row).iter_mut().zip(weighted).zip(head) {
                *to = weighted * share - head / count;
            }
        }
    }
}

versions! {
    fn exponentials(
        logits: &mut [f32],
        largest: &mut Lanes,
        sums: &mut Lanes,
        factors: &mut Lanes,
    ) = exponentials_lanes
}

/// Turns logits into exponentials; `factors` is what earlier ones must be multiplied by.
#[inline(always)]
fn exponentials_lanes(
    logits: &mut [f32],
    largest: &mut Lanes,
    sums: &mut Lanes,
    factors: &mut Lanes,
) {
    let (rows, _) = logits.as_chunks_mut::<PANEL>();
    let mut most = *largest;
    for row in rows.iter() {
        for lane in 0..PANEL {
            most[lane] = larger(row[lane], most[lane]);
        }
    }
    let mut sum = [0.0f32; PANEL];
    for row in rows.iter_mut() {
        for lane in 0..PANEL {
            row[lane] = exp(row[lane] - most[lane]);
            sum[lane] += row[lane];
        }
    }
    for lane in 0..PANEL {
        factors[lane] = exp(largest[lane] - most[lane]);
        sums[lane] = sums[lane].mul_add(factors[lane], sum[lane]);
    }
    *largest = most;
}

versions! {
    fn scale_lanes(rows: &mut [f32], factors: &Lanes) = scale_lanes_body
}

/// Multiplies each column of rows of lanes.
#[inline(always)]
fn scale_lanes_body(rows: &mut [f32], factors: &Lanes) {
    let (rows, _) = rows.as_chunks_mut::<PANEL>();
    for row in rows {
        for lane in 0..PANEL {
            row[lane] *= factors[lane];
        }
    }
}

versions! {
    fn weights(logits: &mut [f32], log_sums: &Lanes, share: f32) = weights_lanes
}

/// Turns logits into `share` times their softmax.
#[inline(always)]
fn weights_lanes(logits: &mut [f32], log_sums: &Lanes, share: f32) {
    let (rows, _) = logits.as_chunks_mut::<PANEL>();
    for row in rows {
        for lane in 0..PANEL {
            row[lane] = share * exp(row[lane] - log_sums[lane]);
        }
    }
}
