//! Numbers of a GPU on their way to the host, which does not wait for them.

use std::time::Duration;

use candle_core::{
    CudaDevice, DType, Result, Tensor, bail,
    cuda_backend::{
        WrapErr as _,
        cudarc::driver::{
            CudaEvent,
            sys::{CUevent_flags, cuMemcpyDtoHAsync_v2},
        },
    },
};

use super::{launch::OnDevice as _, page_locked::PageLocked};
use crate::ops::Outcome;

/// Numbers of one arrival.
const MOST: usize = 16;

/// Where numbers arrive.
#[derive(Debug)]
pub(crate) struct Arrivals {
    device: CudaDevice,
    /// Memory that nothing is on its way to.
    free: Vec<Page>,
}

/// Numbers on their way.
#[derive(Debug)]
pub(crate) struct Arrival {
    page: Page,
    count: usize,
    begun: CudaEvent,
}

impl Arrivals {
    pub(crate) fn new(device: CudaDevice) -> Self {
        Self { device, free: Vec::new() }
    }

    /// When the GPU gets to what is put on its stream next.
    pub(crate) fn begin(&self) -> Result<CudaEvent> {
        self.device.cuda_stream().record_event(Some(CUevent_flags::CU_EVENT_DEFAULT)).w()
    }

    /// Puts copies of `numbers`, f32 or f64, on the stream.
    pub(crate) fn end(&mut self, begun: CudaEvent, numbers: &[Tensor]) -> Result<Arrival> {
        let mut page = if let Some(page) = self.free.pop() {
            page
        } else {
            let len = MOST * size_of::<f64>();
            Page(PageLocked::new(len, self.device.cuda_stream().context())?)
        };
        let mut count = 0;
        for tensor in numbers {
            // Freed in the order of the stream, so after the copy.
            let tensor = tensor.flatten_all()?.to_dtype(DType::F64)?;
            page.receive(count, &tensor, &self.device)?;
            count += tensor.elem_count();
        }
        page.0.copied.record(&self.device.cuda_stream()).w()?;
        Ok(Arrival { page, count, begun })
    }

    /// Waits until all numbers are there.
    pub(crate) fn wait(&mut self, arrival: Arrival) -> Result<Outcome> {
        let Arrival { page, count, begun } = arrival;
        // Waits for both.
        let milliseconds = begun.elapsed_ms(&page.0.copied).w()?;
        let numbers = page.numbers(count);
        self.free.push(page);
        Ok(Outcome { numbers, took: Duration::from_secs_f32(milliseconds.max(0.0) / 1e3) })
    }
}

/// [`MOST`] numbers that the driver writes.
#[derive(Debug)]
struct Page(PageLocked);

impl Page {
    /// Puts a copy of `tensor`, `[numbers]`, f64, on the stream, to be the numbers from `start` on.
    fn receive(&mut self, start: usize, tensor: &Tensor, device: &CudaDevice) -> Result<()> {
        let len = tensor.elem_count();
        if start + len > MOST {
            bail!("{} numbers on their way at once: wanted at most {MOST}", start + len);
        }
        let (from, stream) = (tensor.address()?, device.cuda_stream());
        stream.context().bind_to_thread().w()?;
        // SAFETY: the page has room for them, and lives until `copied`, which comes after them on the stream; the source is
        // freed on the same stream, later.
        unsafe {
            let to = self.0.as_ptr().cast::<f64>().add(start).cast();
            cuMemcpyDtoHAsync_v2(to, from, len * size_of::<f64>(), stream.cu_stream())
        }
        .result()
        .w()
    }

    /// The first `count`, once they have arrived.
    fn numbers(&self, count: usize) -> Vec<f64> {
        assert!(count <= MOST, "a page has no more numbers");
        let numbers = self.0.as_ptr().cast::<f64>();
        // SAFETY: that many are there, written by the copies that were waited for.
        (0..count).map(|place| unsafe { numbers.add(place).read_volatile() }).collect()
    }
}
