//! Attention of one head of one sequence, on the calling thread.
//!
//! Scores are kept with the queries of a tile side by side, `[keys, queries]`: each step of the
//! softmax then works on all queries at once, and no product needs a transposed copy.
#![expect(clippy::inline_always, reason = "only inlined code is compiled for each instruction set")]

use std::ops::Range;

use crate::ops::attention::MaskRow;
use crate::ops::gemm::{By, Matmul, Matrix, MatrixMut, PANEL, matmul, panel_of_rows};
use crate::ops::scratch::Scratch;
use crate::ops::simd::{self, exp, larger, versions};

/// What one head attends with. Query i stands at position `past + i` of the keys.
#[derive(Clone, Copy)]
pub(super) struct Head<'a> {
    /// `[queries, head]`
    pub(super) query: Matrix<'a>,
    /// `[keys, head]`
    pub(super) key: Matrix<'a>,
    /// `[keys, head]`
    pub(super) value: Matrix<'a>,
    pub(super) mask: MaskRow,
    pub(super) past: usize,
}

/// The gradient of a head's output, with what the forward left.
#[derive(Clone, Copy)]
pub(super) struct Answer<'a> {
    /// `[queries, head]`, what the forward read
    pub(super) read: Matrix<'a>,
    /// `[queries, head]`
    pub(super) d_read: Matrix<'a>,
    /// The logarithm of the sum of each query's exponentials.
    pub(super) log_sums: &'a [f32],
}

/// Gradients `[queries, head]`, `[keys, head]` and `[keys, head]`, which start as zeros.
pub(super) struct Gradients<'a> {
    pub(super) query: MatrixMut<'a>,
    pub(super) key: MatrixMut<'a>,
    pub(super) value: MatrixMut<'a>,
}

/// A number for each query of a tile.
type Lanes = [f32; PANEL];

/// Queries that are scored together, and the keys that any of them sees.
#[derive(Clone)]
struct Tile {
    queries: Range<usize>,
    keys: Range<usize>,
    /// Keys of the tile that each query sees.
    seen: Lanes,
}

impl Head<'_> {
    /// Tiles of the queries that are not padding.
    fn tiles(&self) -> impl Iterator<Item = Tile> {
        let first = self.mask.padding.saturating_sub(self.past);
        let (queries, keys, past, mask) =
            (self.query.rows(), self.key.rows(), self.past, self.mask);
        (first..queries).step_by(PANEL).map(move |start| {
            let end = (start + PANEL).min(queries);
            let seen = std::array::from_fn(|lane| {
                let position = past + (start + lane).min(end - 1);
                (mask.end(position, keys) - mask.padding) as f32
            });
            let keys = mask.padding..mask.end(past + end - 1, keys);
            Tile { queries: start..end, keys, seen }
        })
    }

    /// Writes `read` `[queries, head]` and the logarithm of each query's sum.
    pub(super) fn forward(&self, read: &mut MatrixMut, log_sums: &mut [f32]) {
        let padding = self.mask.padding.saturating_sub(self.past).min(read.rows());
        read.rows_of(0, padding).clear();
        log_sums[..padding].fill(0.0);
        let mut panel = Scratch::take(self.query.columns() * PANEL);
        let mut scores = Scratch::take(self.key.rows() * PANEL);
        for tile in self.tiles() {
            let scores = &mut scores[..tile.keys.len() * PANEL];
            self.score(&tile, &mut panel, scores);
            let mut largest = [0.0; PANEL];
            let mut sums = [0.0; PANEL];
            soften(scores, &tile.seen, &mut largest, &mut sums);

            let mut read = read.rows_of(tile.queries.start, tile.queries.end);
            let value = self.value.rows_of(tile.keys.start, tile.keys.end);
            matmul(&mut read, weights_by_query(scores, &tile), value, By::Caller);
            for (lane, query) in tile.queries.enumerate() {
                simd::scale(read.row_mut(lane), sums[lane].recip());
                log_sums[query] = largest[lane] + sums[lane].ln();
            }
        }
    }

    /// Adds what flows back through `answer` to `gradients`.
    pub(super) fn backward(&self, answer: &Answer, gradients: &mut Gradients) {
        let mut panel = Scratch::take(self.query.columns() * PANEL);
        let mut weights = Scratch::take(self.key.rows() * PANEL);
        let mut d_scores = Scratch::take(self.key.rows() * PANEL);
        for tile in self.tiles() {
            let Range { start, end } = tile.queries;
            let Range { start: first_key, end: end_key } = tile.keys;
            let weights = &mut weights[..tile.keys.len() * PANEL];
            let d_scores = &mut d_scores[..tile.keys.len() * PANEL];
            let d_read = answer.d_read.rows_of(start, end);

            self.score(&tile, &mut panel, weights);
            panel_of_rows(d_read, &mut panel);
            times_panel(d_scores, self.value.rows_of(first_key, end_key), &panel, 1.0);
            let (mut log_sums, mut through) = ([0.0; PANEL], [0.0; PANEL]);
            for (lane, query) in tile.queries.clone().enumerate() {
                log_sums[lane] = answer.log_sums[query];
                through[lane] = dot(answer.read.row(query), answer.d_read.row(query));
            }
            d_soften(weights, d_scores, &tile.seen, &log_sums, &through);

            let scale = self.scale();
            let product = |left, right, keep, scale, out: &mut MatrixMut| {
                Matmul { keep, scale, left, right }.run(out, By::Caller, |_, _, _| {});
            };
            let by_query = weights_by_query(d_scores, &tile);
            let key = self.key.rows_of(first_key, end_key);
            product(by_query, key, 0.0, scale, &mut gradients.query.rows_of(start, end));
            let by_key = weights_by_query(d_scores, &tile).transposed();
            let query = self.query.rows_of(start, end);
            product(by_key, query, 1.0, scale, &mut gradients.key.rows_of(first_key, end_key));
            let by_key = weights_by_query(weights, &tile).transposed();
            product(by_key, d_read, 1.0, 1.0, &mut gradients.value.rows_of(first_key, end_key));
        }
    }

    fn scale(&self) -> f32 {
        (self.query.columns() as f32).sqrt().recip()
    }

    /// `scores` `[keys, PANEL]` = key · query / √head of a tile.
    fn score(&self, tile: &Tile, panel: &mut [f32], scores: &mut [f32]) {
        panel_of_rows(self.query.rows_of(tile.queries.start, tile.queries.end), panel);
        times_panel(scores, self.key.rows_of(tile.keys.start, tile.keys.end), panel, self.scale());
    }
}

/// `out` `[rows, PANEL]` = scale * rows · panel.
fn times_panel(out: &mut [f32], rows: Matrix, panel: &[f32], scale: f32) {
    let product =
        Matmul { keep: 0.0, scale, left: rows, right: Matrix::new(panel, rows.columns(), PANEL) };
    product.run(&mut MatrixMut::new(out, rows.rows(), PANEL), By::Caller, |_, _, _| {});
}

/// `weights` `[keys, PANEL]` seen as `[queries, keys]`.
fn weights_by_query<'a>(weights: &'a [f32], tile: &Tile) -> Matrix<'a> {
    Matrix::strided(weights, tile.keys.len(), tile.queries.len(), PANEL).transposed()
}

versions! {
    fn soften(scores: &mut [f32], seen: &Lanes, largest: &mut Lanes, sums: &mut Lanes) = soften_lanes
}

/// Turns scores into their exponentials, 0 where a query does not see a key.
#[inline(always)]
fn soften_lanes(scores: &mut [f32], seen: &Lanes, largest: &mut Lanes, sums: &mut Lanes) {
    let mut most = [f32::NEG_INFINITY; PANEL];
    let mut sum = [0.0f32; PANEL];
    let (rows, _) = scores.as_chunks_mut::<PANEL>();
    for (key, row) in rows.iter().enumerate() {
        let key = key as f32;
        for lane in 0..PANEL {
            let score = if key < seen[lane] { row[lane] } else { f32::NEG_INFINITY };
            most[lane] = larger(score, most[lane]);
        }
    }
    for (key, row) in rows.iter_mut().enumerate() {
        let key = key as f32;
        for lane in 0..PANEL {
            let weight = exp(row[lane] - most[lane]);
            row[lane] = if key < seen[lane] { weight } else { 0.0 };
            sum[lane] += row[lane];
        }
    }
    *largest = most;
    *sums = sum;
}

versions! {
    fn d_soften(
        weights: &mut [f32],
        d_scores: &mut [f32],
        seen: &Lanes,
        log_sums: &Lanes,
        through: &Lanes,
    ) = d_soften_lanes
}

/// Turns scores into weights, and the gradient of the weights into that of the scores.
#[inline(always)]
fn d_soften_lanes(
    weights: &mut [f32],
    d_scores: &mut [f32],
    seen: &Lanes,
    log_sums: &Lanes,
    through: &Lanes,
) {
    let (weights, _) = weights.as_chunks_mut::<PANEL>();
    let (d_scores, _) = d_scores.as_chunks_mut::<PANEL>();
    for (key, (weights, d_scores)) in weights.iter_mut().zip(d_scores).enumerate() {
        let key = key as f32;
        for lane in 0..PANEL {
            let weight = exp(weights[lane] - log_sums[lane]);
            weights[lane] = if key < seen[lane] { weight } else { 0.0 };
            d_scores[lane] = weights[lane] * (d_scores[lane] - through[lane]);
        }
    }
}

versions! {
    fn dot(left: &[f32], right: &[f32]) -> f32 = simd::dot
}
