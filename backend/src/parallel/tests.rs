//! Processes as threads of one program, over connections as real as those of a run.

use std::{net::TcpListener, thread, time::Duration};

use super::{Communicator, ParallelError, Star, World, rendezvous::join_within, world::Master};
use candle_core::{Device::Cpu, Tensor};

#[test]
fn all_ranks_get_the_sum_of_all() {
    let sums = ranks(3, |star| {
        let rank = star.rank() as f64;
        let mut numbers = [rank, 0.5, 1e300];
        star.sum(&mut numbers).unwrap();
        let tensors = [(2, 3), (1, 1)].map(|shape| Tensor::full(rank as f32 + 1.0, shape, &Cpu));
        let tensors = tensors.map(Result::unwrap).to_vec();
        let sums = star.sum_tensors(tensors).unwrap();
        star.barrier().unwrap();
        let values = |sum: &Tensor| sum.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        (numbers, sums.iter().map(|sum| sum.dims().to_vec()).collect::<Vec<_>>(), values(&sums[0]))
    });

    for sum in sums {
        assert_eq!(sum, ([3.0, 1.5, 3e300], vec![vec![2, 3], vec![1, 1]], vec![6.0; 6]));
    }
}

#[test]
fn a_rank_that_differs_is_named_to_all() {
    let errors = ranks(3, |star| {
        let value = if star.rank() == 2 { "seed 7" } else { "seed 42" };
        star.agree("option", value).unwrap_err().to_string()
    });

    for error in errors {
        assert!(error.starts_with("the option of rank 2 (127.0.0.1:"), "{error}");
        assert!(error.ends_with("is seed 7, and that of rank 0 seed 42"), "{error}");
    }
}

#[test]
fn a_rank_that_goes_without_a_word_is_named_to_all() {
    for gone in [1, 2] {
        let errors = ranks(3, move |star| {
            if star.rank() == gone {
                return None;
            }
            let large = Tensor::zeros(1 << 20, candle_core::DType::F32, &Cpu).unwrap();
            Some(star.sum_tensors(vec![large]).unwrap_err().to_string())
        });

        for error in errors.into_iter().flatten() {
            assert!(error.starts_with(&format!("rank {gone} (127.0.0.1:")), "{error}");
            assert!(error.contains("has gone"), "{error}");
        }
    }
}

#[test]
fn without_rank_0_the_others_stop() {
    let errors =
        ranks(3, |star| (star.rank() > 0).then(|| star.sum(&mut [1.0]).unwrap_err().to_string()));

    for error in errors.into_iter().flatten() {
        assert!(error.starts_with("rank 0 (127.0.0.1:"), "{error}");
    }
}

#[test]
fn why_a_rank_fails_is_told_to_all() {
    for failing in 0..3 {
        let errors = ranks(3, move |star| {
            if star.rank() == failing {
                star.fail("no memory");
                return None;
            }
            let large = Tensor::zeros(1 << 20, candle_core::DType::F32, &Cpu).unwrap();
            Some(star.sum_tensors(vec![large]).unwrap_err().to_string())
        });

        for error in errors.into_iter().flatten() {
            assert_eq!(error, format!("rank {failing} stopped: no memory"));
        }
    }
}

#[test]
fn ranks_at_different_places_stop() {
    let errors = ranks(2, |star| match star.rank() {
        0 => star.sum(&mut [1.0, 2.0]).unwrap_err().to_string(),
        _ => star.barrier().unwrap_err().to_string(),
    });

    for error in errors {
        assert!(error.contains("rank 1"), "{error}");
        assert!(error.contains("16 bytes of Numbers were due"), "{error}");
    }
}

#[test]
fn a_rank_that_does_not_come_is_named() {
    let (port, soon) = (free_port(), Duration::from_millis(300));
    let come = |rank| thread::spawn(move || join_within(&world(rank, 3, port), soon).map(drop));
    let (first, second) = (come(0), come(1));

    let missing = first.join().unwrap().unwrap_err();
    assert!(matches!(&missing, ParallelError::Missing { .. }), "{missing}");
    assert!(missing.to_string().contains("of 3 processes, rank 2 did not come"), "{missing}");
    assert_eq!(second.join().unwrap().unwrap_err().to_string(), missing.to_string());
}

#[test]
fn without_rank_0_nobody_is_reached() {
    let error = join_within(&world(1, 2, free_port()), Duration::from_millis(100)).unwrap_err();

    assert!(matches!(error, ParallelError::NoMaster { .. }), "{error}");
}

#[test]
fn strangers_at_the_port_change_nothing() {
    let port = free_port();
    let first = thread::spawn(move || join_within(&world(0, 2, port), Duration::from_secs(20)));
    let mut stranger = loop {
        if let Ok(stranger) = std::net::TcpStream::connect(("127.0.0.1", port)) {
            break stranger;
        }
    };
    std::io::Write::write_all(&mut stranger, b"GET / HTTP/1.1\r\nHost: weft\r\n\r\n").unwrap();

    let second = join_within(&world(1, 2, port), Duration::from_secs(20));

    assert!(second.is_ok(), "{second:?}");
    assert!(first.join().unwrap().is_ok());
}

#[test]
fn two_of_one_rank_are_refused() {
    let (port, soon) = (free_port(), Duration::from_secs(20));
    let come = |rank| thread::spawn(move || join_within(&world(rank, 3, port), soon).map(drop));
    let all = [come(0), come(1), come(1)];

    for one in all {
        let error = one.join().unwrap().unwrap_err().to_string();
        assert!(error.contains("both say that they are rank 1"), "{error}");
    }
}

/// What each rank of a world of `size` makes of `work`.
fn ranks<T: Send + 'static>(
    size: usize,
    work: impl Fn(Star) -> T + Copy + Send + 'static,
) -> Vec<T> {
    let port = free_port();
    let one = |rank| {
        thread::spawn(move || {
            work(join_within(&world(rank, size, port), Duration::from_secs(20)).unwrap())
        })
    };
    let all: Vec<_> = (0..size).map(one).collect();
    all.into_iter().map(|one| one.join().unwrap()).collect()
}

fn world(rank: usize, size: usize, port: u16) -> World {
    let master = Master { host: "127.0.0.1".to_owned(), port };
    World { rank, size, local_rank: rank, master }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
