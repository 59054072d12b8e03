//! Random histories of an operator's accounts: products begin, pause and end, are used, billed,
//! paid, credited and given up. After every step the books balance to the cent.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::billing::adjustment::{Adjustment, limited};
use crate::billing::bill::{Cause, Run, draw};
use crate::billing::bill_state::Release;
use crate::billing::charge::Until;
use crate::billing::payment::{Noted, Payment, note, write_off};
use crate::billing::statement::Statement;
use crate::billing::{assurance, usage};
use model::pricing::ledger::{Account, Entry, Ledger};
use model::pricing::rate::RateKind;
use tmf::document::account::BillingAccount;
use tmf::document::customer_bill::{AppliedRate, CustomerBill};
use tmf::document::product::Product;
use tmf::document::usage::Usage;

#[derive(Clone, Copy, Debug)]
enum Op {
    Wait(u8),
    Change { product: u8, status: u8 },
    Use { product: u8, thousandths: u16 },
    Bill,
    Pay { bill: u8, percent: u8 },
    Adjust { bill: u8, percent: u8 },
    GiveUp { bill: u8 },
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![
        4 => (1..40_u8).prop_map(Op::Wait),
        4 => (any::<u8>(), any::<u8>()).prop_map(|(product, status)| Op::Change { product, status }),
        3 => (any::<u8>(), 1..9999_u16)
            .prop_map(|(product, thousandths)| Op::Use { product, thousandths }),
        4 => Just(Op::Bill),
        3 => (any::<u8>(), 1..=100_u8).prop_map(|(bill, percent)| Op::Pay { bill, percent }),
        2 => (any::<u8>(), 1..=60_u8).prop_map(|(bill, percent)| Op::Adjust { bill, percent }),
        1 => any::<u8>().prop_map(|bill| Op::GiveUp { bill }),
    ];
    prop::collection::vec(op, 1..40)
}

/// What an operator has.
struct Operator {
    today: Day,
    billed_until: Day,
    products: Vec<(Value, Vec<(Timestamp, Status)>)>,
    rates: BTreeMap<String, AppliedRate>,
    usages: Vec<Usage>,
    bills: Vec<CustomerBill>,
    ledger: Ledger,
    count: usize,
}

const ACCOUNTS: [&str; 2] = ["acc-0", "acc-1"];

impl Operator {
    fn new() -> Self {
        let products = (0..4).map(|number| {
            let prices = json!([
                recurring("19.99", "month"), one_off("4.90"),
                { "name": "Care", "priceType": "recurring", "recurringChargePeriod": "year",
                  "price": { "dutyFreeAmount": { "unit": "EUR", "value": 99.95 }, "taxRate": 7.5 } },
                { "name": "Box", "priceType": "recurring", "recurringChargePeriod": "week",
                  "price": { "dutyFreeAmount": { "unit": "EUR", "value": 1.11 } },
                  "productPriceAlteration": [{ "name": "Half", "priceType": "discount",
                    "applicationDuration": 5, "price": { "percentage": 50 } }] },
            ]);
            let mut product = product("created", "2024-01-20", &prices);
            product["id"] = json!(format!("prod-{number}"));
            product["billingAccount"]["id"] = json!(ACCOUNTS[number % 2]);
            product.as_object_mut().unwrap().remove("startDate");
            (product, Vec::new())
        });
        Self {
            today: day("2024-01-20"),
            billed_until: day("2024-01-20"),
            products: products.collect(),
            rates: BTreeMap::new(),
            usages: Vec::new(),
            bills: Vec::new(),
            ledger: Ledger::default(),
            count: 0,
        }
    }

    fn play(&mut self, op: Op) {
        self.count += 1;
        match op {
            Op::Wait(days) => self.today = self.today.plus_days(i64::from(days)),
            Op::Change { product, status } => self.change(usize::from(product) % 4, status),
            Op::Use { product, thousandths } => self.used(usize::from(product) % 4, thousandths),
            Op::Bill => self.bill(),
            Op::Pay { bill, percent } => self.pay(bill, percent),
            Op::Adjust { bill, percent } => self.adjust(bill, percent),
            Op::GiveUp { bill } => self.give_up(bill),
        }
    }

    fn now(&self) -> Timestamp {
        start(self.today).plus_ms(1000 * self.count as u64)
    }

    fn change(&mut self, product: usize, status: u8) {
        let now = self.now();
        let (product, history) = &mut self.products[product];
        let before = Status::parse(product["status"].as_str().unwrap()).unwrap();
        let next = match (before, status % 4) {
            (Status::Created, _) => "active",
            (Status::Active, 0 | 1) => "suspended",
            (Status::Suspended, 0..=2) => "active",
            (Status::Active | Status::Suspended, 2 | 3) => "terminated",
            _ => return,
        };
        product["status"] = json!(next);
        if before == Status::Created {
            product["startDate"] = json!(now.to_string());
        }
        history.push((now, Status::parse(next).unwrap()));
    }

    fn used(&mut self, product: usize, thousandths: u16) {
        let net = Decimal::new(i64::from(thousandths), 3);
        let euro = |amount: Decimal| Money { currency: euro(), amount }.to_tmf();
        self.usages.push(read(&json!({
            "id": format!("use-{:04}", self.count), "status": "rated",
            "usageDate": self.now().to_string(),
            "ratedProductUsage": [{
                "productRef": { "id": format!("prod-{product}") }, "price": "Data", "units": 1,
                "freeUnits": 0, "tax": [{ "taxRate": 19 }], "taxExcludedRatingAmount": euro(net),
            }],
        })));
    }

    fn read_rates(&self) -> Vec<Rate> {
        self.rates.values().map(|rate| Rate::read(rate).unwrap()).collect()
    }

    fn timelines(&self) -> Vec<(Value, Timeline)> {
        let products = self.products.iter();
        products
            .map(|(one, history)| {
                (one.clone(), Timeline::of(&read(one), history.clone(), Zone::UTC).unwrap())
            })
            .collect()
    }

    fn keep(&mut self, rates: &[Rate]) {
        for rate in rates {
            let was = self.rates.insert(rate.id.clone(), rate.document(Zone::UTC));
            assert_eq!(was, None, "two rates have the id `{}`", rate.id);
            self.ledger.post(Entry::of_rate(rate).unwrap());
        }
    }

    /// Charges everything since the last run and draws the bills; again, and nothing is new.
    fn bill(&mut self) {
        let Some(period) = Days::new(self.billed_until, self.today) else { return };
        self.run(period);
        let (bills, rates) = (self.bills.clone(), self.rates.clone());
        self.run(period);
        assert_eq!((&self.bills, &self.rates), (&bills, &rates));
        self.billed_until = self.today;
        let timelines = self.timelines();
        let typed: Vec<Product> = timelines.iter().map(|(product, _)| read(product)).collect();
        let products: Vec<_> =
            typed.iter().zip(timelines.iter().map(|(_, timeline)| timeline)).collect();
        let left = assurance::compare(&products, &self.read_rates(), self.today, &terms());
        assert_eq!(left.unwrap(), []);
        let rates = self.read_rates();
        for (product, timeline) in products {
            let mine = rates.iter().filter(|rate| rate.product.as_ref() == Some(&product.id));
            let mine: Vec<Rate> = mine.cloned().collect();
            let account_at = |_| product.account();
            let faults = assurance::charges::faults(product, timeline, &mine, &terms(), account_at);
            assert_eq!(faults.unwrap(), []);
        }
    }

    fn run(&mut self, period: Days) {
        let now = self.now();
        for (product, timeline) in self.timelines() {
            let known = self.read_rates();
            let made =
                due(&product, &timeline, &known, &Until::all(period.until), &terms(), now).unwrap();
            let made = limited(made, &known, terms().rounding);
            self.keep(&made);
        }
        let until = Until::all(period.until);
        let account_of = |id: &str| {
            let product = self.products.iter().find(|(one, _)| one["id"] == id);
            product.and_then(|(product, _)| product["billingAccount"]["id"].as_str())
        };
        let used = usage::bill(self.usages.clone(), account_of, &until, &terms(), now).unwrap();
        for billed in used.usages {
            let index = self.usages.iter().position(|one| one.id == billed.id).unwrap();
            self.usages[index] = billed;
        }
        self.keep(&used.rates);
        for account in ACCOUNTS {
            let id = format!("bill-{}-{account}", self.count);
            let run = Run {
                account: &BillingAccount::unknown(account),
                id: &id,
                number: &id,
                period,
                cycle: Cycle::default(),
                cause: Cause::Cycle,
                release: Release::Sent,
                at: now,
                zone: Zone::UTC,
            };
            let rates: Vec<AppliedRate> = self.rates.values().cloned().collect();
            for drawn in draw(&run, rates).unwrap() {
                let lines: Vec<Rate> =
                    drawn.rates.iter().map(|one| Rate::read(one).unwrap()).collect();
                let statement = Statement::read(drawn.bill.clone(), lines, Zone::UTC).unwrap();
                assert!(!statement.html().is_empty() && statement.pdf().starts_with(b"%PDF"));
                self.bills.push(drawn.bill);
                for rate in drawn.rates {
                    self.rates.insert(rate.id.clone(), rate);
                }
            }
        }
    }

    fn pick(&self, bill: u8) -> Option<usize> {
        (!self.bills.is_empty()).then(|| usize::from(bill) % self.bills.len())
    }

    fn pay(&mut self, bill: u8, percent: u8) {
        let Some(index) = self.pick(bill) else { return };
        let left = self.bills[index].remaining_amount.0;
        let part = left.amount * Decimal::from(percent) / Decimal::ONE_HUNDRED;
        let amount = Rounding::Commercial.of(part, left.currency);
        let payment = Payment { id: format!("pay-{}", self.count), amount, at: self.now() };
        let Ok(Noted::Now(paid)) = note(self.bills[index].clone(), &payment) else { return };
        self.ledger.post(Entry::of_payment(&payment, &paid.id, paid.account()).unwrap());
        assert_eq!(note(paid.clone(), &payment), Ok(Noted::Before(paid.clone())));
        self.bills[index] = paid;
    }

    fn adjust(&mut self, bill: u8, percent: u8) {
        let Some(index) = self.pick(bill) else { return };
        let net = self.bills[index].tax_excluded_amount.0;
        let part = net.amount * Decimal::from(percent) / Decimal::ONE_HUNDRED;
        let adjustment = Adjustment {
            id: format!("adj-{}", self.count),
            net: Rounding::Commercial.of(part, net.currency),
            reason: "Goodwill".into(),
            at: self.now(),
        };
        if let Ok(rate) =
            adjustment.of_bill(&self.bills[index], &self.read_rates(), terms().rounding)
        {
            self.keep(&[rate]);
        }
    }

    fn give_up(&mut self, bill: u8) {
        let Some(index) = self.pick(bill) else { return };
        let Ok((settled, amount)) = write_off(self.bills[index].clone(), self.now()) else {
            return;
        };
        let (id, account) = (settled.id.as_str(), settled.account());
        self.ledger.post(Entry::of_write_off(id, account, amount, self.now()).unwrap());
        self.bills[index] = settled;
    }

    /// The books balance, and what an account owes is what its bills and what is not billed say.
    fn check(&self) -> Result<(), TestCaseError> {
        for (currency, difference) in self.ledger.difference() {
            prop_assert_eq!(difference, Decimal::ZERO, "{}", currency);
        }
        for account in ACCOUNTS {
            let bills = self.bills.iter().filter(|bill| bill.account() == account);
            let remaining: Decimal = bills.map(|bill| bill.remaining_amount.0.amount).sum();
            let unbilled = self.rates.values().filter(|rate| {
                rate.is_billed == Some(false)
                    && rate.billing_account.as_ref().is_some_and(|of| of.is_to(account))
            });
            let unbilled: Decimal =
                unbilled.map(|one| Rate::read(one).unwrap().gross().amount).sum();
            let owed = self.ledger.balance(&Account::Receivable(account.into()), euro());
            prop_assert_eq!(owed, remaining + unbilled, "{}", account);
        }
        Ok(())
    }

    /// Every bill is the sum of its lines, and its tax that of its tax items.
    fn check_bills(&self) -> Result<(), TestCaseError> {
        let rates = self.read_rates();
        for bill in &self.bills {
            let on = |rate: &&Rate| rate.bill.as_ref() == Some(&bill.id);
            let gross: Decimal = rates.iter().filter(on).map(|rate| rate.gross().amount).sum();
            prop_assert_eq!(gross, bill.amount_due.as_ref().unwrap().0.amount);
            let tax: Decimal = bill.tax_item.iter().map(|one| one.tax_amount.0.amount).sum();
            let (net, gross) = (&bill.tax_excluded_amount.0, &bill.tax_included_amount.0);
            prop_assert_eq!(net.amount + tax, gross.amount);
        }
        prop_assert!(rates.iter().all(|rate| rate.gross().amount.normalize().scale() <= 2));
        Ok(())
    }
}

proptest! {
    #[test]
    fn the_books_balance_whatever_happens(ops in ops()) {
        let mut operator = Operator::new();
        for op in ops {
            operator.play(op);
            operator.check()?;
        }
        operator.play(Op::Wait(1));
        operator.play(Op::Bill);
        operator.check()?;
        operator.check_bills()?;
        // Who never had anything active owes nothing but what was used.
        let idle = operator.products.iter().all(|(_, history)| history.is_empty());
        let charged = operator.read_rates();
        let runs = |rate: &Rate| matches!(rate.kind, RateKind::Recurring | RateKind::OneOff);
        prop_assert!(!idle || !charged.iter().any(runs));
    }
}
