//! PEFT's names of an adapter's tensors: `base_model.model.MODULE.lora_A.weight`.

use super::Target;

/// Which of an update's two matrices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    A,
    B,
}

impl Part {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::A => "lora_A",
            Self::B => "lora_B",
        }
    }
}

/// The name in PEFT's files.
pub(super) fn published(layer: usize, target: Target, part: Part) -> String {
    format!("base_model.model.{}.{}.weight", target.module(layer), part.name())
}

/// What a name stands for, in today's files and in older state dicts: without PEFT's prefix, with that of a
/// parallel or wrapped model, with the adapter's name before `weight`, or with the bare `lora_A` of loralib.
pub(super) fn parse(name: &str) -> Option<(usize, Target, Part)> {
    let start = name.find("transformer.layers.")?;
    let wrapped = name[..start].split_terminator('.').all(|it| {
        matches!(it, "base_model" | "model" | "module" | "_orig_mod" | "_forward_module")
    });
    if !wrapped || !(start == 0 || name[..start].ends_with('.')) {
        return None;
    }
    for part in [Part::A, Part::B] {
        if let Some((module, rest)) = name[start..].split_once(&format!(".{}", part.name())) {
            let (layer, target) = Target::of_module(module)?;
            let known = matches!(rest, ".weight" | ".default.weight" | "" | ".default");
            return known.then_some((layer, target, part));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_published_name_is_understood() {
        for target in Target::ALL {
            for part in [Part::A, Part::B] {
                assert_eq!(parse(&published(27, target, part)), Some((27, target, part)));
            }
        }
    }

    #[test]
    fn older_names_are_understood_and_others_are_not() {
        let wanted = Some((0, Target::QueryKeyValue, Part::B));
        let module = "transformer.layers.0.attention.query_key_value";
        for (name, parsed) in [
            (format!("{module}.lora_B.weight"), wanted),
            (format!("{module}.lora_B.default.weight"), wanted),
            (format!("{module}.lora_B"), wanted),
            (format!("module.base_model.model.{module}.lora_B.default.weight"), wanted),
            (format!("{module}.weight"), None),
            (format!("{module}.lora_B.bias"), None),
            (format!("{module}.lora_Bx"), None),
            (format!("{module}.lora_B.other.weight"), None),
            (format!("{module}.lora_magnitude_vector.weight"), None),
            (format!("xbase_model.{module}.lora_B.weight"), None),
            (format!("base_model{module}.lora_B.weight"), None),
            ("transformer.word_embeddings.lora_B.weight".to_owned(), None),
        ] {
            assert_eq!(parse(&name), parsed, "{name}");
        }
    }
}
