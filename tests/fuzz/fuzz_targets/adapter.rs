//! Adapters in PEFT's form: any bytes are read without a panic, and a configuration that was read is read again
//! from what is written of it. The bytes before the first zero byte are the configuration, the others the weights.
#![no_main]

use libfuzzer_sys::fuzz_target;
use weft::{
    chatglm::ChatGlmConfig,
    lora::{AdapterParts, LoraConfig},
};

fuzz_target!(|bytes: &[u8]| {
    let end = bytes.iter().position(|&it| it == 0).unwrap_or(bytes.len());
    let default = br#"{"peft_type": "LORA", "target_modules": "all-linear", "r": 1}"#;
    let weights = bytes.get(end + 1..).unwrap_or_default();
    for config in [&bytes[..end], default] {
        let Ok(config) = LoraConfig::from_json(config) else { continue };
        let written = config.to_json();
        let again = LoraConfig::from_json(written.as_bytes()).expect("what was written can be read");
        assert_eq!(again.to_json(), written);

        if let Ok(parts) = AdapterParts::from_bytes(config, weights) {
            let model = ChatGlmConfig::of_shape(1, 8, 2, 16);
            let _ = parts.adapter(&model, &candle_core::Device::Cpu);
        }
    }
});
