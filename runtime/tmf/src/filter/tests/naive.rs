//! A filter that is drawn, written in one of its many forms, and decided without reading what is
//! written.

use serde_json::{Value, json};

/// Where what is random comes from.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    /// A number below a limit.
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) as usize % limit
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    fn is(&mut self, one_in: usize) -> bool {
        self.below(one_in) == 0
    }
}

/// A value of a document or a query, and how it is written.
#[derive(Clone)]
struct Scalar {
    kind: Kind,
    written: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    /// Hundredths.
    Number(i64),
    /// Minutes of a day.
    Time(i64),
    Flag(bool),
    Text,
}

const TEXTS: [&str; 12] = [
    "held",
    "x",
    "y",
    "x,y",
    "x;y",
    "a=b",
    "R&D",
    "say \"x\"",
    "back\\slash",
    "1+1",
    "100%",
    " odd ",
];

impl Scalar {
    fn draw(dice: &mut Dice) -> Self {
        match dice.below(6) {
            0 | 1 => {
                let number = dice.one(&[-150, 0, 10, 20, 100, 1_000, 1_001]);
                let plain = format!("{}", number as f64 / 100.0);
                let forms = [plain.clone(), format!("{number}e-2"), format!("{plain}e0")];
                let written = forms[dice.below(3)].clone();
                Self { kind: Kind::Number(number), written }
            }
            2 => {
                let minute = dice.one(&[0, 60, 61, 600]);
                let zone = dice.one(&[-60, 0, 120]);
                let (sign, zone_shown) = if zone < 0 { ("-", -zone) } else { ("+", zone) };
                let day = if minute + zone < 0 { 1 } else { 2 };
                let local = (minute + zone + 1_440) % 1_440;
                let (hour, minutes) = (local / 60, local % 60);
                let fraction = dice.one(&["", ":00", ":00.0", ":00.000000"]);
                let zone = match zone {
                    0 => "Z".to_string(),
                    _ => format!("{sign}{:02}:00", zone_shown / 60),
                };
                let whole = format!("2026-03-0{day}T{hour:02}:{minutes:02}{fraction}{zone}");
                let is_day = minute == 0 && dice.is(3);
                let written = if is_day { "2026-03-02".into() } else { whole };
                Self { kind: Kind::Time(minute), written }
            }
            3 => {
                let flag = dice.is(2);
                Self { kind: Kind::Flag(flag), written: flag.to_string() }
            }
            _ => Self { kind: Kind::Text, written: dice.one(&TEXTS).to_string() },
        }
    }

    fn json(&self) -> Value {
        match self.kind {
            Kind::Number(hundredths) if hundredths % 100 == 0 => json!(hundredths / 100),
            Kind::Number(hundredths) => json!(hundredths as f64 / 100.0),
            Kind::Flag(flag) => json!(flag),
            Kind::Time(_) | Kind::Text => json!(self.written),
        }
    }

    /// Less than zero if it comes before what is asked for; `None` if they are not alike.
    fn order(&self, asked: &Self) -> Option<i64> {
        match (self.kind, asked.kind) {
            (Kind::Number(found), Kind::Number(asked)) | (Kind::Time(found), Kind::Time(asked)) => {
                Some(found - asked)
            }
            (Kind::Flag(found), Kind::Flag(asked)) => Some(i64::from(found) - i64::from(asked)),
            (Kind::Number(_) | Kind::Flag(_), _) => None,
            (Kind::Text | Kind::Time(_), _) if self.written < asked.written => Some(-1),
            (Kind::Text | Kind::Time(_), _) => Some(i64::from(self.written > asked.written)),
        }
    }
}

const NAMES: [&str; 4] = ["a", "b.c", "list.id", "list.tag"];

/// A document: what each of the names leads to.
pub(super) struct Document(Vec<Vec<Scalar>>);

impl Document {
    pub(super) fn draw(dice: &mut Dice) -> Self {
        Self(
            (0..NAMES.len())
                .map(|at| {
                    let most = if at < 2 { 2 } else { 4 };
                    (0..dice.below(most)).map(|_| Scalar::draw(dice)).collect()
                })
                .collect(),
        )
    }

    pub(super) fn json(&self) -> Value {
        let Self(values) = self;
        let mut document = json!({ "none": null });
        if let Some(value) = values[0].first() {
            document["a"] = value.json();
        }
        if let Some(value) = values[1].first() {
            document["b"] = json!({ "c": value.json() });
        }
        let ids = values[2].iter().map(|value| json!({ "id": value.json() }));
        let tags: Vec<Value> = values[3].iter().map(Scalar::json).collect();
        document["list"] = ids.chain([json!({ "tag": tags })]).collect();
        document
    }
}

struct Condition {
    name: usize,
    operator: &'static str,
    values: Vec<Scalar>,
}

/// What must all hold, of each of which one must.
pub(super) struct Query(Vec<Vec<Condition>>);

const OPERATORS: [&str; 9] = ["=", "=", "=", "!=", "<", "<=", ">", ">=", "=~"];

impl Query {
    pub(super) fn draw(dice: &mut Dice) -> Self {
        let clauses = 1 + dice.below(3);
        Self(
            (0..clauses)
                .map(|_| {
                    let conditions = 1 + dice.below(3);
                    (0..conditions).map(|_| Condition::draw(dice)).collect()
                })
                .collect(),
        )
    }

    pub(super) fn matches(&self, document: &Document) -> bool {
        let Self(clauses) = self;
        // An attribute that is only asked to equal something is one question, however often.
        let asked = |clause: &[Condition]| {
            let name = clause[0].name;
            let is_same = |one: &Condition| one.name == name && one.operator == "=";
            clause.iter().all(is_same).then_some(name)
        };
        clauses.iter().all(|clause| {
            let alike = |other: &&Vec<Condition>| asked(other) == asked(clause);
            match asked(clause) {
                None => clause.iter().any(|one| one.holds(document)),
                Some(_) => clauses.iter().filter(alike).flatten().any(|one| one.holds(document)),
            }
        })
    }

    pub(super) fn written(&self, dice: &mut Dice) -> String {
        let Self(clauses) = self;
        let clauses = clauses.iter().map(|clause| {
            let conditions: Vec<String> = clause.iter().map(|one| one.written(dice)).collect();
            let mut text = String::new();
            for (at, condition) in conditions.iter().enumerate() {
                let separator = if dice.is(4) { "%3B" } else { ";" };
                text.push_str(if at == 0 { "" } else { separator });
                text.push_str(condition);
            }
            text
        });
        clauses.collect::<Vec<_>>().join("&")
    }
}

impl Condition {
    fn draw(dice: &mut Dice) -> Self {
        let (name, operator) = (dice.below(NAMES.len()), dice.one(&OPERATORS));
        if operator == "=~" {
            let written = dice.one(&["e", "x", "1", "sla"]).to_string();
            return Self { name, operator, values: vec![Scalar { kind: Kind::Text, written }] };
        }
        let values = (0..=dice.below(3)).map(|_| Scalar::draw(dice)).collect();
        Self { name, operator, values }
    }

    fn holds(&self, document: &Document) -> bool {
        let Document(found) = document;
        let found = &found[self.name];
        let any = |holds: fn(i64) -> bool| {
            found
                .iter()
                .any(|found| self.values.iter().any(|asked| found.order(asked).is_some_and(holds)))
        };
        match self.operator {
            "=" => any(|order| order == 0),
            "!=" => !any(|order| order == 0),
            "<" => any(|order| order < 0),
            "<=" => any(|order| order <= 0),
            ">" => any(|order| order > 0),
            ">=" => any(|order| order >= 0),
            _ => found.iter().any(|found| {
                let json = found.json();
                let text = json.as_str().map_or_else(|| json.to_string(), str::to_string);
                text.contains(&self.values[0].written)
            }),
        }
    }

    fn written(&self, dice: &mut Dice) -> String {
        let word = match self.operator {
            "=" => ".eq=",
            "!=" => ".ne=",
            "<" => ".lt=",
            "<=" => ".lte=",
            ">" => ".gt=",
            ">=" => ".gte=",
            _ => ".regex=",
        };
        let sign = match (self.operator, dice.below(3)) {
            ("=", 0) => "==",
            ("=~", 0) => "*=",
            (sign, _) => sign,
        };
        let sign = match dice.below(3) {
            0 => word.to_string(),
            1 => encoded(sign),
            _ => sign.to_string(),
        };
        let space = dice.one(&["", "", " ", "+", "%20"]);
        let mut text = format!("{}{space}{sign}{space}", NAMES[self.name]);
        let quotes: Vec<bool> =
            self.values.iter().map(|value| value.needs_quotes() || dice.is(3)).collect();
        for (at, value) in self.values.iter().enumerate() {
            // What is percent-encoded between values without quotes might be a part of one.
            let is_safe = at > 0 && quotes[at - 1] && quotes[at];
            let separator = if is_safe && dice.is(2) { "%2C" } else { "," };
            text.push_str(if at == 0 { "" } else { separator });
            text.push_str(&value.in_query(quotes[at], dice));
        }
        text
    }
}

impl Scalar {
    fn needs_quotes(&self) -> bool {
        self.kind == Kind::Text && !self.written.bytes().all(|byte| byte.is_ascii_lowercase())
    }

    fn in_query(&self, is_quoted: bool, dice: &mut Dice) -> String {
        let text = match is_quoted {
            true => super::quoted(&self.written),
            false => self.written.clone(),
        };
        let is_time = matches!(self.kind, Kind::Time(_));
        let mut out = String::new();
        for next in text.chars() {
            let is_special = next == '%' || (next == '+' && !is_time);
            match is_special || dice.is(6) {
                true => out.push_str(&encoded(&next.to_string())),
                false => out.push(next),
            }
        }
        out
    }
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
