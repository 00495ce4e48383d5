//! `weft adapter` show, merge and import.

use std::{path::Path, process::Command};

#[test]
fn an_adapter_is_shown() {
    let dir = weft_tests::fixture("peft_adapter");

    let shown = weft(&["show", "--adapter", text(&dir)]);

    assert_eq!(
        shown.strip_prefix(&format!("adapter         {}\n", dir.display())),
        Some(
            "\
base model      not named
r               2
alpha           6
scale           3 (alpha / r)
dropout         0.1
target modules  dense_4h_to_h, query_key_value
layers          2
parameters      288

module                                          lora_A   lora_B
transformer.layers.0.attention.query_key_value  [2, 8]   [24, 2]
transformer.layers.0.mlp.dense_4h_to_h          [2, 32]  [8, 2]
transformer.layers.1.attention.query_key_value  [2, 8]   [24, 2]
transformer.layers.1.mlp.dense_4h_to_h          [2, 32]  [8, 2]
"
        )
    );
}

#[test]
fn a_state_dict_is_imported_and_shown() {
    let dir = tempfile::tempdir().unwrap();
    let output = dir.path().join("imported/adapter");
    let file = weft_tests::fixture("state_dicts/merged_linear.pt");

    weft(&["import", text(&file), "--output", text(&output), "--lora-alpha", "6"]);

    let shown = weft(&["show", "--adapter", text(&output)]);
    assert!(shown.contains("base model      THUDM/chatglm-6b\nr               4\n"), "{shown}");
    assert!(shown.contains("alpha           12\nscale           3 (alpha / r)"), "{shown}");
}

/// What `weft adapter ARGS` prints.
fn weft(args: &[&str]) -> String {
    let program = env!("CARGO_BIN_EXE_weft-under-test");
    let output = Command::new(program).arg("adapter").args(args).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
