//! `weft bench`, of a shape that takes no time.

use serde_json::Value;

use crate::weft::{printed, refused, text};

const ON_CPU: [&str; 6] = ["--shape", "mini", "--random-weights", "--device", "cpu", "--repeats=3"];

fn report(args: &[&str]) -> Value {
    let printed = printed(&[&["bench"], args, &ON_CPU[..]].concat());
    serde_json::from_str(&printed).unwrap()
}

#[track_caller]
fn assert_positive(report: &Value, names: &[&str]) {
    for name in names {
        assert!(report[name].as_f64() > Some(0.0), "{name} of {report}");
    }
}

#[test]
fn training_is_held_against_the_rates_of_the_same_run() {
    let one = report(&["train", "--batch", "2", "--seq", "32", "--dtype", "f32"]);
    let several = report(&["train", "--shapes", "1x16,2x24"]);

    let rates = ["matmul_tflop_s", "copy_gb_s"];
    assert_positive(&one, &rates);
    let timings = ["ms", "ms_fastest", "ms_slowest", "tok_s", "share_of_matmul", "share_of_copy"];
    assert_positive(&one["2x32"], &timings);
    assert_positive(&several["1x16"], &timings);
    assert_positive(&several["2x24"], &timings);
    assert_eq!(one["dtype"], "f32");
    assert_eq!(
        (&one["layers"], &one["hidden"], &one["vocab"]),
        (&3.into(), &32.into(), &320.into())
    );
}

#[test]
fn decoding_takes_few_bits_and_single_sizes() {
    let report = report(&["decode", "--seq", "40", "--dtype", "int4", "--layers", "1"]);

    assert_positive(&report["decode"], &["ms", "tok_s", "share_of_matmul", "share_of_copy"]);
    assert_positive(&report["first_token"], &["ms", "tok_s"]);
    assert_eq!((&report["dtype"], &report["layers"]), (&"int4".into(), &1.into()));
}

#[test]
fn files_are_made_once_and_loaded_in_both_forms() {
    let dir = tempfile::tempdir().unwrap();
    let kept = text(dir.path());
    for (form, dtype) in [("bin", "f32"), ("safetensors", "int8")] {
        let options = ["load", "--format", form, "--dtype", dtype, "--dir", &kept];
        let first = report(&options);
        let weights = || {
            let folder = dir.path().join(format!("random-3x32x2x320-{form}"));
            let ending = |it: &std::fs::DirEntry| text(&it.path()).ends_with(form);
            let file = folder.read_dir().unwrap().map(Result::unwrap).find(ending).unwrap();
            file.metadata().unwrap().modified().unwrap()
        };
        let made = weights();

        let again = report(&options);

        assert_eq!(made, weights(), "{form} is written again");
        assert_eq!((&first["bytes"], &first["files"]), (&again["bytes"], &1.into()));
        assert_eq!((&again["format"], &again["dtype"]), (&form.into(), &dtype.into()));
        assert_positive(&again, &["bytes", "gb_s", "read_gb_s"]);
        assert_eq!(again["bus_gb_s"], Value::Null, "there is no bus to the processor");
    }
    assert_eq!(dir.path().read_dir().unwrap().count(), 2, "nothing else is left");
}

#[cfg(target_os = "linux")]
#[test]
fn the_disk_is_read_where_the_system_is_to_forget() {
    let report = report(&["load", "--cold"]);

    assert_eq!(report["cold"], true);
    assert_positive(&report, &["rss_before_gib", "rss_peak_gib"]);
}

#[test]
fn what_cannot_be_measured_is_named() {
    for (args, words) in [
        (&["train", "--shape", "7b"][..], &["7b", "chatglm-6b", "embedded", "LAYERSx"][..]),
        (&["train", "--shape", "mini", "--heads", "3", "--device", "cpu"], &["heads: 3", "divide"]),
        (&["train", "--batch", "2", "--shapes", "1x16"], &["--batch", "--shapes"]),
        (&["train", "--seq", "1"], &["--seq", "1"]),
        (&["decode", "--dtype", "int3"], &["int3", "q4_0"]),
        (&["load", "--format", "gguf"], &["gguf", "safetensors"]),
    ] {
        let error = refused(&[&["bench"], args].concat());
        for word in words {
            assert!(error.contains(word), "{args:?}: {word} is not in {error}");
        }
    }
}

#[test]
fn the_devices_rates_are_one_object() {
    let rates = printed(&["bench", "device", "--device", "cpu"]);
    let rates: Value = serde_json::from_str(&rates).unwrap();

    assert_eq!((&rates["device"], &rates["dtype"]), (&"Cpu".into(), &"f32".into()));
    assert!(rates["copy_gb_s"].as_f64() > Some(0.0) && rates["threads"].as_u64() > Some(0));
}
