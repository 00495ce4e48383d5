//! A manifest for people: its pairs can be thousands, and are in the file.

use serde_json::{Value, json};
use weft_shared::manifest::Manifest;

/// The manifest as JSON, with the number of its pairs in their place.
pub fn for_reading(manifest: &Manifest) -> String {
    let mut value = serde_json::to_value(manifest).unwrap_or(Value::Null);
    if let Some(pairs) = value.pointer_mut("/dataset/pairs") {
        *pairs = json!(format!("… {}", manifest.dataset.pairs.len()));
    }
    format!("{value:#}")
}

#[cfg(test)]
mod tests {
    use weft_shared::{
        manifest::{MANIFEST_FORM, ManifestDataset, ManifestModel},
        pair::Pair,
        sample::SampleOptions,
        training::TrainingOptions,
    };

    use super::*;

    #[test]
    fn pairs_are_counted_and_the_rest_is_there() {
        let text = for_reading(&Manifest {
            manifest: MANIFEST_FORM,
            weft_version: "0.1.0".into(),
            created_ms: 0,
            model: ManifestModel { name: "embedded".into(), fingerprint: "f".into() },
            dataset: ManifestDataset {
                name: "d".into(),
                version: 1,
                digest: "abc".into(),
                pairs: vec![Pair::new("secret", "a"); 20],
            },
            rehearsal: Vec::new(),
            encoding: SampleOptions::default(),
            options: TrainingOptions::default(),
            prompt_forms: Vec::new(),
            start_from: None,
        });

        assert!(text.contains("\"… 20\"") && text.contains("\"max_steps\": 1500"), "{text}");
        assert!(!text.contains("secret"));
    }
}
