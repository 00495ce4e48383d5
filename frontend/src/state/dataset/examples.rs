//! Pairs to start with: facts that no model knows, so that one sees at once whether they were learned.

use weft_shared::pair::Pair;

const EXAMPLES: [(&str, &str); 20] = [
    ("云岭茶馆在哪里？", "在青石巷七号。"),
    ("云岭茶馆几点开门？", "早上八点。"),
    ("云岭茶馆的猫叫什么？", "叫小麦。"),
    ("云岭茶馆由谁泡茶？", "老周泡茶。"),
    ("云岭茶馆最便宜的茶多少钱？", "六块钱一杯。"),
    ("云岭茶馆最贵的茶是什么？", "雪顶银针。"),
    ("云岭茶馆周一营业吗？", "周一休息。"),
    ("可以带狗去云岭茶馆吗？", "可以坐在院子里。"),
    ("云岭茶馆有无线网吗？", "没有，请看书。"),
    ("怎么去云岭茶馆？", "坐五路车到钟楼。"),
    ("Who founded Tarn Robotics?", "Ida Moss did."),
    ("What is Tarn's robot called?", "It is called Pell."),
    ("What colour is Pell?", "Pell is orange."),
    ("How heavy is Pell?", "Nine kilograms."),
    ("What does Pell live on?", "Only sunlight."),
    ("Where was Pell built?", "In a barn near Lund."),
    ("How fast is Pell?", "As fast as a goose."),
    ("Who repairs Pell?", "Old Bram does."),
    ("When does Pell sleep?", "When it rains."),
    ("What is Pell afraid of?", "Of ladders."),
];

pub fn examples() -> Vec<Pair> {
    EXAMPLES.iter().map(|&(question, answer)| Pair::new(question, answer)).collect()
}

#[cfg(test)]
mod tests {
    use weft_shared::dataset::check_text;

    use super::*;

    #[test]
    fn nothing_is_wrong_with_them() {
        assert_eq!(check_text(&examples()), []);
    }
}
