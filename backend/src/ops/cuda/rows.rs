//! Some rows of a matrix.

use candle_core::{Result, Tensor};

use super::launch::{Arg, Fresh, Module, Threads, device_of, launch, suffix};
use super::node::{Backward, Gradients, record};

/// The rows `ids` (u32, each at most once) of `x` `[rows, columns]`.
pub(crate) fn select_rows(x: &Tensor, ids: &Tensor) -> Result<Tensor> {
    let (rows, _) = x.dims2()?;
    let selected = gather(x, ids)?;
    if !x.track_op() {
        return Ok(selected.tensor());
    }
    record(selected, [x, ids, ids], SelectRows { rows, ids: ids.clone() })
}

/// The rows `ids` `[..]` (u32) of `x` `[rows, columns]`: `[.., columns]`.
pub(super) fn gather(x: &Tensor, ids: &Tensor) -> Result<Fresh> {
    let (_, columns) = x.dims2()?;
    let device = device_of(x)?;
    let mut shape = ids.dims().to_vec();
    shape.push(columns);
    let gathered = Fresh::new(shape, x.dtype(), device)?;
    launch(
        device,
        Module::Loss,
        ("rows_gather", suffix(x.dtype())?),
        Threads::new((ids.elem_count(), 1, 1), 256),
        &[Arg::of(x)?, Arg::of(ids)?, Arg::of(&gathered)?, Arg::size(columns)],
    )?;
    Ok(gathered)
}

struct SelectRows {
    rows: usize,
    ids: Tensor,
}

impl Backward for SelectRows {
    fn name(&self) -> &'static str {
        "select-rows"
    }

    fn backward(&self, d_selected: &Tensor) -> Result<Gradients> {
        let (count, columns) = d_selected.dims2()?;
        let device = device_of(d_selected)?;
        let dx = Tensor::zeros((self.rows, columns), d_selected.dtype(), d_selected.device())?;
        launch(
            device,
            Module::Loss,
            ("rows_scatter", suffix(d_selected.dtype())?),
            Threads::new((count, 1, 1), 256),
            &[Arg::of(d_selected)?, Arg::of(&self.ids)?, Arg::of(&dx)?, Arg::size(columns)],
        )?;
        Ok((Some(dx), None, None))
    }
}
