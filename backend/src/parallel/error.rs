//! Why processes cannot go on together. Ranks that are at fault are named, with where they are.

use std::{fmt, io, net::SocketAddr};

/// Why processes cannot go on together.
#[derive(Debug, thiserror::Error)]
pub enum ParallelError {
    #[error("rank 0 cannot wait for the others at {master}")]
    Listen {
        master: String,
        #[source]
        source: io::Error,
    },
    #[error("rank 0 cannot be reached at {master} within {seconds} s")]
    NoMaster {
        master: String,
        seconds: u64,
        #[source]
        source: io::Error,
    },
    #[error("of {size} processes, {missing} did not come to {master} within {seconds} s")]
    Missing { size: usize, missing: Ranks, master: String, seconds: u64 },
    #[error("{first} and {second} both say that they are rank {rank}")]
    Twice { rank: usize, first: SocketAddr, second: SocketAddr },
    #[error("{peer} was started for {found} processes, and rank 0 for {wanted}")]
    OtherSize { peer: Peer, wanted: usize, found: usize },
    #[error("{peer} has gone: it was killed, or cannot be reached any more")]
    Gone {
        peer: Peer,
        #[source]
        source: io::Error,
    },
    #[error("{peer} has let nothing be heard of itself for {minutes} minutes")]
    Silent { peer: Peer, minutes: u64 },
    /// The words of the rank that noticed first.
    #[error("{0}")]
    Stopped(String),
    #[error("{peer} is at another place of the run: it sent {found} where {wanted} were due")]
    OutOfStep { peer: Peer, wanted: String, found: String },
    #[error("the {what} of {peer} is {found}, and that of rank 0 {wanted}")]
    Differs { peer: Peer, what: String, wanted: String, found: String },
    #[error("the gradients could not be summed")]
    Compute(#[from] candle_core::Error),
    #[cfg(feature = "nccl")]
    #[error("NCCL failed: {0}")]
    Nccl(String),
}

/// Another process, and where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    pub rank: usize,
    pub address: SocketAddr,
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rank {} ({})", self.rank, self.address)
    }
}

/// Some of the ranks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ranks(pub Vec<usize>);

impl fmt::Display for Ranks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ranks: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        write!(f, "rank{} {}", if ranks.len() == 1 { "" } else { "s" }, ranks.join(", "))
    }
}
