//! Numbers as they are written, compared without a loss of digits.

use std::cmp::Ordering;

/// A number: `0.DIGITS` times ten to the power of the exponent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Exact {
    is_negative: bool,
    /// Without zeros at either end; empty for zero.
    digits: String,
    exponent: i64,
}

impl Exact {
    /// Reads a number such as `-12.50` or `1e2`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (is_negative, unsigned) = match text.strip_prefix(['-', '+']) {
            Some(unsigned) => (text.starts_with('-'), unsigned),
            None => (false, text),
        };
        let (mantissa, power) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, power)) => (mantissa, power.parse::<i64>().ok()?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = format!("{whole}{fraction}");
        if all.is_empty() || !all.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let significant = all.trim_start_matches('0');
        let zeros = all.len() - significant.len();
        let digits = significant.trim_end_matches('0').to_string();
        if digits.is_empty() {
            return Some(Self { is_negative: false, digits, exponent: 0 });
        }
        let point = i64::try_from(whole.len()).ok()? - i64::try_from(zeros).ok()?;
        Some(Self { is_negative, digits, exponent: point.checked_add(power)? })
    }

    fn sign(&self) -> i8 {
        match (self.digits.is_empty(), self.is_negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        }
    }
}

impl Ord for Exact {
    fn cmp(&self, other: &Self) -> Ordering {
        let size = || {
            let exponents = self.exponent.cmp(&other.exponent);
            exponents.then_with(|| self.digits.cmp(&other.digits))
        };
        self.sign().cmp(&other.sign()).then_with(|| match self.is_negative {
            true => size().reverse(),
            false => size(),
        })
    }
}

impl PartialOrd for Exact {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_ordered_by_their_value() {
        let ascending = [
            "-1e400",
            "-12.5",
            "-0.1",
            "0",
            "1e-400",
            "0.09",
            "0.1",
            "0.10000000000000000001",
            "1",
            "9.99",
            "10",
            "99",
            "1e2",
            "18446744073709551615",
            "18446744073709551616",
            "1e400",
        ];
        for (at, left) in ascending.iter().enumerate() {
            for (other, right) in ascending.iter().enumerate() {
                let order = Exact::parse(left).cmp(&Exact::parse(right));
                assert_eq!(order, at.cmp(&other), "{left} {right}");
            }
        }
    }

    #[test]
    fn one_number_has_many_forms() {
        for (left, right) in [
            ("1e2", "100"),
            ("100.00", "+1E+2"),
            ("0.1", ".1"),
            ("-0", "0e9"),
            ("007", "7."),
            ("120e-1", "12"),
        ] {
            assert_eq!(Exact::parse(left), Exact::parse(right), "{left}");
        }
    }

    #[test]
    fn texts_that_are_no_number_are_none() {
        for text in
            ["", "-", ".", "x", "1x", "1e", "e1", "NaN", "inf", "1 2", "1e99999999999999999999"]
        {
            assert_eq!(Exact::parse(text), None, "{text}");
        }
    }
}
