//! The model that is carried inside the program: small enough, and there without a download.
//!
//! `cargo xtask pretrain-embedded` makes its files anew. It is unpacked into a folder once, so that everything else
//! uses it as any other model; the folder's name holds a digest, so that another version of the program unpacks its own.

use std::{
    env,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use directories::ProjectDirs;
use sha2::{Digest as _, Sha256};
use weft_shared::{
    pair::Pair,
    sample::{PositionRule, SampleOptions},
    training::{LoraOptions, ScheduleKind, TrainingOptions},
};

use crate::atomic::{self, WriteError};

/// How the model is called wherever a folder or a hub id could stand.
pub const NAME: &str = "embedded";

/// What it can do and what it cannot, in Chinese and English, as Markdown.
pub const CARD: &str = include_str!("../embedded/CARD.md");

/// Pairs of what it was trained on, of every kind: who teaches it something new lets it rehearse them.
const REHEARSAL: &str = include_str!("../embedded/rehearsal.jsonl");

const FILES: [(&str, &[u8]); 3] = [
    ("config.json", include_bytes!("../embedded/config.json")),
    ("ice_text.model", include_bytes!("../embedded/ice_text.model")),
    ("model.safetensors", include_bytes!("../embedded/model.safetensors")),
];

/// Its sizes and ids.
pub const CONFIG: &[u8] = FILES[0].1;

/// Hexadecimal digits of the digest that the folder's name has.
const DIGITS: usize = 16;

/// The pairs to rehearse of the model that was asked for as `source`; only this one brings any.
pub fn rehearsal(source: &str) -> &'static [Pair] {
    static PAIRS: LazyLock<Vec<Pair>> = LazyLock::new(|| {
        REHEARSAL.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    });
    if source == NAME { &PAIRS } else { &[] }
}

/// The folder of the model within `into`; its files are written unless they are there.
///
/// Programs that unpack at the same time do not disturb each other: each writes a folder of its own and gives it the
/// name, and whoever comes late finds the name taken by the same files.
pub fn unpack(into: &Path) -> Result<PathBuf, WriteError> {
    let folder = into.join(format!("{NAME}-{}", digest()));
    if is_whole(&folder) {
        return Ok(folder);
    }
    let own = into.join(format!("{NAME}-{}-{}", digest(), std::process::id()));
    atomic::write_dir(&own, |unfinished| {
        FILES.iter().try_for_each(|(name, bytes)| atomic::write_file(&unfinished.join(name), bytes))
    })?;
    match std::fs::rename(&own, &folder) {
        Ok(()) => Ok(folder),
        Err(_) if is_whole(&folder) => {
            std::fs::remove_dir_all(&own).map_err(WriteError::at(&own))?;
            Ok(folder)
        }
        // Something else is in the place, such as files that were damaged.
        Err(_) => {
            std::fs::remove_dir_all(&folder).map_err(WriteError::at(&folder))?;
            std::fs::rename(&own, &folder).map_err(WriteError::at(&folder))?;
            Ok(folder)
        }
    }
}

/// Where programs keep what they can make again: `WEFT_CACHE_DIR`, or the platform's folder for it.
pub fn cache_dir() -> PathBuf {
    if let Some(dir) = env::var_os("WEFT_CACHE_DIR").filter(|dir| !dir.is_empty()) {
        return dir.into();
    }
    let platform = ProjectDirs::from("", "", "weft").map(|dirs| dirs.cache_dir().to_owned());
    platform.unwrap_or_else(|| env::temp_dir().join("weft"))
}

/// Options with which the model learns some twenty pairs by heart in about a minute, on two cores, and keeps most of what
/// it knew by rehearsing it. Unlike the defaults, the positions are those that it answers with: it was trained so.
pub fn recommended() -> (TrainingOptions, SampleOptions) {
    let training = TrainingOptions {
        lora: LoraOptions {
            r: 16,
            alpha: 32.0,
            dropout: 0.0,
            target_modules: ["query_key_value", "dense", "dense_h_to_4h", "dense_4h_to_h"]
                .map(str::to_owned)
                .to_vec(),
            use_rslora: false,
        },
        max_steps: 260,
        batch_size: 14,
        rehearsal_batch_size: 12,
        question_noise: 0.3,
        learning_rate: 3e-3,
        schedule: ScheduleKind::Cosine,
        warmup_steps: 10,
        ..TrainingOptions::default()
    };
    let sample = SampleOptions { position_rule: PositionRule::Main, ..SampleOptions::default() };
    (training, sample)
}

fn is_whole(folder: &Path) -> bool {
    FILES.iter().all(|(name, bytes)| {
        folder.join(name).metadata().is_ok_and(|file| file.len() == bytes.len() as u64)
    })
}

fn digest() -> String {
    let mut hash = Sha256::new();
    for (_, bytes) in FILES {
        hash.update(bytes);
    }
    format!("{:x}", hash.finalize())[..DIGITS].to_owned()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::model_dir::ModelDir;

    #[test]
    fn what_is_unpacked_is_a_model_and_unpacked_once() {
        let cache = tempfile::tempdir().unwrap();

        let folder = unpack(cache.path()).unwrap();
        let written = fs::metadata(folder.join("model.safetensors")).unwrap().modified().unwrap();
        let again = unpack(cache.path()).unwrap();

        assert_eq!(folder, again);
        let same = fs::metadata(folder.join("model.safetensors")).unwrap().modified().unwrap();
        assert_eq!(written, same);
        let model = ModelDir::open(&folder).unwrap();
        assert!(model.config().is_main());
        model.tokenizer().unwrap();
        assert_eq!(fs::read_dir(cache.path()).unwrap().count(), 1, "nothing else is left");
    }

    #[test]
    fn a_damaged_folder_is_written_anew() {
        let cache = tempfile::tempdir().unwrap();
        let folder = unpack(cache.path()).unwrap();
        fs::write(folder.join("model.safetensors"), b"half").unwrap();

        unpack(cache.path()).unwrap();

        assert!(is_whole(&folder));
    }

    #[test]
    fn the_recommended_options_are_valid_and_fit_generation() {
        let (training, sample) = recommended();

        assert_eq!(training.validate(), Ok(()));
        assert_eq!(sample.position_rule, PositionRule::Main);
    }
}
