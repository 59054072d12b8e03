//! Rounding to what a currency has. Sums are exact; what is charged is rounded once.

use rust_decimal::{Decimal, RoundingStrategy};

use tmf::money::{Currency, Money};

/// Which way a tie goes when an amount is rounded. Both are the same for charges and credits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rounding {
    /// Away from zero, as on most bills.
    #[default]
    Commercial,
    /// To the even neighbour, so that many roundings cancel out.
    HalfEven,
}

impl Rounding {
    /// The amount to the minor units of a currency, and written with all of them.
    pub fn of(self, amount: Decimal, currency: Currency) -> Money {
        let strategy = match self {
            Self::Commercial => RoundingStrategy::MidpointAwayFromZero,
            Self::HalfEven => RoundingStrategy::MidpointNearestEven,
        };
        let digits = currency.decimals();
        let mut amount = amount.round_dp_with_strategy(digits, strategy);
        amount.rescale(digits);
        if amount.is_zero() {
            amount.set_sign_positive(true);
        }
        Money { currency, amount }
    }

    /// A tax on an amount that was rounded, rounded itself.
    pub fn tax(self, net: &Money, rate: Decimal) -> Money {
        self.of(net.amount * rate / Decimal::ONE_HUNDRED, net.currency)
    }
}

/// An amount with the digits of its currency, such as `10.00 EUR`.
pub fn written(money: &Money) -> String {
    let digits = money.currency.decimals().max(money.amount.normalize().scale());
    let mut amount = money.amount;
    amount.rescale(digits);
    format!("{amount} {}", money.currency)
}

#[cfg(test)]
mod tests;
