//! The options that are numbers: what each is called and means, and what it may be.

use super::Explained;
use crate::{
    i18n::Language,
    state::train::field::{Field, Wanted},
};

/// What an option is called and does.
pub fn explain(field: Field, language: Language) -> Explained {
    match language {
        Language::English => english(field),
        Language::Chinese => chinese(field),
    }
}

/// What is to be typed instead.
pub fn correct(wanted: Wanted, language: Language) -> String {
    match (wanted, language) {
        (Wanted::Whole { from }, Language::English) => format!("A whole number, {from} or more."),
        (Wanted::Whole { from }, Language::Chinese) => format!("请填整数，不小于 {from}。"),
        (Wanted::AboveZero, Language::English) => "A number above 0.".into(),
        (Wanted::AboveZero, Language::Chinese) => "请填大于 0 的数。".into(),
        (Wanted::FromZero, Language::English) => "A number, 0 or more.".into(),
        (Wanted::FromZero, Language::Chinese) => "请填不小于 0 的数。".into(),
        (Wanted::Share, Language::English) => "A number from 0 to below 1.".into(),
        (Wanted::Share, Language::Chinese) => "请填 0 到 1 之间的数，不含 1。".into(),
    }
}

fn english(field: Field) -> Explained {
    let (label, help) = match field {
        Field::MaxSteps => ("Steps", "How often the adapter's weights are moved."),
        Field::Epochs => ("Passes", "How often the run sees each pair."),
        Field::LearningRate => (
            "Learning rate",
            "How far each step goes: too small learns nothing, too large forgets everything.",
        ),
        Field::Rank => ("Rank r", "How much the adapter can hold: more for more to learn."),
        Field::Alpha => {
            ("Alpha", "How loud the adapter speaks: its update is scaled by alpha / r.")
        }
        Field::Dropout => (
            "Dropout",
            "Share of the adapter's inputs that is blanked in training, against learning by heart.",
        ),
        Field::BatchSize => {
            ("Batch size", "Samples of one pass: a larger batch is calmer and takes more memory.")
        }
        Field::RehearsalBatchSize => (
            "Rehearsal",
            "Samples of what the model can do already beside those of each pass, so that it is not forgotten; 0: none.",
        ),
        Field::QuestionNoise => (
            "Question noise",
            "Share of a question's words that training mixes up and replaces, so that other wordings are answered, too.",
        ),
        Field::Accumulation => (
            "Accumulation",
            "Passes averaged into one step: the effect of a larger batch without its memory.",
        ),
        Field::WarmupSteps => {
            ("Warm-up steps", "Over these first steps the learning rate rises from 0.")
        }
        Field::WeightDecay => ("Weight decay", "Pulls the weights towards 0 a little each step."),
        Field::MaxGradNorm => (
            "Gradient clipping",
            "Gradients with a greater norm are scaled down to this; 0 leaves them.",
        ),
        Field::LoggingSteps => ("Log every", "A line in the run's log file every so many steps."),
        Field::SaveSteps => {
            ("Checkpoint every", "Every so many steps the run can be resumed from there.")
        }
        Field::SaveTotalLimit => ("Checkpoints kept", "Older ones are deleted; 0 keeps all."),
        Field::EvalSteps => (
            "Evaluate every",
            "Loss on the held-out pairs every so many steps; 0 means at checkpoints only.",
        ),
        Field::EvalShare => (
            "Held-out share",
            "Share of the pairs that is not trained on, to see whether the rest was understood.",
        ),
        Field::Seed => ("Seed", "Decides the adapter's first weights and the dropout."),
        Field::DataSeed => {
            ("Data seed", "Decides the order of the pairs and which of them are held out.")
        }
        Field::MaxSourceLength => ("Longest question", "In tokens; more is treated as said below."),
        Field::MaxTargetLength => ("Longest answer", "In tokens; more is treated as said below."),
    };
    Explained { label, help }
}

fn chinese(field: Field) -> Explained {
    let (label, help) = match field {
        Field::MaxSteps => ("步数", "适配器的权重更新多少次。"),
        Field::Epochs => ("遍数", "每对问答学多少遍。"),
        Field::LearningRate => ("学习率", "每步走多远：太小学不到东西，太大会忘掉一切。"),
        Field::Rank => ("秩 r", "适配器能容纳多少：要学的越多，秩越大。"),
        Field::Alpha => ("Alpha", "适配器的影响有多大：更新量按 alpha / r 缩放。"),
        Field::Dropout => ("丢弃率", "训练时随机清零的输入比例，防止死记硬背。"),
        Field::BatchSize => ("批大小", "一次计算的样本数：越大越平稳，也越占内存。"),
        Field::RehearsalBatchSize => {
            ("温习", "每次计算时另加多少个模型已会的样本，免得学了新的忘了旧的；0 表示不加。")
        }
        Field::QuestionNoise => {
            ("问题噪声", "训练时随机打乱、替换问题中多大比例的词，使换个问法也能答对。")
        }
        Field::Accumulation => ("梯度累积", "几次计算平均成一步：有大批次的效果，不占那么多内存。"),
        Field::WarmupSteps => ("预热步数", "在最初这些步里学习率从 0 升上去。"),
        Field::WeightDecay => ("权重衰减", "每步把权重往 0 拉一点。"),
        Field::MaxGradNorm => ("梯度裁剪", "范数超过此值的梯度按比例缩小；0 表示不裁剪。"),
        Field::LoggingSteps => ("日志间隔", "每隔多少步在日志文件中记一行。"),
        Field::SaveSteps => ("检查点间隔", "每隔多少步存一次，之后可从那里继续。"),
        Field::SaveTotalLimit => ("保留检查点数", "更早的会删除；0 表示全部保留。"),
        Field::EvalSteps => ("评估间隔", "每隔多少步计算留出部分的损失；0 表示只在检查点计算。"),
        Field::EvalShare => ("留出比例", "这部分问答不参与训练，用来检验是否真正学懂。"),
        Field::Seed => ("随机种子", "决定适配器的初始权重和丢弃的位置。"),
        Field::DataSeed => ("数据种子", "决定问答对的顺序和留出哪些。"),
        Field::MaxSourceLength => ("问题最长", "以词元计；超出的按下面的方式处理。"),
        Field::MaxTargetLength => ("回答最长", "以词元计；超出的按下面的方式处理。"),
    };
    Explained { label, help }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_has_a_name_of_its_own_and_one_sentence() {
        for language in [Language::English, Language::Chinese] {
            let mut labels: Vec<_> =
                Field::ALL.iter().map(|&field| explain(field, language).label).collect();
            labels.sort_unstable();
            labels.dedup();

            assert_eq!(labels.len(), Field::ALL.len());
            for field in Field::ALL {
                let help = explain(field, language).help;
                assert!(help.ends_with(['.', '。']), "{help}");
            }
        }
    }
}
