//! `weft bench load`: a model from files in the published form to where it is computed.

use std::{env, fs, path::PathBuf, process};

use clap::ValueEnum;
use serde_json::{Value, json};

use super::{Common, Opened, gib, round};
use crate::{
    bench::{self, Loading},
    checkpoint::CheckpointForm,
};

#[derive(Debug, clap::Args)]
pub(super) struct FileArgs {
    /// How the files are written, in f16 and in shards of 2 GB.
    #[arg(long, value_enum, default_value = "bin")]
    format: FormatArg,
    /// Where they are kept for the next time; unless given, a temporary folder.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Read from the disk each time, not from what the system remembers of it.
    #[arg(long)]
    cold: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum FormatArg {
    /// As `torch.save` writes them.
    Bin,
    Safetensors,
}

impl From<FormatArg> for CheckpointForm {
    fn from(format: FormatArg) -> Self {
        match format {
            FormatArg::Bin => Self::Torch,
            FormatArg::Safetensors => Self::Safetensors,
        }
    }
}

/// A folder that goes when this does.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        // What is left in a temporary folder is the system's to remove.
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub(super) fn run(common: &Common, files: FileArgs) -> anyhow::Result<Value> {
    let Opened { shape, device, format, head: mut report } = common.open()?;
    let temporary = match &files.dir {
        Some(_) => None,
        None => Some(Temporary(env::temp_dir().join(format!("weft-bench-{}", process::id())))),
    };
    let dir = files.dir.as_ref().or(temporary.as_ref().map(|it| &it.0));
    let dir = dir.cloned().unwrap_or_default();
    let folder = bench::published_model(&dir, shape, files.format.into())?;
    let loading = bench::load(&folder, (format, &device), files.cold, common.repeats)?;

    let Loading { files: count, bytes, first_seconds, loads, rss_bytes, .. } = &loading;
    let rate = |ms: f64| round(*bytes as f64 / ms / 1e6);
    report["format"] = json!(files.format.to_possible_value().map(|it| it.get_name().to_owned()));
    report["cold"] = json!(files.cold);
    report["files"] = json!(count);
    report["bytes"] = json!(bytes);
    report["seconds"] = json!(round(loads.median_ms() / 1e3));
    report["seconds_fastest"] = json!(round(loads.fastest_ms() / 1e3));
    report["seconds_slowest"] = json!(round(loads.slowest_ms() / 1e3));
    report["seconds_first"] = json!(round(*first_seconds));
    report["gb_s"] = json!(rate(loads.median_ms()));
    report["read_gb_s"] = json!(rate(loading.reads.median_ms()));
    report["bus_gb_s"] = json!(loading.bus.map(|rate| round(rate / 1e9)));
    report["rss_before_gib"] = json!(rss_bytes.0.map(gib));
    report["rss_peak_gib"] = json!(rss_bytes.1.map(gib));
    report["peak_gib"] = json!(loading.device_bytes.map(gib));
    Ok(report)
}
