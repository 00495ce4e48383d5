//! What several commands need: a model, pairs, and how pairs are encoded.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use candle_core::{DType, Device};
use clap::ValueEnum;
use weft_shared::{
    dataset::{self, DatasetError},
    pair::Pair,
    sample::{PositionRule, SampleOptions, Truncation},
    training::LoraOptions,
};

use crate::{
    chat::Template,
    chatglm::ChatGlmConfig,
    device::{DeviceError, DeviceName, WeightFormat},
    hub,
    lora::{self, Adapter},
    model_dir::ModelDir,
};

/// Which model.
#[derive(Debug, clap::Args)]
pub(super) struct ModelArgs {
    /// A model folder, a hub id such as THUDM/chatglm-6b, or `embedded`: the small one that the program carries.
    #[arg(long, value_name = "DIR|ID")]
    pub model: String,
}

impl ModelArgs {
    /// Finds the model, fetching or unpacking it if need be.
    pub(super) fn open(&self) -> anyhow::Result<ModelDir> {
        Ok(ModelDir::open(&hub::resolve(&self.model)?)?)
    }
}

/// What computes, and in which numbers.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct ComputeArgs {
    /// What computes: auto, cpu, cuda, or cuda:N for the GPU numbered N. Of several processes that train together,
    /// each takes the GPU of its `LOCAL_RANK`.
    #[arg(long, default_value = "auto")]
    device: DeviceName,
    /// What frozen weights are kept in: f32, f16, bf16, int8 or int4 (the reference's, a scale a row), `q8_0` or `q4_0`
    /// (ggml's, a scale for 32 numbers); unless given, f16 on a GPU and f32 on the processor.
    #[arg(long, value_name = "FORM")]
    dtype: Option<WeightFormat>,
}

impl ComputeArgs {
    pub(super) fn open(self) -> Result<(Device, WeightFormat), DeviceError> {
        self.open_for(0)
    }

    /// The same for the process of this number on its machine.
    pub(super) fn open_for(self, local_rank: usize) -> Result<(Device, WeightFormat), DeviceError> {
        let device = self.device.open_for(local_rank)?;
        let format = WeightFormat::new(self.dtype, &device)?;
        Ok((device, format))
    }
}

/// Which layers get a low-rank update, and of what rank.
#[derive(Debug, clap::Args)]
pub(super) struct LoraArgs {
    /// Rank of the low-rank update.
    #[arg(long, visible_alias = "rank", default_value_t = LoraOptions::default().r as u32)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1 << 16))]
    lora_r: u32,
    /// Linear layers that get an update: `query_key_value`, `dense`, `dense_h_to_4h`, `dense_4h_to_h`, all-linear.
    #[arg(long, visible_alias = "targets", value_delimiter = ',')]
    #[arg(default_values_t = LoraOptions::default().target_modules)]
    target_modules: Vec<String>,
}

impl LoraArgs {
    /// The rest is as the tutorial has it.
    pub(super) fn options(&self) -> LoraOptions {
        LoraOptions {
            r: self.lora_r as usize,
            target_modules: self.target_modules.clone(),
            ..LoraOptions::default()
        }
    }
}

/// How a question without history is put to the model.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum TemplateArg {
    /// The bare question.
    Chat,
    /// `问:…` and the separator.
    Training,
}

impl From<TemplateArg> for Template {
    fn from(arg: TemplateArg) -> Self {
        match arg {
            TemplateArg::Chat => Self::Chat,
            TemplateArg::Training => Self::Training,
        }
    }
}

/// What a pair's question and answer may take, and how they are placed.
#[derive(Debug, clap::Args)]
pub(super) struct EncodingArgs {
    /// Most tokens of a question with its separator.
    #[arg(long, default_value_t = SampleOptions::default().max_source_length)]
    max_source_length: usize,
    /// Most tokens of an answer.
    #[arg(long, default_value_t = SampleOptions::default().max_target_length)]
    max_target_length: usize,
    /// What becomes of longer ones.
    #[arg(long, value_enum, default_value = "end")]
    truncation: TruncationArg,
    /// Which revision's rule fills the first row of positions from <sop> on; the tutorial trains every model with
    /// the first.
    #[arg(long, value_enum, default_value = "096f3de")]
    position_rule: PositionRuleArg,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum TruncationArg {
    /// Keep the first tokens.
    End,
    /// Keep the last tokens.
    Front,
    /// Leave the pair out.
    Drop,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum PositionRuleArg {
    /// Counts on.
    #[value(name = "096f3de")]
    V096f3de,
    /// Repeats the position of [gMASK].
    Main,
}

/// A model that is written anew.
#[derive(Debug, clap::Args)]
pub(super) struct RewriteArgs {
    #[command(flatten)]
    model: ModelArgs,
    /// Where the new model goes; must not exist.
    #[arg(long, value_name = "DIR")]
    output: PathBuf,
    /// What its weights are kept in.
    #[arg(long, value_enum, default_value = "f16")]
    dtype: DTypeArg,
}

impl RewriteArgs {
    /// Writes the model, with the update of the adapter in that folder if there is one.
    pub(super) fn rewrite(&self, adapter: Option<&Path>) -> anyhow::Result<()> {
        let model = self.model.open()?;
        let adapter = match adapter {
            Some(dir) => Adapter::read(dir, model.config(), &Device::Cpu)?,
            None => Adapter::new(LoraOptions::default(), BTreeMap::new()),
        };
        lora::merge(model.path(), model.config(), &adapter, self.dtype.into(), &self.output)?;
        tracing::info!("the model is in {}", self.output.display());
        Ok(())
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum DTypeArg {
    F16,
    Bf16,
    F32,
}

impl From<DTypeArg> for DType {
    fn from(dtype: DTypeArg) -> Self {
        match dtype {
            DTypeArg::F16 => Self::F16,
            DTypeArg::Bf16 => Self::BF16,
            DTypeArg::F32 => Self::F32,
        }
    }
}

impl EncodingArgs {
    /// The options for a model of this configuration.
    pub(super) fn options(&self, config: &ChatGlmConfig) -> SampleOptions {
        SampleOptions {
            max_source_length: self.max_source_length,
            max_target_length: self.max_target_length,
            truncation: match self.truncation {
                TruncationArg::End => Truncation::End,
                TruncationArg::Front => Truncation::Front,
                TruncationArg::Drop => Truncation::Drop,
            },
            position_encoding_2d: config.position_encoding_2d,
            position_rule: match self.position_rule {
                PositionRuleArg::V096f3de => PositionRule::V096f3de,
                PositionRuleArg::Main => PositionRule::Main,
            },
            ..SampleOptions::default()
        }
    }
}

/// The pairs of a file in any form; bad records are told and left out.
pub(super) fn read_pairs(path: &Path) -> anyhow::Result<Vec<Pair>> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let read = dataset::read(&bytes, None);
    let problems = match &read {
        Ok(read) => read.problems.as_slice(),
        Err(DatasetError::NoPairs(problems)) => problems.as_slice(),
        Err(_) => &[],
    };
    for problem in problems {
        tracing::warn!("{}: {problem}", path.display());
    }
    Ok(read.with_context(|| path.display().to_string())?.pairs)
}
