use serde_json::json;
use tmf::document::{read, write};

use super::*;
use crate::billing::charge::Until;
use crate::billing::tests::{
    at, days, decimal, due, money, one_off, product, recurring, terms, timeline,
};

fn account() -> BillingAccount {
    read(&json!({
        "id": "acc-1", "name": "Home",
        "relatedParty": [{ "id": "cust-1", "name": "A. Meyer", "@referredType": "Customer" }],
        "financialAccount": { "id": "fin-1" },
    }))
    .unwrap()
}

fn rates(period: &str) -> Vec<AppliedRate> {
    let fibre =
        product("active", "2026-03-10", &json!([recurring("31", "month"), one_off("49.90")]));
    let run = at("2026-04-01T02:00:00Z");
    let period = days(period);
    let until = Until::all(period.until);
    let mut all = due(&fibre, &timeline(&fibre, ""), &[], &until, &terms(), run).unwrap();
    all.retain(|rate| rate.covers.is_some_and(|days| days.from >= period.from));
    all.iter().map(|rate| rate.document(Zone::UTC)).collect()
}

fn run<'a>(account: &'a BillingAccount, period: &str) -> Run<'a> {
    Run {
        account,
        id: "bill-1",
        number: "2026-000001",
        period: days(period),
        cycle: Cycle::default(),
        cause: Cause::Cycle,
        release: Release::Sent,
        at: at("2026-04-01T02:00:00Z"),
        zone: Zone::UTC,
    }
}

#[test]
fn a_bill_has_the_shape_of_the_standard() {
    let account = account();
    let march = "2026-03-01..2026-04-01";
    let mut drawn = draw(&run(&account, march), rates(march)).unwrap();
    assert_eq!(drawn.len(), 1);
    let documents = std::mem::take(&mut drawn[0].bill.bill_document);
    assert_eq!(documents, statement::documents("bill-1"));
    insta::assert_snapshot!(serde_json::to_string_pretty(&write(&drawn[0].bill)).unwrap(), @r#"
    {
      "@type": "CustomerBill",
      "amountDue": {
        "unit": "EUR",
        "value": 85.56
      },
      "appliedPayment": [],
      "billDate": "2026-04-01T02:00:00.000Z",
      "billNo": "2026-000001",
      "billingAccount": {
        "@referredType": "BillingAccount",
        "href": "/tmf-api/accountManagement/v4/billingAccount/acc-1",
        "id": "acc-1"
      },
      "billingPeriod": {
        "endDateTime": "2026-04-01T00:00:00.000Z",
        "startDateTime": "2026-03-01T00:00:00.000Z"
      },
      "category": "normal",
      "financialAccount": {
        "id": "fin-1"
      },
      "href": "/tmf-api/customerBillManagement/v4/customerBill/bill-1",
      "id": "bill-1",
      "lastUpdate": "2026-04-01T02:00:00.000Z",
      "nextBillDate": "2026-05-01T00:00:00.000Z",
      "paymentDueDate": "2026-04-15T00:00:00.000Z",
      "relatedParty": [
        {
          "@referredType": "Customer",
          "id": "cust-1",
          "name": "A. Meyer"
        }
      ],
      "remainingAmount": {
        "unit": "EUR",
        "value": 85.56
      },
      "runType": "onCycle",
      "state": "sent",
      "taxExcludedAmount": {
        "unit": "EUR",
        "value": 71.9
      },
      "taxIncludedAmount": {
        "unit": "EUR",
        "value": 85.56
      },
      "taxItem": [
        {
          "taxAmount": {
            "unit": "EUR",
            "value": 13.66
          },
          "taxCategory": "VAT",
          "taxRate": 19
        }
      ]
    }
    "#);
    assert!(drawn[0].rates.iter().all(|rate| rate.bill.as_ref().unwrap().is_to("bill-1")));
}

#[test]
fn a_period_is_billed_once() {
    let account = account();
    let march = "2026-03-01..2026-04-01";
    let mut drawn = draw(&run(&account, march), rates(march)).unwrap();
    assert_eq!(draw(&run(&account, march), drawn.remove(0).rates).unwrap(), []);
}

#[test]
fn charges_of_later_days_wait_and_refunds_do_not() {
    let account = account();
    let mut rates = rates("2026-04-01..2026-05-01");
    let drawn = |rates: &[AppliedRate]| {
        draw(&run(&account, "2026-03-01..2026-04-01"), rates.to_vec()).unwrap()
    };
    // Charges of the run for later days are on its bill.
    assert_eq!(drawn(&rates)[0].rates.len(), rates.len());
    for rate in &mut rates {
        rate.date = at("2026-03-20T10:00:00Z").into();
    }
    assert_eq!(drawn(&rates), []);
    rates[0].rate_type = RateKind::Credit;
    assert_eq!(drawn(&rates)[0].rates.len(), 1);
}

#[test]
fn each_account_and_each_currency_has_its_own_bill() {
    let account = account();
    let march = "2026-03-01..2026-04-01";
    let mut rates = rates(march);
    let mut dollars = Rate::read(&rates[0]).unwrap();
    dollars.id = "usd".into();
    dollars.net = money("10.00 USD");
    dollars.taxes.clear();
    rates.push(dollars.document(Zone::UTC));
    dollars.id = "other".into();
    dollars.account = Some("acc-2".into());
    rates.push(dollars.document(Zone::UTC));
    let drawn = draw(&run(&account, march), rates).unwrap();
    let text: Vec<_> = drawn
        .iter()
        .map(|one| {
            let bill = write(&one.bill);
            format!("{} {} {} rates", bill["id"], bill["amountDue"], one.rates.len())
        })
        .collect();
    insta::assert_snapshot!(text.join("\n"), @r#"
    "bill-1-EUR" {"unit":"EUR","value":85.56} 2 rates
    "bill-1-USD" {"unit":"USD","value":10} 1 rates
    "#);
}

#[test]
fn a_bill_of_zero_is_settled_and_one_on_demand_names_its_type() {
    let account = account();
    let march = "2026-03-01..2026-04-01";
    let mut free = Rate::read(&rates(march)[0]).unwrap();
    free.net = money("0.00 EUR");
    free.taxes.clear();
    let run = Run { cause: Cause::OnDemand, ..run(&account, march) };
    let bill = &draw(&run, vec![free.document(Zone::UTC)]).unwrap()[0].bill;
    assert_eq!((bill.state.as_str(), bill.run_type.as_deref()), ("settled", Some("offCycle")));
    assert_eq!(bill.next_bill_date, None);
}

#[test]
fn each_tax_of_its_lines_is_an_item_of_a_bill() {
    let account = account();
    let march = "2026-03-01..2026-04-01";
    let tax = |category: &str, rate: &str, amount: &str| AppliedTax {
        category: category.into(),
        rate: Some(decimal(rate)),
        amount: decimal(amount),
    };
    let taxes = [
        vec![tax("GST", "5", "1.10"), tax("PST", "7", "1.54")],
        vec![tax("GST", "5.0", "2.50"), tax("GST", "0", "0")],
    ];
    let lines = rates(march).into_iter().zip(taxes).map(|(rate, taxes)| {
        let rate = Rate { taxes, ..Rate::read(&rate).unwrap() };
        rate.document(Zone::UTC)
    });
    let drawn = draw(&run(&account, march), lines.collect()).unwrap();
    let bill = write(&drawn[0].bill);
    let items = bill["taxItem"].as_array().unwrap().iter().map(|item| {
        format!("{} {} {}", item["taxCategory"], item["taxRate"], item["taxAmount"]["value"])
    });
    insta::assert_snapshot!(items.collect::<Vec<_>>().join("\n"), @r#"
    "GST" 0 0
    "GST" 5 3.6
    "PST" 7 1.54
    "#);
    assert_eq!(bill["taxIncludedAmount"]["value"], json!(77.04));
}
