//! A connection to another process: what is due on it, and what becomes of it when the other ends.

use std::{
    io::{self, Read as _},
    net::{Shutdown, TcpStream},
    time::{Duration, Instant},
};

use socket2::{SockRef, TcpKeepalive};

use super::{
    ParallelError,
    error::Peer,
    frame::{self, Header, Kind},
};

/// How long a process may compute before it is given up: a step on a slow machine takes minutes.
pub(super) const PATIENCE: Duration = Duration::from_mins(30);
/// How long the last words of this process may take to arrive, and those of others are looked for.
pub(super) const FAREWELL: Duration = Duration::from_secs(5);

/// A connection to another process.
#[derive(Debug)]
pub(super) struct Link {
    pub peer: Peer,
    stream: TcpStream,
}

impl Link {
    /// A connection that notices within two minutes that the other machine is no more.
    pub(super) fn new(rank: usize, stream: TcpStream) -> io::Result<Self> {
        let peer = Peer { rank, address: stream.peer_addr()? };
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let keepalive = TcpKeepalive::new()
            .with_time(Duration::from_secs(30))
            .with_interval(Duration::from_secs(15))
            .with_retries(6);
        SockRef::from(&stream).set_tcp_keepalive(&keepalive)?;
        Ok(Self { peer, stream })
    }

    pub(super) fn send(&self, kind: Kind, payload: &[u8]) -> Result<(), ParallelError> {
        frame::write(&self.stream, kind, payload).map_err(|error| match self.last_words() {
            Some(words) => ParallelError::Stopped(words),
            None => self.lost(error),
        })
    }

    /// Rank 0's word that all have come.
    pub(super) fn wait_for_welcome(&self, patience: Duration) -> Result<(), ParallelError> {
        let done = Header { kind: Kind::Done, len: 0 };
        self.receive_within(done, Some(patience)).map(drop)
    }

    pub(super) fn receive(&self, wanted: Header) -> Result<Vec<u8>, ParallelError> {
        self.receive_within(wanted, Some(PATIENCE))
    }

    /// A frame's payload. Without `patience`, waits for as long as the other process lives.
    pub(super) fn receive_within(
        &self,
        wanted: Header,
        patience: Option<Duration>,
    ) -> Result<Vec<u8>, ParallelError> {
        let header = self.header(patience)?;
        if header != wanted {
            let (wanted, found) = (wanted.to_string(), header.to_string());
            return Err(ParallelError::OutOfStep { peer: self.peer, wanted, found });
        }
        frame::payload(&self.stream, header.len).map_err(|error| self.lost(error))
    }

    pub(super) fn receive_text(&self) -> Result<Vec<u8>, ParallelError> {
        let header = self.header(Some(PATIENCE))?;
        if header.kind != Kind::Text || !header.is_text() {
            let (wanted, found) = ("a text".to_owned(), header.to_string());
            return Err(ParallelError::OutOfStep { peer: self.peer, wanted, found });
        }
        frame::payload(&self.stream, header.len).map_err(|error| self.lost(error))
    }

    /// What comes next, unless it is the other's failure.
    fn header(&self, patience: Option<Duration>) -> Result<Header, ParallelError> {
        let lost = |error| self.lost(error);
        self.stream.set_read_timeout(patience).map_err(lost)?;
        let header = Header::read(&self.stream).map_err(lost)?;
        if header.kind == Kind::Failure && header.is_text() {
            let words = frame::payload(&self.stream, header.len).map_err(lost)?;
            return Err(ParallelError::Stopped(String::from_utf8_lossy(&words).into_owned()));
        }
        Ok(header)
    }

    fn lost(&self, error: io::Error) -> ParallelError {
        // That is how Linux says that a time is over; a connection that keep-alive gave up is `TimedOut`.
        if error.kind() == io::ErrorKind::WouldBlock {
            return ParallelError::Silent { peer: self.peer, minutes: PATIENCE.as_secs() / 60 };
        }
        ParallelError::Gone { peer: self.peer, source: error }
    }

    /// Why a process that does not listen any more has ended, if it said so.
    fn last_words(&self) -> Option<String> {
        self.stream.set_read_timeout(Some(FAREWELL)).ok()?;
        loop {
            let header = Header::read(&self.stream).ok()?;
            if header.kind == Kind::Failure && header.is_text() {
                let words = frame::payload(&self.stream, header.len).ok()?;
                return Some(String::from_utf8_lossy(&words).into_owned());
            }
            io::copy(&mut (&self.stream).take(header.len as u64), &mut io::sink()).ok()?;
        }
    }

    #[cfg(feature = "nccl")]
    pub(super) fn check(&self) -> Result<(), ParallelError> {
        let mut kind = [0];
        let lost = |error| self.lost(error);
        self.stream.set_nonblocking(true).map_err(lost)?;
        let peeked = self.stream.peek(&mut kind);
        self.stream.set_nonblocking(false).map_err(lost)?;
        match peeked {
            Ok(0) => Err(lost(io::ErrorKind::UnexpectedEof.into())),
            Ok(_) if kind[0] == Kind::Failure as u8 => self.header(Some(FAREWELL)).map(drop),
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            Err(error) => Err(lost(error)),
        }
    }

    /// Says why this process ends, if the other can still hear it.
    pub(super) fn say_last(&self, text: &str) {
        let _ = self.stream.set_write_timeout(Some(FAREWELL));
        let _ = frame::write(&self.stream, Kind::Failure, text.as_bytes());
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Reads and forgets until the other process has closed, or it is late.
    pub(super) fn drain(&self, until: Instant) {
        let mut forgotten = [0; 1 << 14];
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || self.stream.set_read_timeout(Some(left)).is_err() {
                return;
            }
            if !matches!((&self.stream).read(&mut forgotten), Ok(1..)) {
                return;
            }
        }
    }
}
