//! Sums of the prices of all lines, by price type, period and currency.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::charge::Charge;
use tmf::document::Amount;
use tmf::document::item_price::{ItemPrice, ItemPriceAlteration};
use tmf::document::product::Price;
use tmf::money::{Currency, Money, PriceKind};
use tmf::period::{Period, Term};

/// The sum of the prices of all lines of one price type, period and currency.
#[derive(Clone, Debug, PartialEq)]
pub struct Total {
    /// When it is charged.
    pub kind: PriceKind,
    /// The period of recurring charges.
    pub period: Option<Period>,
    /// Before tax, once alterations that end have ended.
    pub net: Money,
    /// With tax; `None` if the tax on a part of it is not known.
    pub gross: Option<Decimal>,
    /// By how much it is altered for the first periods, before tax.
    pub changes: BTreeMap<Term, Decimal>,
}

/// Sums of charges. Usage is not included: its cost is known later.
#[derive(Clone, Debug, Default)]
pub struct Totals(BTreeMap<(bool, Option<Period>, Currency), Total>);

impl Totals {
    /// Adds a charge, of which a number is wanted.
    pub fn add(&mut self, quantity: u32, charge: &Charge) {
        let is_recurring = match charge.kind {
            PriceKind::OneOff => false,
            PriceKind::Recurring => true,
            PriceKind::Usage => return,
        };
        let currency = charge.list.currency;
        let key = (is_recurring, charge.period, currency);
        let total = self.0.entry(key).or_insert_with(|| Total {
            kind: charge.kind,
            period: charge.period,
            net: Money { currency, amount: Decimal::ZERO },
            gross: Some(Decimal::ZERO),
            changes: BTreeMap::new(),
        });
        let quantity = Decimal::from(quantity);
        let net = charge.regular() * quantity;
        total.net.amount += net;
        total.gross = total.gross.zip(charge.tax_on(net)).map(|(gross, tax)| gross + net + tax);
        for change in &charge.alterations {
            if let Some(lasts) = change.lasts {
                *total.changes.entry(lasts).or_default() += change.change * quantity;
            }
        }
    }

    /// One sum for each price type, period and currency.
    pub fn into_list(self) -> Vec<Total> {
        self.0.into_values().collect()
    }
}

/// Sums charges, each with how many are wanted.
pub fn totals<'a>(charges: impl IntoIterator<Item = (u32, &'a Charge)>) -> Vec<Total> {
    let mut totals = Totals::default();
    charges.into_iter().for_each(|(quantity, charge)| totals.add(quantity, charge));
    totals.into_list()
}

impl Total {
    /// Writes it as a price of a type, `QuotePrice` or `OrderPrice`.
    pub fn document(&self, kind: &str) -> ItemPrice {
        let name = match (self.kind, self.period) {
            (PriceKind::Recurring, None) => "Recurring".into(),
            (PriceKind::Recurring, Some(period)) => format!("Recurring, each {period}"),
            (PriceKind::OneOff | PriceKind::Usage, _) => "Once".into(),
        };
        let money = |amount| Some(Amount::new(amount, self.net.currency));
        let changes = self.changes.iter().map(|(lasts, change)| {
            let each = lasts.each.map(|each| format!(" x {each}")).unwrap_or_default();
            ItemPriceAlteration {
                name: Some(format!("For the first {}{each}", lasts.periods)),
                price_type: Some(self.kind.as_tmf().into()),
                application_duration: Some(lasts.periods),
                recurring_charge_period: lasts.each.map(|each| each.to_string()),
                price: Some(Price { duty_free_amount: money(*change), ..Price::default() }),
                ..ItemPriceAlteration::default()
            }
        });
        ItemPrice {
            name: Some(name),
            price_type: Some(self.kind.as_tmf().into()),
            recurring_charge_period: self.period.map(|period| period.to_string()),
            price: Some(Price {
                duty_free_amount: money(self.net.amount),
                tax_included_amount: self.gross.and_then(money),
                ..Price::default()
            }),
            price_alteration: changes.collect(),
            kind: Some(kind.into()),
            ..ItemPrice::default()
        }
    }
}
