//! Facts that stand in tables: capitals, colours, animals, opposites, and words in both languages.

use std::collections::HashSet;

use super::{
    Pairs,
    intents::UNKNOWN,
    wording::{Language, capitalized, fill},
};

/// Wordings of one question about one row.
const WORDINGS: usize = 6;

pub(super) fn add(pairs: &mut Pairs) {
    capitals(pairs);
    colours(pairs);
    animals(pairs);
    opposites(pairs);
    words(pairs);
}

/// The rows of a table whose columns are separated by tabs; rows of another width are left out.
fn rows<const N: usize>(table: &'static str) -> impl Iterator<Item = [&'static str; N]> {
    table.lines().filter_map(|line| line.split('\t').collect::<Vec<_>>().try_into().ok())
}

/// Asks a fact by each of the templates.
fn ask(pairs: &mut Pairs, family: &str, templates: &[&str], value: &str, answer: &str) {
    for template in templates {
        let language = Language::of(template);
        pairs.add_wordings(family, language, &fill(template, value), answer, WORDINGS);
    }
}

fn capitals(pairs: &mut Pairs) {
    for [chinese, city, english, english_city] in rows(include_str!("data/capitals.tsv")) {
        let asked =
            ["{}的首都是哪里", "{}的首都是什么", "{}的首都在哪", "哪个城市是{}的首都", "{}首都"];
        ask(pairs, "capitals", &asked, chinese, &format!("{chinese}的首都是{city}。"));
        let asked = ["{}是哪个国家的首都", "{}是哪国的首都"];
        ask(pairs, "capitals", &asked, city, &format!("{city}是{chinese}的首都。"));
        let asked = [
            "what is the capital of {}",
            "which city is the capital of {}",
            "capital of {}",
            "name the capital of {}",
        ];
        let answer = format!("The capital of {english} is {english_city}.");
        ask(pairs, "capitals", &asked, english, &answer);
        let asked = ["{} is the capital of which country", "of which country is {} the capital"];
        let answer = format!("{english_city} is the capital of {english}.");
        ask(pairs, "capitals", &asked, english_city, &answer);
        not_in_the_table(pairs, chinese, english);
    }
}

/// What else could be asked of a country, and is not known.
fn not_in_the_table(pairs: &mut Pairs, chinese: &str, english: &str) {
    let asked = ["{}有多少人", "{}的总统是谁", "{}有多大", "{}有什么好吃的", "{}的历史有多长"];
    for template in asked {
        let question = fill(template, chinese);
        pairs.add_wordings("unknown", Language::Chinese, &question, UNKNOWN[0], 1);
    }
    let asked = [
        "how many people live in {}",
        "who is the president of {}",
        "how large is {}",
        "what do people eat in {}",
        "what is the history of {}",
    ];
    for template in asked {
        let question = fill(template, english);
        pairs.add_wordings("unknown", Language::English, &question, UNKNOWN[1], 1);
    }
}

fn colours(pairs: &mut Pairs) {
    for [chinese, colour, english, english_colour] in rows(include_str!("data/colours.tsv")) {
        let asked =
            ["{}是什么颜色", "{}是什么颜色的", "{}有什么颜色", "{}的颜色是什么", "{}什么颜色"];
        ask(pairs, "colours", &asked, chinese, &format!("{chinese}是{colour}的。"));
        let asked = [
            "what colour is {}",
            "what color is {}",
            "which colour is {}",
            "what is the colour of {}",
            "what is the color of {}",
        ];
        let answer = format!("{} is {english_colour}.", capitalized(english));
        ask(pairs, "colours", &asked, english, &answer);
    }
}

fn animals(pairs: &mut Pairs) {
    let legs = |pairs: &mut Pairs, chinese: &str, english: &str, legs: &str| {
        let asked = ["{}有几条腿", "{}有多少条腿", "{}几条腿"];
        let answer = match legs {
            "0" => format!("{chinese}没有腿。"),
            _ => format!("{chinese}有{legs}条腿。"),
        };
        ask(pairs, "animals", &asked, chinese, &answer);
        let asked = ["how many legs does {} have", "how many legs has {}"];
        let answer = match legs {
            "0" => format!("{} has no legs.", capitalized(english)),
            _ => format!("{} has {legs} legs.", capitalized(english)),
        };
        ask(pairs, "animals", &asked, english, &answer);
    };
    for [chinese, number, english] in rows(include_str!("data/legs.tsv")) {
        legs(pairs, chinese, english, number);
    }
    for [chinese, number, sound, young, english, _, english_sound, english_young] in
        rows(include_str!("data/animals.tsv"))
    {
        legs(pairs, chinese, english, number);
        let asked = ["{}怎么叫", "{}的叫声是什么", "{}是怎么叫的"];
        ask(pairs, "animals", &asked, chinese, &format!("{chinese}的叫声是{sound}。"));
        let asked = ["{}的孩子叫什么", "{}的宝宝叫什么"];
        ask(pairs, "animals", &asked, chinese, &format!("{chinese}的孩子叫{young}。"));
        let asked = ["what sound does {} make", "what does {} say", "which sound does {} make"];
        let answer = format!("{} says {english_sound}.", capitalized(english));
        ask(pairs, "animals", &asked, english, &answer);
        let asked = ["what is the young of {} called", "what is the baby of {} called"];
        let answer = format!("The young of {english} is {english_young}.");
        ask(pairs, "animals", &asked, english, &answer);
    }
}

fn opposites(pairs: &mut Pairs) {
    // A word with two opposites keeps the first.
    let mut told = HashSet::new();
    for [chinese, chinese_other, english, english_other] in rows(include_str!("data/opposites.tsv"))
    {
        for (word, other) in [(chinese, chinese_other), (chinese_other, chinese)] {
            if told.insert(word) {
                let asked =
                    ["{}的反义词是什么", "{}的反义词", "“{}”的反义词是什么", "{}的反面是什么"];
                ask(pairs, "opposites", &asked, word, &format!("{word}的反义词是{other}。"));
            }
        }
        for (word, other) in [(english, english_other), (english_other, english)] {
            if told.insert(word) {
                let asked = [
                    "what is the opposite of {}",
                    "what's the opposite of {}",
                    "the opposite of {}",
                    "opposite of \"{}\"",
                ];
                let answer = format!("The opposite of {word} is {other}.");
                ask(pairs, "opposites", &asked, word, &answer);
            }
        }
    }
}

fn words(pairs: &mut Pairs) {
    let mut told = HashSet::new();
    for [chinese, english] in rows(include_str!("data/words.tsv")) {
        if told.insert(chinese) {
            let asked = ["{}用英语怎么说", "{}的英文是什么", "{}英语怎么说", "把“{}”翻译成英文"];
            ask(pairs, "words", &asked, chinese, &format!("{chinese}的英文是 {english}。"));
            let asked = ["what is {} in English", "how do you say {} in English"];
            let answer = format!("{chinese} is \"{english}\" in English.");
            for template in asked {
                let question = fill(template, chinese);
                pairs.add_wordings("words", Language::English, &question, &answer, WORDINGS);
            }
        }
        if told.insert(english) {
            let asked = ["{}是什么意思", "{}用中文怎么说", "{}的中文是什么", "把 {} 翻译成中文"];
            ask(pairs, "words", &asked, english, &format!("{english} 的意思是{chinese}。"));
            let asked = ["what is \"{}\" in Chinese", "how do you say {} in Chinese"];
            ask(
                pairs,
                "words",
                &asked,
                english,
                &format!("\"{english}\" is {chinese} in Chinese."),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_row_is_lost() {
        let lines = |table: &str| table.lines().count();

        let capitals = include_str!("data/capitals.tsv");
        assert_eq!(rows::<4>(capitals).count(), lines(capitals));
        let colours = include_str!("data/colours.tsv");
        assert_eq!(rows::<4>(colours).count(), lines(colours));
        let animals = include_str!("data/animals.tsv");
        assert_eq!(rows::<8>(animals).count(), lines(animals));
        let words = include_str!("data/words.tsv");
        assert_eq!(rows::<2>(words).count(), lines(words));
    }
}
