//! The estimate of memory against the memory that training steps really take on a processor.
//!
//! Alone in its program: every allocation is counted, and another test's would count too.

use candle_core::{DType, Device};
use peak_alloc::PeakAlloc;
use weft::{
    bench::{self, Shape},
    chatglm::ChatGlmConfig,
    device::WeightFormat,
    estimate::{Processor, SampleSize, Workload, estimate},
};
use weft_shared::training::TrainingOptions;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

const THREADS: usize = 2;
const SMALL: Shape = Shape { layers: 4, hidden: 128, heads: 4, vocab: 2048 };

#[test]
fn memory_on_a_processor_is_within_ten_percent_of_what_is_allocated() {
    let Shape { layers, hidden, heads, vocab } = SMALL;
    let config = ChatGlmConfig::of_shape(layers, hidden, heads, vocab);

    // As many threads on every machine: each has some memory of its own.
    rayon::ThreadPoolBuilder::new().num_threads(THREADS).build_global().unwrap();

    for (batch, seq) in [(1, 256), (8, 64), (4, 256)] {
        let options = TrainingOptions { batch_size: batch, ..TrainingOptions::default() };
        let before = ALLOCATOR.current_usage();
        let model = SMALL.random(&Device::Cpu, DType::F32.into()).unwrap();
        ALLOCATOR.reset_peak_usage();
        bench::train(&model, &options.lora, (batch, seq), false, 1).unwrap();
        let measured = (ALLOCATOR.peak_usage() - before) as f64;

        let samples = vec![SampleSize::half_learned(seq); batch];
        let place = (Processor::Cpu { threads: THREADS }, WeightFormat::F32);
        let workload = Workload::new(&config, place, &options, (1, &samples)).unwrap();
        let estimated = estimate(&workload, None).memory.peak_bytes as f64;

        let off = estimated / measured - 1.0;
        assert!(
            off.abs() < 0.1,
            "{batch}x{seq}: {estimated} of {measured}, {:.1} % off",
            100.0 * off
        );
    }
}
