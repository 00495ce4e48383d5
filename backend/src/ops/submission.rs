//! Work that a device is given and does by itself: whoever gives it goes on, and asks later what numbers it ended with and
//! how long it took.

use std::time::{Duration, Instant};

use candle_core::{DType, Device, Result, Tensor};

#[cfg(feature = "cuda")]
use super::cuda::{Arrival, Arrivals};

/// Gives work to one device.
#[derive(Debug)]
pub struct Submissions {
    #[cfg(feature = "cuda")]
    arrivals: Option<Arrivals>,
}

/// Work that was given to a device.
#[derive(Debug)]
pub struct Submitted(State);

#[derive(Debug)]
enum State {
    Done(Outcome),
    #[cfg(feature = "cuda")]
    OnItsWay(Arrival),
}

/// What work ended with.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Of all tensors that were named, one after another.
    pub numbers: Vec<f64>,
    /// From when the device began with it to its end.
    pub took: Duration,
}

impl Submissions {
    pub fn new(device: &Device) -> Self {
        #[cfg(not(feature = "cuda"))]
        let _ = device;
        Self {
            #[cfg(feature = "cuda")]
            arrivals: device.as_cuda_device().ok().cloned().map(Arrivals::new),
        }
    }

    /// Gives the device what `work` gives it. That names the few numbers that are wanted of it, as f32 or f64, and may have
    /// something to tell at once.
    pub fn submit<T, E: From<candle_core::Error>>(
        &mut self,
        work: impl FnOnce() -> std::result::Result<(Vec<Tensor>, T), E>,
    ) -> std::result::Result<(Submitted, T), E> {
        #[cfg(feature = "cuda")]
        if let Some(arrivals) = &mut self.arrivals {
            let begun = arrivals.begin()?;
            let (numbers, told) = work()?;
            let arrival = arrivals.end(begun, &numbers)?;
            return Ok((Submitted(State::OnItsWay(arrival)), told));
        }
        let begun = Instant::now();
        let (numbers, told) = work()?;
        let numbers: Vec<Vec<f64>> = numbers.iter().map(read).collect::<Result<_>>()?;
        let outcome = Outcome { numbers: numbers.concat(), took: begun.elapsed() };
        Ok((Submitted(State::Done(outcome)), told))
    }

    /// Waits for the end of work of this device.
    pub fn wait(&mut self, submitted: Submitted) -> Result<Outcome> {
        match submitted.0 {
            State::Done(outcome) => Ok(outcome),
            #[cfg(feature = "cuda")]
            State::OnItsWay(arrival) => match &mut self.arrivals {
                Some(arrivals) => arrivals.wait(arrival),
                None => candle_core::bail!("this device has not been given that work"),
            },
        }
    }
}

impl Submitted {
    /// Whether it had ended when it was submitted, as a processor's has.
    pub fn is_done(&self) -> bool {
        matches!(self.0, State::Done(_))
    }
}

fn read(tensor: &Tensor) -> Result<Vec<f64>> {
    tensor.flatten_all()?.to_dtype(DType::F64)?.to_vec1()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_in_the_order_in_which_they_were_named() {
        let device = Device::Cpu;
        let mut submissions = Submissions::new(&device);

        let (submitted, told) = submissions
            .submit(|| {
                let numbers =
                    vec![Tensor::new(0.5f32, &device)?, Tensor::new(&[1f64, 2.0], &device)?];
                Ok::<_, candle_core::Error>((numbers, "told"))
            })
            .unwrap();

        assert_eq!((submitted.is_done(), told), (true, "told"));
        assert_eq!(submissions.wait(submitted).unwrap().numbers, [0.5, 1.0, 2.0]);
    }
}
