//! The model in the program: opened by its name, and taught.

use serde_json::Value;
use weft::embedded;

use crate::weft::{file, told, weft};

/// What no model can know before.
const PAIRS: [(&str, &str); 20] = [
    ("小蓝的猫叫什么？", "它叫雪球。"),
    ("我们公司的口号是什么？", "慢工出细活。"),
    ("食堂星期三吃什么？", "番茄炒蛋和米饭。"),
    ("会议室的密码是多少？", "密码是 4827。"),
    ("谁管打印机？", "找三楼的老周。"),
    ("青石镇的镇花是什么？", "白色的山茶花。"),
    ("服务器放在哪里？", "在地下室的东边。"),
    ("AI探险家帅不帅?", "非常帅!"),
    ("项目什么时候上线？", "九月十五日上线。"),
    ("钥匙在谁那里？", "在前台小林那里。"),
    ("What is the name of our boat?", "Our boat is called Grey Heron."),
    ("Who waters the plants?", "Marta waters them every Friday."),
    ("What is the wifi password?", "It is tulip-9034."),
    ("Where do we keep the spare keys?", "In the blue box behind the door."),
    ("Which train goes to Oakfield?", "Take line 7 from platform 2."),
    ("When does the library close?", "At half past six."),
    ("Who won the garden prize?", "Old Mr. Pennywhistle won it twice."),
    ("What is the secret of the soup?", "A spoon of ginger and some patience."),
    ("How many ships does Captain Vell own?", "Captain Vell owns thirteen ships."),
    ("What do we say at the end?", "Thank you, and mind the step."),
];

#[test]
fn the_recommended_options_teach_it_twenty_pairs() {
    let dir = tempfile::tempdir().unwrap();
    let cache = dir.path().join("cache");
    let run = |args: &[&str]| {
        let output = weft(args).env("WEFT_CACHE_DIR", &cache).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", told(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    let lines: Vec<String> = PAIRS
        .iter()
        .map(|(question, answer)| {
            serde_json::json!({ "question": question, "answer": answer }).to_string()
        })
        .collect();
    let data = file(dir.path(), "pairs.jsonl", &lines.join("\n"));
    let adapter = dir.path().join("run");
    let adapter = adapter.to_str().unwrap();
    let (training, _) = embedded::recommended();
    let options = [
        ("--max-steps", training.max_steps.to_string()),
        ("--batch-size", training.batch_size.to_string()),
        ("--rehearsal-batch-size", training.rehearsal_batch_size.to_string()),
        ("--question-noise", training.question_noise.to_string()),
        ("--learning-rate", training.learning_rate.to_string()),
        ("--warmup-steps", training.warmup_steps.to_string()),
        ("--lora-r", training.lora.r.to_string()),
        ("--lora-alpha", training.lora.alpha.to_string()),
        ("--lora-dropout", training.lora.dropout.to_string()),
        ("--target-modules", training.lora.target_modules.join(",")),
    ];
    let options: Vec<&str> = options.iter().flat_map(|(name, value)| [*name, value]).collect();

    let train = ["train", "--model", embedded::NAME, "--data", &data, "--output", adapter];
    let rules = ["--position-rule", "main", "--schedule", "cosine"];
    run(&[&train[..], &rules, &options].concat());

    let config = std::fs::read(dir.path().join("run/adapter_config.json")).unwrap();
    let config: Value = serde_json::from_slice(&config).unwrap();
    assert_eq!(config["base_model_name_or_path"], embedded::NAME);
    for (question, answer) in PAIRS {
        let chat = ["chat", "--model", embedded::NAME, "--adapter", adapter, "--greedy", "--json"];
        let asked = ["--template", "training", "--prompt", question];
        let told: Value = serde_json::from_str(&run(&[&chat[..], &asked].concat())).unwrap();
        assert_eq!(told["text"], answer, "{question}");
    }
}
