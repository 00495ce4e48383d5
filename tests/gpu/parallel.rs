//! Processes that train together on GPUs: over NCCL one a GPU, over TCP on one GPU.

use std::{collections::HashMap, net::TcpListener, path::Path, process::Command};

use candle_core::{Device, Tensor, safetensors};
use weft::device::DeviceName;

use crate::assert_near;

const PAIRS: &str = r#"{"question":"你好?","answer":"好"}
{"question":"who?","answer":"me"}
{"question":"1+1","answer":"2"}
{"question":"who are you? who are you?","answer":"you and me and you"}
{"question":"1+2","answer":"3 3 3"}
"#;

#[test]
fn two_processes_learn_what_one_learns() {
    let by_nccl = cfg!(feature = "nccl");
    if by_nccl && DeviceName::Cuda(Some(1)).open().is_err() {
        eprintln!("SKIPPED two_processes_learn_what_one_learns: NCCL needs a GPU for each process");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("pairs.jsonl"), PAIRS).unwrap();

    let one = trained(dir.path(), 1, "cuda:0");
    let two = trained(dir.path(), 2, if by_nccl { "cuda" } else { "cuda:0" });

    for (name, wanted) in &one {
        assert_near(name, &two[name], wanted, 1e-3);
    }
}

#[cfg(feature = "nccl")]
#[test]
fn a_gpu_on_its_own_sums_to_what_it_has() {
    use weft::parallel::{self, Communicator as _, Master, World};

    let master = Master { host: "127.0.0.1".to_owned(), port: free_port() };
    let star = parallel::join(&World { rank: 0, size: 1, local_rank: 0, master }).unwrap();
    star.compute_on(crate::gpu()).unwrap();
    let tensors: Vec<Tensor> = [(1, vec![3, 5]), (2, vec![7])]
        .map(|(seed, shape)| {
            crate::on_gpu(
                &crate::random(seed, &shape, candle_core::DType::F32),
                candle_core::DType::F32,
            )
        })
        .to_vec();

    let sums = star.sum_tensors(tensors.clone()).unwrap();

    for (sum, tensor) in sums.iter().zip(&tensors) {
        assert_near("sum", sum, tensor, 1e-9);
    }
}

/// The adapter that so many processes train.
fn trained(dir: &Path, size: usize, device: &str) -> HashMap<String, Tensor> {
    let (output, port) = (dir.join(size.to_string()), free_port().to_string());
    let processes: Vec<_> = (0..size)
        .map(|rank| {
            let rank = rank.to_string();
            Command::new(env!("CARGO_BIN_EXE_weft-under-test"))
                .args(["train", "--device", device, "--dtype", "f32", "--lora-dropout", "0"])
                .args(["--batch-size", "5", "--max-steps", "10", "--learning-rate", "1e-2"])
                .arg("--model")
                .arg(weft_tests::fixture("mini/checkpoint"))
                .arg("--data")
                .arg(dir.join("pairs.jsonl"))
                .arg("--output")
                .arg(&output)
                .envs([("RANK", &rank), ("LOCAL_RANK", &rank), ("WORLD_SIZE", &size.to_string())])
                .envs([("MASTER_ADDR", "127.0.0.1"), ("MASTER_PORT", &port)])
                .spawn()
                .unwrap()
        })
        .collect();
    for (rank, mut process) in processes.into_iter().enumerate() {
        assert!(process.wait().unwrap().success(), "rank {rank} of {size}");
    }
    safetensors::load(output.join("adapter_model.safetensors"), &Device::Cpu).unwrap()
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
