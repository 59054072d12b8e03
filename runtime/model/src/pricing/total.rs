//! What all lines cost together, by price type, period and currency.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::charge::Charge;
use tmf::money::{Money, PriceKind};
use tmf::period::{Period, Term};

/// What all lines cost together for one price type, period and currency.
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

/// Sums charges, each with how many are wanted. Usage is known later, and is not in it.
pub fn totals<'a>(charges: impl IntoIterator<Item = (u32, &'a Charge)>) -> Vec<Total> {
    let mut found: BTreeMap<(bool, Option<Period>, &str), Total> = BTreeMap::new();
    for (quantity, charge) in charges {
        let is_recurring = match charge.kind {
            PriceKind::OneOff => false,
            PriceKind::Recurring => true,
            PriceKind::Usage => continue,
        };
        let currency = charge.list.currency.as_str();
        let key = (is_recurring, charge.period, currency);
        let total = found.entry(key).or_insert_with(|| Total {
            kind: charge.kind,
            period: charge.period,
            net: Money { currency: currency.into(), amount: Decimal::ZERO },
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
    found.into_values().collect()
}

impl Total {
    /// Writes it as TM Forum's `QuotePrice` and `OrderPrice`, which are alike.
    pub fn to_tmf(&self, kind: &str) -> Value {
        let money = |amount| Money { currency: self.net.currency.clone(), amount }.to_tmf();
        let name = match (self.kind, self.period) {
            (PriceKind::Recurring, None) => "Recurring".into(),
            (PriceKind::Recurring, Some(period)) => format!("Recurring, each {period}"),
            (PriceKind::OneOff | PriceKind::Usage, _) => "Once".into(),
        };
        let mut price = json!({ "dutyFreeAmount": money(self.net.amount) });
        if let (Some(gross), Some(fields)) = (self.gross, price.as_object_mut()) {
            fields.insert("taxIncludedAmount".into(), money(gross));
        }
        let mut body = json!({
            "name": name,
            "priceType": self.kind.as_tmf(),
            "price": price,
            "@type": kind,
        });
        let changes = self.changes.iter().map(|(lasts, change)| {
            let each = lasts.each.map(|each| format!(" x {each}")).unwrap_or_default();
            let mut entry = json!({
                "name": format!("For the first {}{each}", lasts.periods),
                "priceType": self.kind.as_tmf(),
                "applicationDuration": lasts.periods,
                "price": { "dutyFreeAmount": money(*change) },
            });
            if let (Some(each), Some(fields)) = (lasts.each, entry.as_object_mut()) {
                fields.insert("recurringChargePeriod".into(), json!(each));
            }
            entry
        });
        let changes: Vec<Value> = changes.collect();
        if let Some(fields) = body.as_object_mut() {
            if let Some(period) = self.period {
                fields.insert("recurringChargePeriod".into(), json!(period));
            }
            if !changes.is_empty() {
                fields.insert("priceAlteration".into(), Value::Array(changes));
            }
        }
        body
    }
}
