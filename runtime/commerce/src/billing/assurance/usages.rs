//! Whether usage is billed, and what is billed is charged.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::fault::{Fault, FaultKind};
use crate::billing::usage::Rated;
use model::pricing::amount::written;
use model::pricing::rate::{self, Rate, RateKind};
use tmf::day::Day;
use tmf::money::{Currency, Money};
use tmf::zone::Zone;

/// Usage that was billed, and charges for usage, of each product by price and currency.
#[derive(Clone, Debug, Default)]
pub struct Usages {
    sums: BTreeMap<(String, String, Currency), Sums>,
}

#[derive(Clone, Debug, Default)]
struct Sums {
    /// The exact sum of usages, with tax if the price includes it.
    used: Decimal,
    /// The sum of the charges of usage before tax, and with it.
    net: Decimal,
    gross: Decimal,
    includes_tax: bool,
    charges: u32,
    /// A usage, and a charge, for the report.
    usage: Option<String>,
    charge: Option<String>,
}

impl Usages {
    /// Notes a usage; a fault if it is from before a day, up to which bills are due, and not billed.
    pub fn usage(&mut self, rated: Rated, until: Day, zone: Zone) -> Option<Fault> {
        if !rated.is_billed {
            let is_due = zone.day_of(rated.at) < until;
            let reason = format!("{} of product `{}`", written(&rated.net), rated.product);
            return is_due.then(|| FaultKind::UsageNotBilled.of("usage", &rated.id, reason));
        }
        let used = rated.charged().amount;
        let sums = self.sums.entry((rated.product, rated.price, rated.net.currency)).or_default();
        sums.used += used;
        sums.includes_tax |= rated.gross.is_some();
        sums.usage.get_or_insert(rated.id);
        None
    }

    /// Notes a rate, if it is a charge of usage.
    pub fn rate(&mut self, rate: Rate) {
        let gross = rate.gross().amount;
        let (RateKind::Usage, Some(product)) = (rate.kind, rate.product) else { return };
        let key = (product, rate.price.unwrap_or_default(), rate.net.currency);
        let sums = self.sums.entry(key).or_default();
        sums.net += rate.net.amount;
        sums.gross += gross;
        sums.charges += 1;
        sums.charge.get_or_insert(rate.id);
    }

    /// What does not add up. Each charge is rounded once.
    pub fn faults(self) -> Vec<Fault> {
        let mut faults = Vec::new();
        for ((product, price, currency), sums) in self.sums {
            let charged = if sums.includes_tax { sums.gross } else { sums.net };
            let unit = Decimal::new(1, currency.decimals());
            let most = unit * Decimal::from(sums.charges) / Decimal::TWO;
            let adds_up = sums.charges > 0 && (charged - sums.used).abs() <= most;
            if adds_up {
                continue;
            }
            let used = Money { amount: sums.used, currency };
            let reason = format!(
                "of product `{product}` by price `{price}` usage of {} is billed, and {} is charged",
                written(&used),
                written(&used.with(charged)),
            );
            let row = match (&sums.charge, &sums.usage) {
                (Some(charge), _) => (rate::RESOURCE, charge),
                (None, Some(usage)) => ("usage", usage),
                (None, None) => continue,
            };
            faults.push(FaultKind::UsageNotCharged.of(row.0, row.1, reason));
        }
        faults
    }
}
