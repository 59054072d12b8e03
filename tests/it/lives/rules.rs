//! The rules of `docs/billing.md`, by the day and the instant. Nothing here knows how the server does
//! it: each day of a product is looked at by itself, and sums are fractions.

use super::calendar::{Cycle, Day, Instant, Zone};
use super::exact::{Exact, decimals};
use super::facts::{Alteration, Change, Kind, Price, Product, Tariff, Usage, Version};

/// Digits that a rated usage has beyond those of its currency (6.6).
const EXTRA_DIGITS: u32 = 4;

impl Product {
    /// The version at an instant; the first one counts back (1.3).
    pub(crate) fn version_at(&self, at: Instant) -> &Version {
        self.versions.iter().rev().find(|one| one.since <= at).unwrap_or(&self.versions[0])
    }

    /// Whether usage counts at an instant (6.1).
    pub(crate) fn is_charged_at(&self, at: Instant) -> bool {
        let is_alive = at >= self.start && self.end.is_none_or(|end| at < end);
        is_alive && self.version_at(at).is_active
    }

    /// The version at the end of a day.
    pub(crate) fn version_on(&self, day: Day, zone: Zone) -> &Version {
        self.version_at(zone.instant(day + 1, 0) - 1)
    }

    /// Whether a day is charged: it is by its end (1.2).
    pub(crate) fn is_charged_on(&self, day: Day, zone: Zone) -> bool {
        let has_begun = zone.day_of(self.start) <= day;
        let goes_on = self.end.is_none_or(|end| day < zone.day_of(end));
        has_begun && goes_on && self.version_on(day, zone).is_active
    }

    /// The price of a name, and of a place among those of one name (2.2).
    pub(crate) fn price_on(
        &self,
        name: &str,
        place: usize,
        day: Day,
        zone: Zone,
    ) -> Option<&Price> {
        self.version_on(day, zone).prices.iter().filter(|price| price.name == name).nth(place)
    }

    /// The first charged day up to another one, if there is any, on which something holds.
    pub(crate) fn first_day(
        &self,
        until: Day,
        zone: Zone,
        holds: impl Fn(Day) -> bool,
    ) -> Option<Day> {
        let mut days = zone.day_of(self.start)..until;
        days.find(|day| self.is_charged_on(*day, zone) && holds(*day))
    }

    /// The amount of a price for a whole period on a day, with its alterations then (3.1 to 3.4).
    pub(crate) fn amount_on(&self, price: &Price, place: usize, day: Day, zone: Zone) -> Exact {
        let mut amount = price.amount;
        for alteration in &price.alterations {
            if let Some((count, unit)) = alteration.lasts {
                let has = |day: Day| {
                    let then = self.price_on(&price.name, place, day, zone);
                    then.is_some_and(|then| {
                        then.alterations.iter().any(|one| one.name == alteration.name)
                    })
                };
                let begin = self.first_day(day + 1, zone, has).unwrap_or(day);
                if day >= unit.period().times(count, begin) {
                    continue;
                }
            }
            amount = alteration.apply(amount, price.amount);
        }
        amount
    }
}

impl Alteration {
    fn apply(&self, amount: Exact, listed: Exact) -> Exact {
        let change = match self.change {
            Change::Percent(percent) => amount.percent(percent),
            Change::Amount(change) => change,
        };
        match self.is_surcharge {
            true => amount + change,
            false if listed.is_zero() => amount - change,
            false => (amount - change).max(Exact::ZERO),
        }
    }
}

/// What a price that recurs owes: the days of one account up to, without, a day.
pub(crate) struct Owed<'a> {
    pub(crate) product: &'a Product,
    pub(crate) name: &'a str,
    pub(crate) place: usize,
    pub(crate) zone: Zone,
    /// The cycle of the account that the product belongs to, by which its periods run.
    pub(crate) cycle: Cycle,
    /// The first charged day of the product, from which its periods count (2.4).
    pub(crate) first: Day,
}

impl Owed<'_> {
    /// The period of a price that a day is in.
    pub(crate) fn period(&self, price: &Price, day: Day) -> (Day, Day) {
        let Kind::Recurring(unit) = price.kind else { panic!("{} does not recur", price.name) };
        unit.period().around(day, self.first, self.cycle)
    }

    /// Whether a day is owed by an account that is charged up to, without, a day (2.7).
    pub(crate) fn is_owed(&self, day: Day, account: &str, until: Day) -> bool {
        let Some(price) = self.product.price_on(self.name, self.place, day, self.zone) else {
            return false;
        };
        let payer = price.payer.as_deref().unwrap_or(&self.product.account);
        if payer != account || !self.product.is_charged_on(day, self.zone) {
            return false;
        }
        let Kind::Recurring(unit) = price.kind else { return false };
        if day < until {
            return true;
        }
        // Ahead, if a day of its period is over.
        let is_ahead = unit.period().is_longer_than(self.cycle);
        is_ahead && self.first < until && self.period(price, day).0 < until
    }

    /// What some days of a period cost together, exactly.
    pub(crate) fn cost(&self, days: &[Day]) -> Exact {
        let of = |day: &Day| {
            let price = self.product.price_on(self.name, self.place, *day, self.zone);
            let price = price.expect("the day has the price");
            let (from, end) = self.period(price, *day);
            self.product.amount_on(price, self.place, *day, self.zone).over(i128::from(end - from))
        };
        days.iter().map(of).sum()
    }
}

/// The usage price of a product at an instant.
pub(crate) fn usage_price(product: &Product, at: Instant) -> Option<(&Price, &Tariff)> {
    product.version_at(at).prices.iter().find_map(|price| match &price.kind {
        Kind::Usage(tariff) => Some((price, tariff)),
        Kind::Once | Kind::Recurring(_) => None,
    })
}

impl Usage {
    /// Units as they are counted.
    pub(crate) fn counted(&self, tariff: &Tariff) -> Exact {
        let Some(step) = tariff.round_to else { return self.quantity };
        let mut counted = Exact::ZERO;
        while counted < self.quantity {
            counted = counted + step;
        }
        counted
    }
}

/// What units cost that come after others of their period (6.3, 6.5, 6.6).
pub(crate) fn rating(
    price: &Price,
    tariff: &Tariff,
    before: Exact,
    units: Exact,
    hour: i64,
) -> Exact {
    let free = (tariff.allowance - before).max(Exact::ZERO).min(units);
    let paid = units - free;
    let from = (before - tariff.allowance).max(Exact::ZERO);
    let mut amount = Exact::ZERO;
    if tariff.tiers.is_empty() {
        amount = paid * price.amount;
    }
    let mut begin = Exact::ZERO;
    for (end, cost) in &tariff.tiers {
        // The part of what is paid for, from `from` on, that lies in the tier.
        let low = from.max(begin);
        let high = end.map_or(from + paid, |end| end.min(from + paid));
        amount = amount + (high - low).max(Exact::ZERO) * *cost;
        begin = end.unwrap_or(high);
    }
    amount = amount * tariff.per.inverse();
    if let Some((begin, end, percent)) = tariff.band {
        let is_in =
            if begin < end { begin <= hour && hour < end } else { hour >= begin || hour < end };
        if is_in {
            amount = amount.percent(percent);
        }
    }
    amount.rounded(decimals(price.currency) + EXTRA_DIGITS)
}
