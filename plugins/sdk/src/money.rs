//! Money: a fixed-point amount of one currency. Nothing here rounds unless told to, and amounts
//! of different currencies do not mix.

use std::fmt;

use rust_decimal::{Decimal, RoundingStrategy};

use crate::bindings::step::ferrule::plugin::types as wire;

#[cfg(test)]
mod tests;

/// An amount of one currency, exact until it is rounded.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Money {
    amount: Decimal,
    currency: [u8; 3],
}

/// Which way a tie goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// Away from zero, as on most bills.
    HalfUp,
    /// To the even neighbour, so that many roundings cancel out.
    HalfEven,
}

/// Why an amount could not be read or computed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The text is no decimal number.
    Amount {
        /// The text, cut where it is long.
        text: String,
    },
    /// The text is no ISO 4217 code: three upper-case letters.
    Currency {
        /// The text, cut where it is long.
        text: String,
    },
    /// Amounts of two currencies were put together.
    Mixed {
        /// The one.
        left: String,
        /// The other.
        right: String,
    },
    /// The result does not fit in 28 digits.
    Overflow,
    /// An amount was divided by zero.
    DivisionByZero,
}

impl Money {
    /// Reads an amount such as `-12.50` of a currency such as `EUR`.
    pub fn parse(amount: &str, currency: &str) -> Result<Self, Error> {
        let amount =
            Decimal::from_str_exact(amount).map_err(|_| Error::Amount { text: cut(amount) })?;
        Self::new(amount, currency)
    }

    /// This amount of a currency such as `EUR`.
    pub fn new(amount: Decimal, currency: &str) -> Result<Self, Error> {
        let code = <[u8; 3]>::try_from(currency.as_bytes()).ok();
        let code = code.filter(|code| code.iter().all(u8::is_ascii_uppercase));
        let currency = code.ok_or_else(|| Error::Currency { text: cut(currency) })?;
        Ok(Self { amount, currency })
    }

    /// The amount.
    pub fn amount(&self) -> Decimal {
        self.amount
    }

    /// The ISO 4217 code.
    pub fn currency(&self) -> &str {
        std::str::from_utf8(&self.currency).expect("a code is made of ASCII letters")
    }

    /// The sum of two amounts of one currency.
    pub fn plus(&self, other: &Self) -> Result<Self, Error> {
        if self.currency != other.currency {
            let (left, right) = (self.currency().into(), other.currency().into());
            return Err(Error::Mixed { left, right });
        }
        self.changed(self.amount.checked_add(other.amount))
    }

    /// The difference of two amounts of one currency.
    pub fn minus(&self, other: &Self) -> Result<Self, Error> {
        self.plus(&Self { amount: -other.amount, currency: other.currency })
    }

    /// The amount, multiplied.
    pub fn times(&self, factor: impl Into<Decimal>) -> Result<Self, Error> {
        self.changed(self.amount.checked_mul(factor.into()))
    }

    /// One of equal parts of the amount, to 28 digits.
    pub fn divided_by(&self, divisor: impl Into<Decimal>) -> Result<Self, Error> {
        let divisor = divisor.into();
        if divisor.is_zero() {
            return Err(Error::DivisionByZero);
        }
        self.changed(self.amount.checked_div(divisor))
    }

    /// A part of the amount, in per cent.
    pub fn percent(&self, rate: Decimal) -> Result<Self, Error> {
        self.times(rate)?.divided_by(100)
    }

    /// The amount to the minor units of its currency, and written with all of them: `10.00`.
    #[must_use]
    pub fn rounded(&self, rounding: Rounding) -> Self {
        let strategy = match rounding {
            Rounding::HalfUp => RoundingStrategy::MidpointAwayFromZero,
            Rounding::HalfEven => RoundingStrategy::MidpointNearestEven,
        };
        let digits = minor_units(self.currency());
        let mut amount = self.amount.round_dp_with_strategy(digits, strategy);
        amount.rescale(digits);
        // A bill has no `-0.00`.
        amount.set_sign_positive(amount.is_sign_positive() || amount.is_zero());
        Self { amount, currency: self.currency }
    }

    pub(crate) fn write(&self) -> wire::Money {
        wire::Money { currency: self.currency().into(), amount: self.amount.to_string() }
    }

    fn changed(&self, amount: Option<Decimal>) -> Result<Self, Error> {
        let amount = amount.ok_or(Error::Overflow)?;
        Ok(Self { amount, currency: self.currency })
    }
}

impl fmt::Display for Money {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.amount, self.currency())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Amount { text } => write!(formatter, "`{text}` is not a decimal number"),
            Self::Currency { text } => write!(formatter, "`{text}` is not an ISO 4217 code"),
            Self::Mixed { left, right } => {
                write!(formatter, "`{left}` and `{right}` cannot be put together")
            }
            Self::Overflow => write!(formatter, "the amount does not fit in 28 digits"),
            Self::DivisionByZero => write!(formatter, "an amount cannot be divided by zero"),
        }
    }
}

impl std::error::Error for Error {}

/// The digits after the point that ISO 4217 gives a currency; two by default.
pub fn minor_units(currency: &str) -> u32 {
    match currency {
        "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX"
        | "UYI" | "VND" | "VUV" | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        "CLF" | "UYW" => 4,
        _ => 2,
    }
}

fn cut(text: &str) -> String {
    text.chars().take(40).collect()
}
