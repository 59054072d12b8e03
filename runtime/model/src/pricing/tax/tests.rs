use super::*;
use crate::pricing::tests::{decimal, money};
use tmf::money::Currency;

fn taxes(rates: &[&str]) -> Vec<Tax> {
    let one = |rate: &&str| Tax { rate: decimal(rate), category: format!("T{rate}") };
    rates.iter().map(one).collect()
}

fn shown(taxes: &[AppliedTax]) -> String {
    taxes.iter().map(|tax| tax.amount.to_string()).collect::<Vec<_>>().join(" + ")
}

#[test]
fn each_tax_is_rounded_once() {
    let table = [
        ("10.00 EUR", &["19"] as &[&str], "1.90"),
        ("0.10 EUR", &["5", "5"], "0.01 + 0.01"),
        ("33.33 USD", &["6.25", "1.5", "0"], "2.08 + 0.50 + 0.00"),
        ("-0.10 EUR", &["5", "5"], "-0.01 + -0.01"),
        ("999 JPY", &["8", "2"], "80 + 20"),
        ("10.00 EUR", &[], ""),
    ];
    for (net, rates, expected) in table {
        let applied = AppliedTax::on(&money(net), &taxes(rates), Rounding::Commercial);
        assert_eq!(shown(&applied), expected, "{net} {rates:?}");
    }
}

#[test]
fn an_amount_with_tax_stays_as_it_is() {
    let rates: [&[&str]; 6] = [&["19"], &["7"], &["0"], &["6.25", "1.5"], &["5", "5", "2.5"], &[]];
    for rates in rates {
        for cents in (0..2_500).chain([-999, 999_999]) {
            let currency = Currency::parse("EUR").unwrap();
            let gross = Money { amount: Decimal::new(cents, 2), currency };
            let (net, applied) = AppliedTax::within(&gross, &taxes(rates), Rounding::Commercial);
            let tax: Decimal = applied.iter().map(|tax| tax.amount).sum();
            assert_eq!(net.amount + tax, gross.amount, "{gross} {rates:?}");
            for (tax, rate) in applied.iter().zip(rates) {
                let exact = net.amount * decimal(rate) / Decimal::ONE_HUNDRED;
                let off = (tax.amount - exact).abs();
                assert!(off < decimal("0.03"), "{gross} {rates:?}: {} is not {exact}", tax.amount);
            }
        }
    }
    let (net, applied) =
        AppliedTax::within(&money("9.99 EUR"), &taxes(&["19"]), Rounding::Commercial);
    assert_eq!((net, shown(&applied).as_str()), (money("8.39 EUR"), "1.60"));
}
