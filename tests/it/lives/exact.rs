//! Exact fractions, and the one rounding that bills know.

use std::cmp::Ordering;
use std::ops::{Add, Mul, Neg, Sub};

use serde_json::Value;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exact {
    over: i128,
    under: i128,
}

impl Exact {
    pub(crate) const ZERO: Self = Self { over: 0, under: 1 };

    pub(crate) fn new(over: i128, under: i128) -> Self {
        let (mut a, mut b) = (over.unsigned_abs(), under.unsigned_abs());
        while b > 0 {
            (a, b) = (b, a % b);
        }
        let common = i128::try_from(a.max(1)).unwrap() * under.signum();
        Self { over: over / common, under: under / common }
    }

    pub(crate) fn whole(number: i128) -> Self {
        Self::new(number, 1)
    }

    /// A decimal as JSON has it.
    pub(crate) fn read(number: &Value) -> Self {
        let text = number.as_str().map_or_else(|| number.to_string(), str::to_owned);
        let (digits, exponent) = text.split_once(['e', 'E']).unwrap_or((&text, "0"));
        let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
        let over: i128 = format!("{whole}{part}").parse().unwrap_or_else(|_| panic!("{text}"));
        let scale = i32::try_from(part.len()).unwrap() - exponent.parse::<i32>().unwrap();
        let power = 10_i128.pow(scale.unsigned_abs());
        if scale < 0 { Self::whole(over * power) } else { Self::new(over, power) }
    }

    /// Rounded to these decimals, ties away from zero.
    pub(crate) fn rounded(self, decimals: u32) -> Self {
        let power = 10_i128.pow(decimals);
        let twice = self.over.abs() * power * 2 + self.under;
        let digits = twice.div_euclid(self.under * 2) * self.over.signum();
        Self::new(digits, power)
    }

    pub(crate) fn over(self, number: i128) -> Self {
        Self::new(self.over, self.under * number)
    }

    pub(crate) fn percent(self, percent: Self) -> Self {
        (self * percent).over(100)
    }

    pub(crate) fn inverse(self) -> Self {
        Self::new(self.under, self.over)
    }

    pub(crate) fn is_zero(self) -> bool {
        self.over == 0
    }

    pub(crate) fn abs(self) -> Self {
        Self { over: self.over.abs(), ..self }
    }

    /// As text for documents; only of decimals.
    pub(crate) fn json(self) -> Value {
        let mut decimals = 0;
        while self.rounded(decimals) != self {
            decimals += 1;
            assert!(decimals < 12, "{self:?} is no decimal");
        }
        let power = 10_i128.pow(decimals);
        let digits = (self.over * power / self.under).abs();
        let sign = if self.over < 0 { "-" } else { "" };
        let width = usize::try_from(decimals).unwrap();
        let text = match decimals {
            0 => format!("{sign}{digits}"),
            _ => format!("{sign}{}.{:0width$}", digits / power, digits % power),
        };
        serde_json::from_str(&text).unwrap()
    }
}

impl Add for Exact {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self::new(self.over * other.under + other.over * self.under, self.under * other.under)
    }
}

impl Sub for Exact {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Mul for Exact {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        Self::new(self.over * other.over, self.under * other.under)
    }
}

impl Neg for Exact {
    type Output = Self;
    fn neg(self) -> Self {
        Self { over: -self.over, ..self }
    }
}

impl PartialOrd for Exact {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Exact {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.over * other.under).cmp(&(other.over * self.under))
    }
}

impl std::iter::Sum for Exact {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::ZERO, Add::add)
    }
}

/// Decimals of a currency that the lives use.
pub(crate) fn decimals(currency: &str) -> u32 {
    match currency {
        "JPY" => 0,
        "KWD" => 3,
        _ => 2,
    }
}

#[test]
fn fractions_are_exact_and_rounded_once() {
    let third = Exact::new(1, 3);
    assert_eq!(third + third + third, Exact::whole(1));
    assert_eq!(Exact::new(5, 1000).rounded(2).json().to_string(), "0.01");
    assert_eq!((-Exact::new(5, 1000)).rounded(2).json().to_string(), "-0.01");
    assert_eq!(Exact::read(&serde_json::json!(1.25e1)), Exact::new(25, 2));
}
