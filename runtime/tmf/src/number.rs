//! Numbers with all digits that a client sent. None passes
//! through floating point if it is only stored or compared.

use serde_json::{Number, Value};

/// Whether two numbers are equal, regardless of their spelling: `0.10` is `1e-1`.
pub fn same(left: &Number, right: &Number) -> bool {
    left == right || Plain::of(left.as_str()) == Plain::of(right.as_str())
}

/// Whether two values are equal, with numbers compared as numbers.
pub fn same_value(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => same(left, right),
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len()
                && left.iter().zip(right).all(|(left, right)| same_value(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(name, left)| {
                    right.get(name).is_some_and(|right| same_value(left, right))
                })
        }
        (left, right) => left == right,
    }
}

/// Whether a number is written without a fraction and an exponent.
pub fn is_integer(number: &Number) -> bool {
    number.as_str().bytes().all(|byte| byte == b'-' || byte.is_ascii_digit())
}

/// A normalized number: its digits from the first to the last that is not zero, and
/// the power of ten of the last.
#[derive(Debug, PartialEq, Eq)]
struct Plain {
    is_negative: bool,
    digits: String,
    power: i64,
}

impl Plain {
    fn of(text: &str) -> Option<Self> {
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let exponent: i64 = exponent.parse().ok()?;
        let (is_negative, mantissa) =
            mantissa.strip_prefix('-').map_or((false, mantissa), |rest| (true, rest));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let places = i64::try_from(fraction.len()).ok()?;
        // Zeros before and behind are cut off; those in between are digits like any other.
        let whole_cut = whole.trim_start_matches('0');
        let fraction_end = fraction.trim_end_matches('0');
        let mut power = exponent.checked_sub(places)?;
        power = power.checked_add(i64::try_from(fraction.len() - fraction_end.len()).ok()?)?;
        let (whole_cut, fraction_cut) = match (whole_cut, fraction_end) {
            ("", fraction) => ("", fraction.trim_start_matches('0')),
            (whole, "") => {
                let cut = whole.trim_end_matches('0');
                power = power.checked_add(i64::try_from(whole.len() - cut.len()).ok()?)?;
                (cut, "")
            }
            (whole, fraction) => (whole, fraction),
        };
        if whole_cut.is_empty() && fraction_cut.is_empty() {
            return Some(Self { is_negative: false, digits: String::new(), power: 0 });
        }
        Some(Self { is_negative, digits: [whole_cut, fraction_cut].concat(), power })
    }
}

#[cfg(test)]
mod tests;
