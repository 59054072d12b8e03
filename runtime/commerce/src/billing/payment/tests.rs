use serde_json::json;
use tmf::Malformed;
use tmf::document::{read, write};

use super::*;
use crate::billing::tests::money;

fn bill(remaining: f64) -> CustomerBill {
    let amount = json!({ "unit": "EUR", "value": remaining });
    let bill = json!({
        "id": "bill-1", "state": "sent", "amountDue": amount, "remainingAmount": amount,
        "taxExcludedAmount": amount, "taxIncludedAmount": amount,
    });
    read(&bill).unwrap()
}

fn payment(id: &str, amount: &str) -> Payment {
    Payment { id: id.into(), amount: money(amount), at: Timestamp(0) }
}

/// The bill after a payment; `None` if it had it before.
fn note(bill: &CustomerBill, payment: &Payment) -> Result<Option<CustomerBill>, Error> {
    super::note(bill.clone(), payment).map(|noted| match noted {
        Noted::Now(bill) => Some(bill),
        Noted::Before(_) => None,
    })
}

fn shown(bill: &CustomerBill) -> String {
    format!("{} {}", bill.state, write(&bill.remaining_amount)["value"])
}

#[test]
fn a_bill_is_paid_in_parts_until_it_is_settled() {
    let bill = note(&bill(85.56), &payment("p1", "50 EUR")).unwrap().unwrap();
    assert_eq!(shown(&bill), "partiallyPaid 35.56");
    let bill = note(&bill, &payment("p2", "35.56 EUR")).unwrap().unwrap();
    assert_eq!(shown(&bill), "settled 0");
    assert_eq!(bill.applied_payment.len(), 2);
}

#[test]
fn a_payment_is_noted_once() {
    let paid = note(&bill(85.56), &payment("p1", "85.56 EUR")).unwrap().unwrap();
    assert_eq!(note(&paid, &payment("p1", "85.56 EUR")), Ok(None));
    for other in ["85.55 EUR", "85.56 USD", "-85.56 EUR", "0.001 EUR"] {
        let error = note(&paid, &payment("p1", other)).unwrap_err();
        assert!(matches!(error, Error::Repeated { .. }), "{other}: {error}");
    }
}

#[test]
fn a_credit_is_paid_out() {
    let paid = note(&bill(-12.5), &payment("p1", "-12.50 EUR")).unwrap().unwrap();
    assert_eq!(shown(&paid), "settled 0");
}

#[test]
fn a_write_off_settles_a_bill() {
    let (settled, amount) = write_off(bill(85.56), Timestamp(0)).unwrap();
    assert_eq!((shown(&settled).as_str(), amount), ("settled 0", money("85.56 EUR")));
    assert!(write_off(settled, Timestamp(0)).is_err());
}

#[test]
fn a_payment_that_does_not_fit_is_refused() {
    let error =
        |bill: &CustomerBill, amount| note(bill, &payment("p1", amount)).unwrap_err().to_string();
    let mut new = bill(10.0);
    new.state = BillState::New;
    let table = [
        error(&bill(10.0), "10.01 EUR"),
        error(&bill(10.0), "0 EUR"),
        error(&bill(10.0), "-1 EUR"),
        error(&bill(-10.0), "1 EUR"),
        error(&bill(10.0), "1 USD"),
        error(&bill(10.0), "0.999 EUR"),
        error(&bill(10.0), "9.9990 EUR"),
        error(&new, "1 EUR"),
    ];
    insta::assert_snapshot!(table.join("\n"), @r"
    of bill `bill-1` there is left to pay 10.00 EUR, not 10.01 EUR
    of bill `bill-1` there is left to pay 10.00 EUR, not 0.00 EUR
    of bill `bill-1` there is left to pay 10.00 EUR, not -1.00 EUR
    of bill `bill-1` there is left to pay -10.00 EUR, not 1.00 EUR
    bill `bill-1` is in `EUR`
    0.999 EUR is finer than the currency
    9.999 EUR is finer than the currency
    bill `bill-1` is `new`: only what is `sent` or `partiallyPaid` can be paid
    ");
    let unreadable: Result<CustomerBill, Malformed> = read(&json!({ "id": "bill-1" }));
    assert_eq!(unreadable.unwrap_err().to_string(), "`remainingAmount` is missing");
}
