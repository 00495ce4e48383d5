//! Which processes make up a run: the variables that `torchrun` sets, and schedulers can.

use std::fmt;

/// The processes of a run, and which of them this one is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct World {
    /// This process, counted from 0.
    pub rank: usize,
    /// Number of processes, two at least.
    pub size: usize,
    /// This process among those of its machine: the number of its GPU.
    pub local_rank: usize,
    /// Where rank 0 waits for the others: `HOST:PORT`.
    pub master: Master,
}

/// A host by name or number, and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Master {
    pub host: String,
    pub port: u16,
}

impl fmt::Display for Master {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

/// Variables that do not make sense.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum WorldError {
    #[error("{given} is set and {missing} is not: a run of several processes needs both")]
    Missing { given: &'static str, missing: &'static str },
    #[error("{name} is {found:?}, wanted {wanted}")]
    NotANumber { name: &'static str, found: String, wanted: &'static str },
    #[error("RANK is {rank}, and WORLD_SIZE {size}: ranks are counted from 0")]
    RankTooLarge { rank: usize, size: usize },
    #[error("WORLD_SIZE is 0: there is one process at least")]
    Empty,
}

impl World {
    /// The world that the variables describe, each read by its name; `None` for a process on its own.
    ///
    /// `WORLD_SIZE`, `RANK`, `MASTER_ADDR` and `MASTER_PORT` are needed as soon as there are two processes; without
    /// `LOCAL_RANK` each is taken for the only one on its machine.
    pub fn from_variables(
        read: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, WorldError> {
        let read = |name| read(name).filter(|value| !value.trim().is_empty());
        let Some(size) = read("WORLD_SIZE") else {
            return match read("RANK") {
                // Else each process would train on its own, all in one folder.
                Some(_) => Err(WorldError::Missing { given: "RANK", missing: "WORLD_SIZE" }),
                None => Ok(None),
            };
        };
        let size = number("WORLD_SIZE", size)?;
        match size {
            0 => return Err(WorldError::Empty),
            1 => return Ok(None),
            _ => {}
        }

        let need =
            |missing| read(missing).ok_or(WorldError::Missing { given: "WORLD_SIZE", missing });
        let rank = number("RANK", need("RANK")?)?;
        if rank >= size {
            return Err(WorldError::RankTooLarge { rank, size });
        }
        let local_rank = match read("LOCAL_RANK") {
            Some(local_rank) => number("LOCAL_RANK", local_rank)?,
            None => 0,
        };
        let host = need("MASTER_ADDR")?.trim().to_owned();
        let mut port = port(need("MASTER_PORT")?)?;
        // There torchrun itself has the port: its agent keeps a store behind it.
        if read("TORCHELASTIC_USE_AGENT_STORE").is_some_and(|it| it == "True") {
            port = port.checked_add(1).unwrap_or(port - 1);
        }
        Ok(Some(Self { rank, size, local_rank, master: Master { host, port } }))
    }
}

fn number(name: &'static str, found: String) -> Result<usize, WorldError> {
    let wanted = "a number from 0 on";
    found.trim().parse().map_err(|_| WorldError::NotANumber { name, found, wanted })
}

fn port(found: String) -> Result<u16, WorldError> {
    match found.trim().parse() {
        Ok(port) if port > 0 => Ok(port),
        _ => {
            let wanted = "a port from 1 to 65535";
            Err(WorldError::NotANumber { name: "MASTER_PORT", found, wanted })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: [(&str, &str); 5] = [
        ("RANK", "2"),
        ("WORLD_SIZE", "4"),
        ("LOCAL_RANK", "1"),
        ("MASTER_ADDR", "10.0.0.7"),
        ("MASTER_PORT", "29500"),
    ];

    #[test]
    fn the_variables_of_torchrun_make_a_world() {
        let world = read(&WHOLE).unwrap().unwrap();

        let master = Master { host: "10.0.0.7".to_owned(), port: 29_500 };
        assert_eq!(world, World { rank: 2, size: 4, local_rank: 1, master });
        assert_eq!(world.master.to_string(), "10.0.0.7:29500");
    }

    #[test]
    fn one_process_is_no_world() {
        for variables in [&[][..], &[("WORLD_SIZE", "1")], &[("WORLD_SIZE", ""), ("RANK", "")]] {
            assert_eq!(read(variables), Ok(None), "{variables:?}");
        }
        assert_eq!(read(&[("MASTER_ADDR", "left.over"), ("MASTER_PORT", "1")]), Ok(None));
    }

    #[test]
    fn what_is_missing_is_named() {
        assert_eq!(
            read(&[("RANK", "0")]).unwrap_err().to_string(),
            "RANK is set and WORLD_SIZE is not: a run of several processes needs both"
        );
        for name in ["RANK", "MASTER_ADDR", "MASTER_PORT"] {
            let missing = name;
            let rest: Vec<_> = WHOLE.iter().filter(|(name, _)| *name != missing).copied().collect();
            let given = "WORLD_SIZE";
            assert_eq!(read(&rest), Err(WorldError::Missing { given, missing }));
        }
    }

    #[test]
    fn a_gpu_without_a_number_is_the_first() {
        assert_eq!(read(&with("LOCAL_RANK", "")).unwrap().unwrap().local_rank, 0);
    }

    #[test]
    fn what_makes_no_sense_is_quoted() {
        for (name, value, told) in [
            ("WORLD_SIZE", "many", "WORLD_SIZE is \"many\", wanted a number from 0 on"),
            ("WORLD_SIZE", "0", "WORLD_SIZE is 0: there is one process at least"),
            ("RANK", "-1", "RANK is \"-1\", wanted a number from 0 on"),
            ("RANK", "4", "RANK is 4, and WORLD_SIZE 4: ranks are counted from 0"),
            ("LOCAL_RANK", "a", "LOCAL_RANK is \"a\", wanted a number from 0 on"),
            ("MASTER_PORT", "0", "MASTER_PORT is \"0\", wanted a port from 1 to 65535"),
            ("MASTER_PORT", "70000", "MASTER_PORT is \"70000\", wanted a port from 1 to 65535"),
        ] {
            assert_eq!(read(&with(name, value)).unwrap_err().to_string(), told);
        }
    }

    #[test]
    fn the_port_that_torchrun_took_is_left_to_it() {
        let agents = [&WHOLE[..], &[("TORCHELASTIC_USE_AGENT_STORE", "True")]].concat();
        let own = [&WHOLE[..], &[("TORCHELASTIC_USE_AGENT_STORE", "False")]].concat();

        assert_eq!(read(&agents).unwrap().unwrap().master.port, 29_501);
        assert_eq!(read(&own).unwrap().unwrap().master.port, 29_500);
    }

    fn with(name: &'static str, value: &'static str) -> Vec<(&'static str, &'static str)> {
        WHOLE.iter().map(|&it| if it.0 == name { (name, value) } else { it }).collect()
    }

    fn read(variables: &[(&str, &str)]) -> Result<Option<World>, WorldError> {
        World::from_variables(|name| {
            variables.iter().find(|it| it.0 == name).map(|it| it.1.to_owned())
        })
    }
}
