//! How the processes of a run find each other: rank 0 listens, the others come and say who they are.
//!
//! Nothing but the network protects the port: whoever reaches it before a process of the run can take its rank. A run on
//! 127.0.0.1 is not seen from outside.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener, TcpStream, ToSocketAddrs as _},
    thread,
    time::{Duration, Instant},
};

use super::{
    ParallelError, Star, World,
    error::Ranks,
    frame::{self, Header, Kind},
    link::Link,
    world::Master,
};

/// How long processes may come one after another: a scheduler does not start all at once.
const ARRIVAL: Duration = Duration::from_mins(10);
/// The others learn from rank 0 who is missing, so they wait a little longer.
const GRACE: Duration = Duration::from_secs(10);
/// How long a connection may take to say who it is.
const GREETING: Duration = Duration::from_secs(5);
const BETWEEN_TRIES: Duration = Duration::from_millis(50);
/// The program, and what it speaks: processes of one run are of one form.
const FORM: [u8; 8] = *b"weft\0\0\0\x01";

/// Connects this process with all others of its world, which must come within ten minutes.
pub fn join(world: &World) -> Result<Star, ParallelError> {
    join_within(world, ARRIVAL)
}

pub(super) fn join_within(world: &World, arrival: Duration) -> Result<Star, ParallelError> {
    if world.rank == 0 { wait_for_others(world, arrival) } else { come(world, arrival) }
}

fn wait_for_others(world: &World, arrival: Duration) -> Result<Star, ParallelError> {
    let unheard = |source| ParallelError::Listen { master: world.master.to_string(), source };
    let listener = listen(&world.master).map_err(unheard)?;
    listener.set_nonblocking(true).map_err(unheard)?;
    let deadline = Instant::now() + arrival;

    let mut links: Vec<Option<Link>> = (1..world.size).map(|_| None).collect();
    let all_came = gather(world, &listener, &mut links, deadline);
    let missing = (1..).zip(&links).filter(|(_, link)| link.is_none()).map(|(rank, _)| rank);
    let missing = Ranks(missing.collect());
    let mut links: Vec<Link> = links.into_iter().flatten().collect();
    let problem = match all_came.map_err(unheard) {
        Ok(Met::All) => None,
        Ok(Met::Strange(error, link)) => {
            links.push(link);
            Some(error)
        }
        Ok(Met::TooFew) => Some(ParallelError::Missing {
            size: world.size,
            missing,
            master: world.master.to_string(),
            seconds: arrival.as_secs(),
        }),
        Err(error) => Some(error),
    };
    let star = Star::new(world.rank, world.size, links);
    match problem {
        None => star.welcome().map(|()| star),
        Some(error) => {
            star.end(&error.to_string());
            Err(error)
        }
    }
}

/// Who came until the time was over.
enum Met {
    All,
    TooFew,
    /// One that cannot belong to this run, and its connection.
    Strange(ParallelError, Link),
}

fn gather(
    world: &World,
    listener: &TcpListener,
    links: &mut [Option<Link>],
    deadline: Instant,
) -> io::Result<Met> {
    while links.iter().any(Option::is_none) {
        let (stream, address) = match listener.accept() {
            Ok(came) => came,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                if Instant::now() >= deadline {
                    return Ok(Met::TooFew);
                }
                thread::sleep(BETWEEN_TRIES);
                continue;
            }
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => continue,
            Err(error) => return Err(error),
        };
        let (rank, size, link) = match greeting(stream) {
            Ok(greeting) => greeting,
            Err(error) => {
                tracing::warn!("{address} is no process of this run, and is left out: {error}");
                continue;
            }
        };
        if size != world.size {
            let (peer, wanted) = (link.peer, world.size);
            let error = ParallelError::OtherSize { peer, wanted, found: size };
            return Ok(Met::Strange(error, link));
        }
        match rank.checked_sub(1).and_then(|place| links.get_mut(place)) {
            Some(place @ None) => *place = Some(link),
            Some(Some(first)) => {
                let (first, second) = (first.peer.address, address);
                return Ok(Met::Strange(ParallelError::Twice { rank, first, second }, link));
            }
            None => tracing::warn!("{address} says that it is rank {rank}, which it cannot be"),
        }
    }
    Ok(Met::All)
}

/// Rank, size of the world, and connection of a process that has come.
fn greeting(stream: TcpStream) -> io::Result<(usize, usize, Link)> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(GREETING))?;
    let strange = || io::Error::new(io::ErrorKind::InvalidData, "it does not say who it is");
    let header = Header::read(&stream)?;
    if header != (Header { kind: Kind::Hello, len: FORM.len() + 8 }) {
        return Err(strange());
    }
    let hello = frame::payload(&stream, header.len)?;
    let [form @ .., r0, r1, r2, r3, s0, s1, s2, s3] = hello.as_slice() else {
        return Err(strange());
    };
    if form != FORM {
        return Err(strange());
    }
    let rank = u32::from_le_bytes([*r0, *r1, *r2, *r3]) as usize;
    let size = u32::from_le_bytes([*s0, *s1, *s2, *s3]) as usize;
    Ok((rank, size, Link::new(rank, stream)?))
}

fn come(world: &World, arrival: Duration) -> Result<Star, ParallelError> {
    let deadline = Instant::now() + arrival;
    let unreached = |source| ParallelError::NoMaster {
        master: world.master.to_string(),
        seconds: arrival.as_secs(),
        source,
    };
    let stream = connect(&world.master, deadline).map_err(unreached)?;
    let link = Link::new(0, stream).map_err(unreached)?;
    let mut hello = FORM.to_vec();
    hello.extend((world.rank as u32).to_le_bytes());
    hello.extend((world.size as u32).to_le_bytes());
    link.send(Kind::Hello, &hello)?;
    let left = deadline.saturating_duration_since(Instant::now());
    link.wait_for_welcome(left + GRACE)?;
    Ok(Star::new(world.rank, world.size, vec![link]))
}

/// An address that is this machine's own is listened on alone. A name is known to the others, and may stand for
/// something else here, so that all addresses are listened on.
fn listen(master: &Master) -> io::Result<TcpListener> {
    let Master { host, port } = master;
    let everywhere = || {
        TcpListener::bind((Ipv6Addr::UNSPECIFIED, *port))
            .or_else(|_| TcpListener::bind((Ipv4Addr::UNSPECIFIED, *port)))
    };
    let is_address = host.parse::<IpAddr>().is_ok();
    if !is_address && host != "localhost" {
        return everywhere();
    }
    match TcpListener::bind((host.as_str(), *port)) {
        Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable => everywhere(),
        bound => bound,
    }
}

/// A connection to rank 0, which may not be there yet, nor its name be known.
fn connect(master: &Master, deadline: Instant) -> io::Result<TcpStream> {
    loop {
        match connect_once(master) {
            Ok(stream) => return Ok(stream),
            Err(error) if Instant::now() >= deadline => return Err(error),
            Err(_) => thread::sleep(BETWEEN_TRIES),
        }
    }
}

fn connect_once(master: &Master) -> io::Result<TcpStream> {
    let mut refused = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    for address in (master.host.as_str(), master.port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, GREETING) {
            // Where nobody listens, a system may connect a port with itself.
            Ok(stream) if stream.local_addr()? == stream.peer_addr()? => {}
            Ok(stream) => return Ok(stream),
            Err(error) => refused = error,
        }
    }
    Err(refused)
}
