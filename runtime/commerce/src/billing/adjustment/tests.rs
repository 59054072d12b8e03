use proptest::prelude::*;
use serde_json::json;
use tmf::document::read;

use super::*;
use crate::billing::tests::{decimal, euro, money, shown, terms};

fn adjustment(id: &str, net: &str) -> Adjustment {
    Adjustment { id: id.into(), net: money(net), reason: "Outage".into(), at: Timestamp(0) }
}

fn bill() -> CustomerBill {
    let amount = json!({ "unit": "EUR", "value": 1 });
    let bill = json!({
        "id": "bill-1", "billingAccount": { "id": "acc-1" }, "state": "sent",
        "taxExcludedAmount": amount, "taxIncludedAmount": amount, "remainingAmount": amount,
    });
    read(&bill).unwrap()
}

fn rate(id: &str, kind: RateKind, net: &str, percent: &str) -> Rate {
    let net = Rounding::Commercial.of(decimal(net), euro());
    let tax = Rounding::Commercial.tax(&net, decimal(percent)).amount;
    let taxes =
        vec![AppliedTax { category: "VAT".into(), rate: Some(decimal(percent)), amount: tax }];
    Rate {
        id: id.into(),
        name: id.into(),
        description: String::new(),
        kind,
        date: Timestamp(0),
        account: Some("acc-1".into()),
        product: Some("prod-1".into()),
        price: Some("Access".into()),
        credits: None,
        covers: None,
        net,
        taxes,
        bill: None,
    }
}

/// A charge on the bill.
fn charge(id: &str, net: &str, percent: &str) -> Rate {
    Rate { bill: Some("bill-1".into()), ..rate(id, RateKind::Recurring, net, percent) }
}

/// A credit of a charge.
fn credit(of: &Rate, net: &str) -> Rate {
    let id = format!("{}-credit", of.id);
    let percent = of.taxes[0].rate.unwrap().to_string();
    Rate { credits: Some(of.id.clone()), ..rate(&id, RateKind::Credit, net, &percent) }
}

fn granted(net: &str, rates: &[Rate]) -> Result<Rate, Error> {
    adjustment("adj", net).of_bill(&bill(), rates, Rounding::Commercial)
}

#[test]
fn an_adjustment_is_a_rate_that_takes_away() {
    let rate = granted("10 EUR", &[charge("c", "71.90", "19")]).unwrap();
    assert_eq!(shown(std::slice::from_ref(&rate)), "adjustment Outage |  | -10.00 EUR + -1.90 EUR");
    assert_eq!((rate.account.as_deref(), rate.credits.as_deref()), (Some("acc-1"), Some("bill-1")));
    let rate = adjustment("adj-2", "5 EUR").of_account("acc-1", &terms()).unwrap();
    assert_eq!((rate.account.as_deref(), rate.credits), (Some("acc-1"), None));
    assert_eq!(rate.taxes[0].amount, decimal("-0.95"));
}

#[test]
fn no_more_is_given_back_than_was_charged() {
    let charge = charge("c", "71.90", "19");
    let first = granted("70 EUR", std::slice::from_ref(&charge)).unwrap();
    let earlier = [charge.clone(), credit(&charge, "-71.90")];
    let error = |net, rates: &[Rate]| granted(net, rates).unwrap_err().to_string();
    let table = [
        error("71.91 EUR", std::slice::from_ref(&charge)),
        error("1.91 EUR", &[charge.clone(), first.clone()]),
        error("0.01 EUR", &earlier),
        error("1 USD", std::slice::from_ref(&charge)),
        error("0 EUR", std::slice::from_ref(&charge)),
        error("-1 EUR", std::slice::from_ref(&charge)),
        error("0.001 EUR", std::slice::from_ref(&charge)),
        error("1 EUR", &[]),
    ];
    insta::assert_snapshot!(table.join("\n"), @r"
    of bill `bill-1` there is left to give back 71.90 EUR, not 71.91 EUR
    of bill `bill-1` there is left to give back 1.90 EUR, not 1.91 EUR
    of bill `bill-1` there is left to give back 0.00 EUR, not 0.01 EUR
    of bill `bill-1` there is left to give back 71.90 EUR, not 1.00 USD
    an adjustment of 0.00 EUR is no amount to give back
    an adjustment of -1.00 EUR is no amount to give back
    an adjustment of 0.001 EUR is no amount to give back
    of bill `bill-1` there is left to give back 0.00 EUR, not 1.00 EUR
    ");
    assert!(granted("1.90 EUR", &[charge, first]).is_ok());
}

#[test]
fn the_tax_of_an_adjustment_is_that_of_the_bill_by_its_shares() {
    let lines = [charge("a", "100", "7"), charge("b", "10", "0")];
    let tax = |net: &str| granted(net, &lines).unwrap().tax().amount;
    assert_eq!(tax("110 EUR"), decimal("-7.00"));
    assert_eq!(tax("55 EUR"), decimal("-3.50"));
    assert_eq!(tax("1 EUR"), decimal("-0.06"));
}

#[test]
fn a_credit_after_an_adjustment_gives_back_what_is_left() {
    let charge = charge("c", "30", "19");
    let table =
        [("30 EUR", "0.00", "0.00"), ("29.99 EUR", "-0.01", "0.00"), ("10 EUR", "-20.00", "-3.80")];
    for (adjusted, net, tax) in table {
        let known = [charge.clone(), granted(adjusted, std::slice::from_ref(&charge)).unwrap()];
        let made = vec![credit(&charge, "-30")];
        let left = limited(made, &known, Rounding::Commercial);
        let written = |amount: Decimal| format!("{amount:.2}").replace("-0.00", "0.00");
        assert_eq!(
            (written(left[0].net.amount), written(left[0].tax().amount)),
            (net.into(), tax.into())
        );
    }
    // Without an adjustment a credit is as it is.
    let made = vec![credit(&charge, "-45")];
    assert_eq!(limited(made.clone(), &[charge], Rounding::Commercial), made);
}

#[test]
fn a_discount_that_ends_with_its_product_raises_what_is_left() {
    let (charge, discount) = (charge("c", "45", "19"), charge("d", "-5", "19"));
    let adjusted = granted("10 EUR", &[charge.clone(), discount.clone()]).unwrap();
    let known = [charge.clone(), discount.clone(), adjusted];
    let made = vec![credit(&charge, "-45"), credit(&discount, "5")];
    let left = limited(made, &known, Rounding::Commercial);
    let net: Decimal = left.iter().map(|rate| rate.net.amount).sum();
    let tax: Decimal = left.iter().map(|rate| rate.tax().amount).sum();
    assert_eq!((net, tax), (decimal("-30"), decimal("-5.70")));
}

#[derive(Clone, Debug)]
enum Step {
    Adjust(u8),
    Credit(usize, u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (1..=100_u8).prop_map(Step::Adjust),
        (0..3_usize, 1..=100_u8).prop_map(|(line, percent)| Step::Credit(line, percent)),
    ];
    prop::collection::vec(step, 1..12)
}

proptest! {
    /// Whatever is adjusted and credited in any order: of no tax more is given back than was charged,
    /// nor of the bill, and an adjustment of all that is left leaves nothing.
    #[test]
    fn a_bill_is_given_back_once(
        amounts in prop::collection::vec(1..20_000_i64, 3),
        steps in steps(),
    ) {
        let lines: Vec<Rate> = amounts.iter().zip(["19", "7", "0"]).enumerate().map(|(at, (cents, percent))| {
            charge(&format!("c{at}"), &Decimal::new(*cents, 2).to_string(), percent)
        }).collect();
        let mut known = lines.clone();
        let mut credited = [0_u32; 3];
        for step in steps {
            let left = left_of("bill-1", euro(), &known);
            match step {
                Step::Adjust(percent) => {
                    let part = left.net.amount * Decimal::from(percent) / Decimal::ONE_HUNDRED;
                    let net = Rounding::Commercial.of(part, euro());
                    let adjustment = Adjustment { net, ..adjustment("adj", "1 EUR") };
                    known.extend(adjustment.of_bill(&bill(), &known, Rounding::Commercial));
                }
                Step::Credit(line, percent) => {
                    let percent = u32::from(percent).min(100 - credited[line]);
                    credited[line] += percent;
                    let charge = Left::of(&lines[line]);
                    let back = charge.share_back(percent.into(), 100.into(), Rounding::Commercial);
                    let made = Rate { net: back.net, taxes: back.taxes, ..credit(&lines[line], "0") };
                    // Rounding may take a cent too much of a line; a run gives the rest with the last.
                    let before: Decimal = known.iter()
                        .filter(|one| one.credits == made.credits).map(|one| one.net.amount).sum();
                    if before + made.net.amount + lines[line].net.amount < Decimal::ZERO {
                        continue;
                    }
                    let made = limited(vec![made], &known, Rounding::Commercial);
                    known.extend(made);
                }
            }
            let left = left_of("bill-1", euro(), &known);
            prop_assert!(left.net.amount >= Decimal::ZERO, "{:?}", left);
        }
        let left = left_of("bill-1", euro(), &known).net;
        let all = Adjustment { net: left, ..adjustment("all", "1 EUR") };
        if left.amount > Decimal::ZERO {
            known.push(all.of_bill(&bill(), &known, Rounding::Commercial).unwrap());
        }
        let adjusted = known.iter().any(|one| one.kind == RateKind::Adjustment);
        let left = left_of("bill-1", euro(), &known);
        prop_assert_eq!(left.net.amount, Decimal::ZERO);
        prop_assert!(!adjusted || left.taxes.iter().all(|tax| tax.amount.is_zero()), "{:?}", left);
    }
}
