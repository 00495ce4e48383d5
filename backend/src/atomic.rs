//! Files and folders that appear whole or not at all.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

/// A file or folder that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {path}")]
pub struct WriteError {
    pub path: PathBuf,
    #[source]
    pub source: io::Error,
}

impl WriteError {
    /// For `map_err`.
    pub fn at(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self { path, source }
    }
}

/// The name under which `target` is written until it is whole.
fn unfinished(target: &Path) -> PathBuf {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    target.with_file_name(format!(".{name}.unfinished"))
}

/// Writes `bytes` to `target` through a sibling that is renamed when it is on the disk.
pub(crate) fn write_file(target: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    let sibling = unfinished(target);
    let write = || {
        fs::write(&sibling, bytes)?;
        File::open(&sibling)?.sync_all()?;
        fs::rename(&sibling, target)
    };
    write().map_err(WriteError::at(target))
}

/// Lets `fill` write a folder's files, then puts the folder in `target`'s place.
///
/// A crash at any moment leaves `target` as it was, or whole; never a part of it.
pub(crate) fn write_dir<E: From<WriteError>>(
    target: &Path,
    fill: impl FnOnce(&Path) -> Result<(), E>,
) -> Result<(), E> {
    let sibling = unfinished(target);
    let prepare = || {
        remove_dir(&sibling)?;
        fs::create_dir_all(&sibling)
    };
    prepare().map_err(WriteError::at(&sibling))?;
    let filled = fill(&sibling).and_then(|()| {
        let publish = || {
            for entry in fs::read_dir(&sibling)? {
                File::open(entry?.path())?.sync_all()?;
            }
            remove_dir(target)?;
            fs::rename(&sibling, target)?;
            // A name alone has an empty parent: the folder that the program was started in.
            let parent = target.parent().filter(|parent| !parent.as_os_str().is_empty());
            File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
        };
        publish().map_err(WriteError::at(target)).map_err(E::from)
    });
    if filled.is_err() {
        // What is left of it takes space that the next attempt may need; failing to remove it changes nothing.
        let _ = remove_dir(&sibling);
    }
    filled
}

/// Removes what crashed writers left in `dir`.
pub(crate) fn remove_unfinished(dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with('.') && name.ends_with(".unfinished") {
            if entry.file_type()?.is_dir() {
                fs::remove_dir_all(entry.path())?;
            } else {
                fs::remove_file(entry.path())?;
            }
        }
    }
    Ok(())
}

fn remove_dir(dir: &Path) -> io::Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_the_old_folder_whole() {
        let parent = tempfile::tempdir().unwrap();
        let target = parent.path().join("checkpoint");
        write_dir(&target, |dir| write_file(&dir.join("weights"), b"old")).unwrap();

        let failed = write_dir(&target, |dir| {
            write_file(&dir.join("weights"), b"new")?;
            write_file(&dir.join("missing/weights"), b"new")
        });

        assert!(failed.unwrap_err().to_string().contains("missing"));
        assert_eq!(fs::read(target.join("weights")).unwrap(), b"old");
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 1, "nothing else is left");
    }

    #[test]
    fn what_a_crash_left_is_removed() {
        let parent = tempfile::tempdir().unwrap();
        fs::create_dir(parent.path().join(".checkpoint-5.unfinished")).unwrap();
        fs::create_dir(parent.path().join("checkpoint-4")).unwrap();

        remove_unfinished(parent.path()).unwrap();

        let left: Vec<_> =
            fs::read_dir(parent.path()).unwrap().map(|it| it.unwrap().file_name()).collect();
        assert_eq!(left, ["checkpoint-4"]);
    }
}
