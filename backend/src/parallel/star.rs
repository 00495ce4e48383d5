//! Connections of a run's processes over TCP: all to rank 0, which sums and answers.
//!
//! For gradients of a LoRA adapter, and for processes on one machine, that is enough; a ring would carry less through
//! rank 0. Rank 0 adds in the order of the ranks, so a run can be repeated to the bit. A process that ends, however it
//! ends, closes its connections: whoever waits for it stops, and rank 0 tells the others which one it was.

#[cfg(feature = "nccl")]
use std::cell::OnceCell;
use std::{
    cell::Cell,
    time::{Duration, Instant},
};

use candle_core::{DType, Device, Tensor};

#[cfg(feature = "nccl")]
use super::gpus::Gpus;
use super::{
    Communicator, ParallelError, flat,
    frame::{self, Header, Kind, Summed},
    link::{FAREWELL, Link, PATIENCE},
    parts,
};

/// The processes of a run, connected.
#[derive(Debug)]
pub struct Star {
    rank: usize,
    size: usize,
    /// To rank 0; for rank 0, to each of the others in their order.
    links: Vec<Link>,
    /// Whether the others know that the run is over.
    is_over: Cell<bool>,
    /// Of all processes, if they sum gradients among themselves.
    #[cfg(feature = "nccl")]
    gpus: OnceCell<Gpus>,
}

impl Star {
    pub(super) fn new(rank: usize, size: usize, links: Vec<Link>) -> Self {
        Self {
            rank,
            size,
            links,
            is_over: Cell::new(false),
            #[cfg(feature = "nccl")]
            gpus: OnceCell::new(),
        }
    }

    /// Lets all others go on, once they have come.
    pub(super) fn welcome(&self) -> Result<(), ParallelError> {
        self.together(|| self.links.iter().try_for_each(|link| link.send(Kind::Done, &[])))
    }

    /// Tells the others that this process stops, and `why`: they stop, too.
    pub fn fail(&self, why: &str) {
        self.end(&format!("rank {} stopped: {why}", self.rank));
    }

    /// What rank 0 has, given to all.
    #[cfg(feature = "nccl")]
    pub(super) fn give(&self, bytes: &[u8]) -> Result<Vec<u8>, ParallelError> {
        self.together(|| {
            if self.leads() {
                self.links.iter().try_for_each(|link| link.send(Kind::Text, bytes))?;
                return Ok(bytes.to_owned());
            }
            self.links.first().map_or(Ok(Vec::new()), Link::receive_text)
        })
    }

    /// Puts sums in place of `numbers`.
    fn sum_all<T: Summed>(&self, numbers: &mut [T]) -> Result<(), ParallelError> {
        let wanted = Header { kind: T::KIND, len: numbers.len() * T::LEN };
        self.together(|| {
            if self.leads() {
                for link in &self.links {
                    let others = link.receive(wanted)?;
                    for (sum, number) in numbers.iter_mut().zip(frame::from_bytes(&others)) {
                        *sum += number;
                    }
                }
                let sums = frame::to_bytes(numbers);
                return self.links.iter().try_for_each(|link| link.send(T::KIND, &sums));
            }
            for link in &self.links {
                link.send(T::KIND, &frame::to_bytes(numbers))?;
                let sums = link.receive(wanted)?;
                for (number, sum) in numbers.iter_mut().zip(frame::from_bytes(&sums)) {
                    *number = sum;
                }
            }
            Ok(())
        })
    }

    /// Rank 0 hears of all the others, `hear`, and then lets them go on.
    fn meet(
        &self,
        say: impl Fn(&Link) -> Result<(), ParallelError>,
        hear: impl Fn(&Link) -> Result<(), ParallelError>,
        patience: Option<Duration>,
    ) -> Result<(), ParallelError> {
        let done = Header { kind: Kind::Done, len: 0 };
        self.together(|| {
            if self.leads() {
                self.links.iter().try_for_each(hear)?;
                return self.links.iter().try_for_each(|link| link.send(Kind::Done, &[]));
            }
            self.links.iter().try_for_each(|link| {
                say(link)?;
                link.receive_within(done, patience).map(drop)
            })
        })
    }

    /// What goes wrong is told to the others.
    fn together<T>(
        &self,
        work: impl FnOnce() -> Result<T, ParallelError>,
    ) -> Result<T, ParallelError> {
        work().inspect_err(|error| match error {
            // Rank 0 knows already, or is not there to be told.
            ParallelError::Stopped(_) | ParallelError::Gone { .. } if !self.leads() => {
                self.is_over.set(true);
            }
            error => self.end(&error.to_string()),
        })
    }

    /// The last thing that this process says to the others.
    pub(super) fn end(&self, text: &str) {
        if self.is_over.replace(true) {
            return;
        }
        for link in &self.links {
            link.say_last(text);
        }
        // What they have sent must be read: else the system takes back what was said.
        let until = Instant::now() + FAREWELL;
        if self.leads() {
            self.links.iter().for_each(|link| link.drain(until));
        }
    }
}

impl Communicator for Star {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.size
    }

    fn compute_on(&self, device: &Device) -> Result<(), ParallelError> {
        let on_gpu = device.is_cuda();
        self.agree("device", if on_gpu { "a GPU" } else { "the processor" })?;
        let by_nccl = cfg!(feature = "nccl") && on_gpu;
        self.agree("way of gradients", if by_nccl { "NCCL" } else { "TCP" })?;
        #[cfg(feature = "nccl")]
        if by_nccl {
            let gpus = self.together(|| Gpus::connect(self, device))?;
            let _ = self.gpus.set(gpus);
        }
        Ok(())
    }

    fn sum(&self, numbers: &mut [f64]) -> Result<(), ParallelError> {
        self.sum_all(numbers)
    }

    /// By way of the processor, unless the GPUs are connected.
    fn sum_tensors(&self, tensors: Vec<Tensor>) -> Result<Vec<Tensor>, ParallelError> {
        let Some(first) = tensors.first() else { return Ok(tensors) };
        let device = first.device();
        let flat = flat(&tensors)?.to_dtype(DType::F32)?;
        #[cfg(feature = "nccl")]
        if let Some(gpus) = self.gpus.get() {
            let check = || self.links.iter().try_for_each(Link::check);
            let sums = self.together(|| gpus.sum(&flat, PATIENCE, check))?;
            return Ok(parts(&sums, &tensors)?);
        }
        let mut numbers: Vec<f32> = flat.to_device(&Device::Cpu)?.to_vec1()?;
        self.sum_all(&mut numbers)?;
        let len = numbers.len();
        Ok(parts(&Tensor::from_vec(numbers, len, device)?, &tensors)?)
    }

    fn agree(&self, what: &str, value: &str) -> Result<(), ParallelError> {
        let hear = |link: &Link| {
            let found = String::from_utf8_lossy(&link.receive_text()?).into_owned();
            if found == value {
                return Ok(());
            }
            let (what, wanted) = (what.to_owned(), value.to_owned());
            Err(ParallelError::Differs { peer: link.peer, what, wanted, found })
        };
        self.meet(|link| link.send(Kind::Text, value.as_bytes()), hear, Some(PATIENCE))
    }

    fn barrier(&self) -> Result<(), ParallelError> {
        let done = Header { kind: Kind::Done, len: 0 };
        let hear = |link: &Link| link.receive_within(done, None).map(drop);
        self.meet(|link| link.send(Kind::Done, &[]), hear, None)
    }
}
