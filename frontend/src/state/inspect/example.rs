//! Pairs to start from; each shows something of its own.

use weft_shared::pair::{Pair, Turn};

/// The example that the tutorial prints.
pub fn published() -> Pair {
    Pair::new("AI探险家帅不帅?", "非常帅!")
}

/// Both languages, code with its white space, characters that become bytes, a conversation, and text that is taken
/// for a special token.
pub fn examples() -> Vec<Pair> {
    vec![
        published(),
        Pair::new(
            "Who wove this cloth?",
            "You did: every pair is a thread, and the model is the loom.",
        ),
        Pair {
            history: vec![Turn::new("你好", "你好！我是小织，很高兴见到你。")],
            ..Pair::new("你会做什么？", "我会回答问题，也会把新的知识织进模型。")
        },
        Pair::new(
            "Write a loop that weaves.",
            "for warp in threads:\n    for weft in warp:\n        yield weft\t# over, under",
        ),
        Pair::new("𠮷野家 🧵 ½ ﬁ ① 是什么？", "𠮷 不在词表里，要用四个字节来写。"),
        Pair::new("What does <sop> mean?", "It opens the answer."),
    ]
}
