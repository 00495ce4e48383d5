//! The folder in which a server keeps what it has: one server a folder.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use directories::ProjectDirs;

/// A folder that no other server uses while this value, or a clone of it, lives.
#[derive(Clone, Debug)]
pub struct DataDir {
    path: PathBuf,
    /// The system gives the lock back when the file is closed, also after a kill.
    _lock: Arc<File>,
}

/// Why a folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    #[error("this system names no folder for data; give one with --data-dir")]
    NoPlatformFolder,
    #[error(
        "another Weft uses the folder {0}; stop it, or give this one a folder of its own with --data-dir"
    )]
    InUse(PathBuf),
    #[error("cannot use the folder {path}")]
    Unusable {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

impl DataDir {
    /// Makes the folder where it is missing and takes it; without a path the platform's folder for data.
    pub fn open(path: Option<&Path>) -> Result<Self, DataDirError> {
        let path = match path {
            Some(path) => path.to_owned(),
            None => platform_folder().ok_or(DataDirError::NoPlatformFolder)?,
        };
        let lock = || {
            fs::create_dir_all(&path)?;
            File::options().create(true).truncate(false).write(true).open(path.join("lock"))
        };
        let lock =
            lock().map_err(|source| DataDirError::Unusable { path: path.clone(), source })?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path, _lock: Arc::new(lock) }),
            Err(TryLockError::WouldBlock) => Err(DataDirError::InUse(path)),
            Err(TryLockError::Error(source)) => Err(DataDirError::Unusable { path, source }),
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file of the [`Store`](crate::store::Store).
    pub fn database(&self) -> PathBuf {
        self.path.join("weft.sqlite3")
    }

    /// Where a job has its checkpoints.
    pub fn job(&self, id: i64) -> PathBuf {
        self.path.join("jobs").join(id.to_string())
    }

    /// Where an adapter has its files, under its id: names are only in the store, and may change.
    pub fn adapter(&self, id: i64) -> PathBuf {
        self.path.join("adapters").join(id.to_string())
    }
}

fn platform_folder() -> Option<PathBuf> {
    Some(ProjectDirs::from("", "", "weft")?.data_dir().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_server_on_a_folder_is_refused_until_the_first_is_gone() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("new/folder");
        let first = DataDir::open(Some(&path)).unwrap();
        let clone = first.clone();

        let error = DataDir::open(Some(&path)).unwrap_err();
        assert!(matches!(&error, DataDirError::InUse(found) if *found == path));
        assert!(error.to_string().contains(&path.display().to_string()));

        drop(first);
        assert!(DataDir::open(Some(&path)).is_err());
        drop(clone);
        assert!(DataDir::open(Some(&path)).is_ok());
    }

    #[test]
    fn a_file_in_the_folders_place_is_named() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("file");
        fs::write(&path, "").unwrap();

        let error = DataDir::open(Some(&path)).unwrap_err();

        assert!(matches!(&error, DataDirError::Unusable { path: found, .. } if *found == path));
    }

    #[test]
    fn everything_lies_in_the_folder() {
        let parent = tempfile::tempdir().unwrap();
        let dir = DataDir::open(Some(parent.path())).unwrap();

        assert_eq!(dir.path(), parent.path());
        assert_eq!(dir.database(), parent.path().join("weft.sqlite3"));
        assert_eq!(dir.job(7), parent.path().join("jobs/7"));
        assert_eq!(dir.adapter(7), parent.path().join("adapters/7"));
    }
}
