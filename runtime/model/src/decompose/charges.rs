//! What the lines of an order cost: the prices of their offerings that are for their
//! characteristics and count on that day, with what alters them. A discount of a bundle is a
//! discount on all that is in it.

use rust_decimal::Decimal;

use super::CheckedLine;
use crate::catalog::{Catalog, Effect, Offering, OfferingPrice, PriceRole, Spec};
use crate::order::Order;
use crate::plan::Action;
use crate::pricing::charge::{Alteration, By, Change, Charge};
use crate::rulebook::Rulebook;
use tmf::document::Characteristics;
use tmf::money::{Currency, Money, PriceKind};
use tmf::period::Period;

/// Prices may consist of prices so deep.
const DEPTH_MAX: usize = 8;

/// The catalog's prices of each line, for one of it.
pub fn charges(order: &Order, lines: &[CheckedLine], rulebook: &Rulebook) -> Vec<Vec<Charge>> {
    let catalog = rulebook.catalog();
    let mut all: Vec<Vec<Charge>> = Vec::new();
    for (line, checked) in order.lines.iter().zip(lines) {
        let Some(id) = &line.offering else {
            all.push(Vec::new());
            continue;
        };
        let Some(offering) = catalog.offerings.get(id) else {
            all.push(Vec::new());
            continue;
        };
        let own = Own {
            catalog,
            order,
            spec: checked.spec.as_ref().and_then(|id| catalog.specs.get(id)),
            characteristics: &checked.characteristics,
        };
        let mut charges = own.charges(offering, line.action);
        let billed_with = rulebook.tax(id);
        for charge in charges.iter_mut().filter(|charge| charge.taxes.is_empty()) {
            charge.taxes.extend(billed_with.clone());
        }
        all.push(charges);
    }
    let inside = Inside::of(order);
    // From the inside out: a bundle's discount is on what is left by the discounts in it.
    for (index, line) in order.lines.iter().enumerate().rev() {
        let offering = line.offering.as_ref().and_then(|id| catalog.offerings.get(id));
        let Some((offering, checked)) = offering.zip(lines.get(index)) else {
            continue;
        };
        let own = Own {
            catalog,
            order,
            spec: checked.spec.as_ref().and_then(|id| catalog.specs.get(id)),
            characteristics: &checked.characteristics,
        };
        for (price, effect, kind) in own.alterations(offering) {
            inside.alter(index, &mut all, change(price, effect), kind, price.period);
        }
    }
    all
}

/// A line with what its prices depend on.
struct Own<'a> {
    catalog: &'a Catalog,
    order: &'a Order,
    spec: Option<&'a Spec>,
    characteristics: &'a Characteristics,
}

impl<'a> Own<'a> {
    fn charges(&self, offering: &Offering, action: Action) -> Vec<Charge> {
        let mut charges = Vec::new();
        for id in &offering.prices {
            if action != Action::Modify || !self.is_charged_with_a_new_product(id) {
                self.collect(id, &[], 0, &mut charges);
            }
        }
        charges
    }

    /// Whether a price is charged once, whatever the product is like: one that is changed has paid it.
    fn is_charged_with_a_new_product(&self, id: &str) -> bool {
        self.catalog.prices.get(id).is_some_and(|price| {
            price.role == PriceRole::Charge(PriceKind::OneOff)
                && price.when.is_empty()
                && price.parts.is_empty()
        })
    }

    /// Adds a price, or what it is made of. What alters the whole alters each part.
    fn collect(
        &self,
        id: &str,
        outer: &[(&'a OfferingPrice, Effect)],
        depth: usize,
        charges: &mut Vec<Charge>,
    ) {
        let price = self.catalog.prices.get(id).filter(|price| self.counts(price));
        let (Some(price), true) = (price, depth < DEPTH_MAX) else {
            return;
        };
        let PriceRole::Charge(kind) = price.role else {
            return;
        };
        let mut altered = outer.to_vec();
        altered.extend(price.altered_by.iter().filter_map(|(id, effect)| {
            let other = self.catalog.prices.get(id).filter(|other| self.counts(other))?;
            Some((other, *effect))
        }));
        if let Some(list) = price.amount {
            let mut charge = Charge {
                price: price.id.clone(),
                name: price.name.clone(),
                kind,
                period: price.period,
                unit: price.unit.clone(),
                tier: self.tier(price),
                list,
                includes_tax: false,
                alterations: Vec::new(),
                taxes: price.taxes.clone(),
            };
            altered.sort_by_key(|(other, _)| (other.lasts.is_some(), other.priority));
            for (other, effect) in &altered {
                charge.apply(change(other, *effect));
            }
            charges.push(charge);
        }
        for part in &price.parts {
            self.collect(part, &altered, depth + 1, charges);
        }
    }

    /// The alterations among the prices of an offering: they are about all that it costs.
    fn alterations(
        &self,
        offering: &Offering,
    ) -> Vec<(&'a OfferingPrice, Effect, Option<PriceKind>)> {
        let prices = offering.prices.iter().filter_map(|id| self.catalog.prices.get(id));
        let mut found: Vec<_> = prices
            .filter(|price| self.counts(price))
            .filter_map(|price| match price.role {
                PriceRole::Alteration(effect, kind) => Some((price, effect, kind)),
                PriceRole::Charge(_) => None,
            })
            .collect();
        found.sort_by_key(|(price, ..)| (price.lasts.is_some(), price.priority));
        found
    }

    /// Whether a price is for this line: it counts today and is for these characteristics. A name that
    /// is no characteristic of the product is that of a tier of usage.
    fn counts(&self, price: &OfferingPrice) -> bool {
        price.holds(self.order.at)
            && price.when.iter().all(|(name, values)| {
                let known = self.spec.is_some_and(|spec| spec.characteristics.contains_key(name));
                match self.characteristics.get(name) {
                    Some(value) => {
                        values.is_empty() || values.iter().any(|allowed| allowed.contains(value))
                    }
                    None => !known && price.role == PriceRole::Charge(PriceKind::Usage),
                }
            })
    }

    /// The part of the usage that a price is for.
    fn tier(&self, price: &OfferingPrice) -> Option<String> {
        let tiers = price.when.iter().filter(|(name, _)| !self.characteristics.contains(name));
        let texts = tiers.map(|(name, values)| {
            let values: Vec<String> = values.iter().map(ToString::to_string).collect();
            format!("{name} {}", values.join(", "))
        });
        let text = texts.collect::<Vec<_>>().join("; ");
        (!text.is_empty()).then_some(text)
    }
}

/// The lines of an order by the bundle that they are in.
struct Inside<'a> {
    order: &'a Order,
    lines: Vec<Vec<usize>>,
}

impl<'a> Inside<'a> {
    fn of(order: &'a Order) -> Self {
        let mut lines = vec![Vec::new(); order.lines.len()];
        for (index, line) in order.lines.iter().enumerate() {
            if let Some(bundle) = line.bundle {
                lines[bundle].push(index);
            }
        }
        Self { order, lines }
    }

    /// All that is in a line, at any depth; bundles do not run in circles.
    fn below(&self, index: usize) -> Vec<usize> {
        let mut found = Vec::new();
        let mut open = vec![index];
        while let Some(next) = open.pop() {
            found.extend(&self.lines[next]);
            open.extend(&self.lines[next]);
        }
        found.sort_unstable();
        found
    }

    /// Applies an alteration of a line to its charges, and of a bundle to those of what is in it.
    fn alter(
        &self,
        index: usize,
        all: &mut [Vec<Charge>],
        change: Change<'_>,
        kind: Option<PriceKind>,
        period: Option<Period>,
    ) {
        let by_period = if period.is_none() { PriceKind::OneOff } else { PriceKind::Recurring };
        let is_of_kind = |charge: &Charge| match (&change.by, kind) {
            (_, Some(kind)) => charge.kind == kind,
            (By::Amount(_), None) => charge.kind == by_period,
            (By::Percent(_), None) => true,
        };
        let meant =
            |charge: &Charge| is_of_kind(charge) && (period.is_none() || charge.period == period);
        let By::Amount(money) = change.by else {
            let below = self.below(index);
            for line in below.into_iter().chain([index]) {
                for charge in all[line].iter_mut().filter(|charge| meant(charge)) {
                    charge.apply(change);
                }
            }
            return;
        };
        let mut left = money.amount.abs();
        for charge in all[index].iter_mut().filter(|charge| meant(charge)) {
            let amount = money.with(left);
            left = charge.apply(Change { by: By::Amount(amount), ..change });
        }
        if let Some((like, sum)) = self.sum_below(index, all, &meant, money.currency)
            && !left.is_zero()
        {
            let quantity = Decimal::from(self.order.lines[index].quantity);
            let most = (sum / quantity).trunc_with_scale(like.decimals()).max(Decimal::ZERO);
            let amount = match change.effect {
                Effect::Discount => -left.min(most),
                Effect::Surcharge => left,
            };
            all[index].push(line_of(change, like, amount));
        }
    }

    /// What the things in a bundle cost together, with the first of their charges.
    fn sum_below(
        &self,
        index: usize,
        all: &[Vec<Charge>],
        meant: &impl Fn(&Charge) -> bool,
        currency: Currency,
    ) -> Option<(Charge, Decimal)> {
        let below = self.below(index);
        let charges = below.iter().flat_map(|line| all[*line].iter().map(move |c| (*line, c)));
        let mut charges = charges.filter(|(_, charge)| {
            meant(charge) && charge.list.currency == currency && charge.kind != PriceKind::Usage
        });
        let cost = |line: usize, charge: &Charge| {
            charge.first() * Decimal::from(self.order.lines[line].quantity)
        };
        let (line, like) = charges.next()?;
        let same = charges.filter(|(_, charge)| charge.period == like.period);
        let sum = same.map(|(line, charge)| cost(line, charge)).sum::<Decimal>();
        Some((like.clone(), sum + cost(line, like)))
    }
}

/// A change of what is in a bundle, as a line of the bundle's own.
fn line_of(change: Change<'_>, like: Charge, amount: Decimal) -> Charge {
    Charge {
        price: change.price.into(),
        name: change.name.into(),
        list: Money { amount: Decimal::ZERO, ..like.list },
        alterations: vec![Alteration {
            price: change.price.into(),
            name: change.name.into(),
            percentage: None,
            change: amount,
            lasts: change.lasts_on(like.period),
            priority: change.priority,
        }],
        ..like
    }
}

fn change(price: &OfferingPrice, effect: Effect) -> Change<'_> {
    let by = match (price.percentage, price.amount) {
        (Some(percent), _) => By::Percent(percent),
        (None, Some(money)) => By::Amount(money),
        (None, None) => By::Percent(Decimal::ZERO),
    };
    Change {
        price: &price.id,
        name: &price.name,
        effect,
        by,
        lasts: price.lasts,
        priority: price.priority,
    }
}
