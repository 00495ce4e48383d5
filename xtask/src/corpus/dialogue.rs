//! Conversations: what was said before matters, or must not.

use rand::{Rng, seq::IndexedRandom as _};
use weft_shared::pair::{Pair, Turn};

use super::Pairs;

const FAMILY: &str = "dialogue";

const SURNAMES: [&str; 16] = [
    "王", "李", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴", "徐", "孙", "马", "朱", "林", "何",
];
const GIVEN: [&str; 28] = [
    "明", "红", "华", "丽", "强", "军", "芳", "伟", "静", "敏", "杰", "娟", "涛", "超", "秀英",
    "小龙", "海", "雪", "梅", "兰", "天", "雨", "文", "志", "建国", "婷婷", "晨", "月",
];
const ENGLISH_NAMES: [&str; 36] = [
    "Tom", "Anna", "Peter", "Mary", "John", "Lucy", "David", "Emma", "Paul", "Sara", "Mike",
    "Kate", "James", "Julia", "Mark", "Nina", "Alex", "Olga", "Ben", "Rosa", "Sam", "Ella", "Leo",
    "Ida", "Max", "Mia", "Tim", "Eva", "Jack", "Zoe", "Bob", "Alice", "Henry", "Clara", "Oscar",
    "Grace",
];
const LIKED: [(&str, &str); 20] = [
    ("苹果", "apples"),
    ("猫", "cats"),
    ("狗", "dogs"),
    ("音乐", "music"),
    ("读书", "books"),
    ("游泳", "swimming"),
    ("咖啡", "coffee"),
    ("茶", "tea"),
    ("足球", "football"),
    ("电影", "films"),
    ("花", "flowers"),
    ("面条", "noodles"),
    ("唱歌", "singing"),
    ("跑步", "running"),
    ("西瓜", "melons"),
    ("数学", "maths"),
    ("旅行", "travelling"),
    ("巧克力", "chocolate"),
    ("下棋", "chess"),
    ("画画", "painting"),
];
const PLACES: [(&str, &str); 14] = [
    ("北京", "Beijing"),
    ("上海", "Shanghai"),
    ("广州", "Guangzhou"),
    ("成都", "Chengdu"),
    ("杭州", "Hangzhou"),
    ("西安", "Xi'an"),
    ("巴黎", "Paris"),
    ("伦敦", "London"),
    ("东京", "Tokyo"),
    ("罗马", "Rome"),
    ("柏林", "Berlin"),
    ("纽约", "New York"),
    ("南京", "Nanjing"),
    ("武汉", "Wuhan"),
];

/// Something that a person tells of themselves, and what is asked about it later.
struct Told {
    statement: String,
    reply: String,
    /// Each with its answer.
    questions: Vec<(&'static str, String)>,
}

pub(super) fn add(pairs: &mut Pairs) {
    let alone: Vec<Pair> = pairs.train.iter().filter(|it| it.history.is_empty()).cloned().collect();
    let any = |pairs: &mut Pairs| alone.choose(&mut pairs.rng).cloned().unwrap_or_default();
    let turn = |pair: &Pair| Turn::new(&pair.question, &pair.answer);

    for _ in 0..5000 {
        let told = something_told(&mut pairs.rng);
        pairs.add("told", &told.statement, Pair::new(&told.statement, &told.reply));
        let mut history = vec![Turn::new(&told.statement, &told.reply)];
        let between = if pairs.rng.random_bool(0.4) { pairs.rng.random_range(1..3) } else { 0 };
        for _ in 0..between {
            let other = any(pairs);
            history.push(turn(&other));
        }
        if let Some((question, answer)) = told.questions.choose(&mut pairs.rng) {
            let ending = ["？", "?", ""].choose(&mut pairs.rng).copied().unwrap_or("");
            let pair = Pair { history, ..Pair::new(format!("{question}{ending}"), answer) };
            pairs.add(FAMILY, &told.statement, pair);
        }
    }
    // What was said before changes nothing about a fact.
    for _ in 0..7000 {
        let asked = any(pairs);
        let before = pairs.rng.random_range(1..4);
        let history: Vec<Turn> = (0..before).map(|_| turn(&any(pairs))).collect();
        let key = format!("{history:?}");
        pairs.add("context", &key, Pair { history, ..Pair::new(&asked.question, &asked.answer) });
    }
}

/// A Chinese and an English name.
pub(super) fn names(rng: &mut impl Rng) -> (String, String) {
    let chinese = match rng.random_range(0..3) {
        0 => format!("小{}", GIVEN.choose(rng).copied().unwrap_or("明")),
        _ => format!(
            "{}{}",
            SURNAMES.choose(rng).copied().unwrap_or("王"),
            GIVEN.choose(rng).copied().unwrap_or("明")
        ),
    };
    let english = if rng.random_bool(0.7) {
        ENGLISH_NAMES.choose(rng).copied().unwrap_or("Tom").to_owned()
    } else {
        super::wording::capitalized(&super::echo::made_up(rng))
    };
    (chinese, english)
}

fn something_told(rng: &mut impl Rng) -> Told {
    let told = |statement: String, reply: String, questions: Vec<(&'static str, String)>| Told {
        statement,
        reply,
        questions,
    };
    let (name, english_name) = names(rng);
    let (liked, english_liked) = LIKED.choose(rng).copied().unwrap_or(LIKED[0]);
    let (place, english_place) = PLACES.choose(rng).copied().unwrap_or(PLACES[0]);
    let age = rng.random_range(5..80);
    match rng.random_range(0..10) {
        0 | 1 => {
            let start = ["我叫", "我的名字是", "你好，我叫"].choose(rng).copied().unwrap_or("我叫");
            let answer = format!("你叫{name}。");
            let asked = ["我叫什么", "我叫什么名字", "我是谁", "你还记得我的名字吗"];
            told(
                format!("{start}{name}"),
                format!("你好，{name}！很高兴认识你。"),
                asked.map(|it| (it, answer.clone())).into(),
            )
        }
        2 | 3 => {
            let start = ["my name is ", "My name is ", "I am ", "Hello, I am "];
            let start = start.choose(rng).copied().unwrap_or("I am ");
            let answer = format!("Your name is {english_name}.");
            let asked =
                ["what is my name", "What is my name", "who am I", "do you remember my name"];
            told(
                format!("{start}{english_name}"),
                format!("Hello, {english_name}! Nice to meet you."),
                asked.map(|it| (it, answer.clone())).into(),
            )
        }
        4 => told(
            format!("我喜欢{liked}"),
            format!("{liked}很好啊！"),
            vec![("我喜欢什么", format!("你喜欢{liked}。"))],
        ),
        5 => told(
            format!("I like {english_liked}"),
            format!("It is good to like {english_liked}."),
            vec![("what do I like", format!("You like {english_liked}."))],
        ),
        6 => told(
            format!("我住在{place}"),
            format!("{place}是个好地方。"),
            vec![
                ("我住在哪里", format!("你住在{place}。")),
                ("我住哪儿", format!("你住在{place}。")),
            ],
        ),
        7 => told(
            format!("I live in {english_place}"),
            format!("{english_place} is a good place to live."),
            vec![("where do I live", format!("You live in {english_place}."))],
        ),
        8 => told(
            format!("我今年{age}岁"),
            "知道了，谢谢你告诉我。".to_owned(),
            vec![("我几岁", format!("你{age}岁。")), ("我多大了", format!("你{age}岁。"))],
        ),
        _ => told(
            format!("I am {age} years old"),
            "I see, thank you for telling me.".to_owned(),
            vec![("how old am I", format!("You are {age} years old."))],
        ),
    }
}
