//! What all lines cost together, by price type, period and currency.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::charge::Charge;
use crate::money::{Money, PriceKind};

/// What all lines cost together for one price type, period and currency.
#[derive(Clone, Debug, PartialEq)]
pub struct Total {
    /// When it is charged.
    pub kind: PriceKind,
    /// The period of recurring charges; else empty.
    pub period: String,
    /// Before tax, once alterations that end have ended.
    pub net: Money,
    /// With tax; nothing where the tax on a part of it is not known.
    pub gross: Option<Decimal>,
    /// By how much it is altered for so many periods, before tax.
    pub changes: BTreeMap<u32, Decimal>,
}

/// Sums charges, each with how many are wanted. Usage is known later, and is not in it.
pub fn totals<'a>(charges: impl IntoIterator<Item = (u32, &'a Charge)>) -> Vec<Total> {
    let mut found: BTreeMap<(bool, &str, &str), Total> = BTreeMap::new();
    for (quantity, charge) in charges {
        let is_recurring = match charge.kind {
            PriceKind::OneOff => false,
            PriceKind::Recurring => true,
            PriceKind::Usage => continue,
        };
        let currency = charge.list.currency.as_str();
        let key = (is_recurring, charge.period.as_str(), currency);
        let total = found.entry(key).or_insert_with(|| Total {
            kind: charge.kind,
            period: charge.period.clone(),
            net: Money { currency: currency.into(), amount: Decimal::ZERO },
            gross: Some(Decimal::ZERO),
            changes: BTreeMap::new(),
        });
        let quantity = Decimal::from(quantity);
        let net = charge.regular() * quantity;
        total.net.amount += net;
        total.gross = total.gross.zip(charge.tax_on(net)).map(|(gross, tax)| gross + net + tax);
        for change in &charge.alterations {
            if let Some(periods) = change.periods {
                *total.changes.entry(periods).or_default() += change.change * quantity;
            }
        }
    }
    found.into_values().collect()
}

impl Total {
    /// Writes it as TM Forum's `QuotePrice` and `OrderPrice`, which are alike.
    pub fn to_tmf(&self, kind: &str) -> Value {
        let money = |amount| Money { currency: self.net.currency.clone(), amount }.to_tmf();
        let name = match (self.kind, self.period.as_str()) {
            (PriceKind::Recurring, "") => "Recurring".into(),
            (PriceKind::Recurring, period) => format!("Recurring, each {period}"),
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
        let changes = self.changes.iter().map(|(periods, change)| {
            json!({
                "name": format!("For the first {periods}"),
                "priceType": self.kind.as_tmf(),
                "applicationDuration": periods,
                "price": { "dutyFreeAmount": money(*change) },
            })
        });
        let changes: Vec<Value> = changes.collect();
        if let Some(fields) = body.as_object_mut() {
            if !self.period.is_empty() {
                fields.insert("recurringChargePeriod".into(), json!(self.period));
            }
            if !changes.is_empty() {
                fields.insert("priceAlteration".into(), Value::Array(changes));
            }
        }
        body
    }
}
