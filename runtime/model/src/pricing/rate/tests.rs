use serde_json::{Value, json};
use tmf::document::{read, write};

use super::*;
use crate::pricing::tests::{at, days, decimal, money};

fn tax(category: &str, rate: Option<&str>, amount: &str) -> AppliedTax {
    AppliedTax { category: category.into(), rate: rate.map(decimal), amount: decimal(amount) }
}

fn rate() -> Rate {
    Rate {
        id: "prod-1-b1".into(),
        name: "Fibre, Access".into(),
        description: "22/31 days".into(),
        kind: RateKind::Recurring,
        date: at("2026-04-01T02:00:00Z"),
        account: Some("acc-1".into()),
        product: Some("prod-1".into()),
        price: Some("pop-1".into()),
        credits: None,
        covers: Some(days("2026-03-10..2026-04-01")),
        net: money("22.00 EUR"),
        taxes: vec![tax("VAT", Some("19"), "4.18")],
        bill: None,
    }
}

#[test]
fn a_rate_is_read_as_it_was_written() {
    let credit = Rate {
        kind: RateKind::Credit,
        credits: Some("prod-1-b1".into()),
        bill: Some("bill-1".into()),
        description: String::new(),
        net: money("-1.00 EUR"),
        ..rate()
    };
    let bare = Rate {
        kind: RateKind::Adjustment,
        account: None,
        product: None,
        price: None,
        covers: None,
        taxes: vec![tax("VAT", None, "4.18")],
        ..rate()
    };
    let several =
        Rate { taxes: vec![tax("GST", Some("5"), "1.1"), tax("PST", Some("7"), "1.54")], ..rate() };
    let exempt = Rate { taxes: Vec::new(), ..rate() };
    for rate in [rate(), credit, bare, several, exempt] {
        let read = Rate::read(&rate.document(Zone::UTC)).unwrap();
        assert_eq!(read.gross().amount, rate.gross().amount);
        assert_eq!(Rate { net: rate.net, ..read }, rate);
    }
}

#[test]
fn a_rate_has_the_shape_of_the_standard() {
    let text = serde_json::to_string_pretty(&write(&rate().document(Zone::UTC))).unwrap();
    insta::assert_snapshot!(text, @r#"
    {
      "@type": "AppliedCustomerBillingRate",
      "appliedTax": [
        {
          "taxAmount": {
            "unit": "EUR",
            "value": 4.18
          },
          "taxCategory": "VAT",
          "taxRate": 19
        }
      ],
      "billingAccount": {
        "@referredType": "BillingAccount",
        "href": "/tmf-api/accountManagement/v4/billingAccount/acc-1",
        "id": "acc-1"
      },
      "characteristic": [
        {
          "name": "price",
          "value": "pop-1",
          "valueType": "string"
        }
      ],
      "date": "2026-04-01T02:00:00.000Z",
      "description": "22/31 days",
      "href": "/tmf-api/customerBillManagement/v4/appliedCustomerBillingRate/prod-1-b1",
      "id": "prod-1-b1",
      "isBilled": false,
      "name": "Fibre, Access",
      "periodCoverage": {
        "endDateTime": "2026-04-01T00:00:00.000Z",
        "startDateTime": "2026-03-10T00:00:00.000Z"
      },
      "product": {
        "@referredType": "Product",
        "href": "/tmf-api/productInventory/v4/product/prod-1",
        "id": "prod-1"
      },
      "taxExcludedAmount": {
        "unit": "EUR",
        "value": 22
      },
      "taxIncludedAmount": {
        "unit": "EUR",
        "value": 26.18
      },
      "type": "recurringCharge"
    }
    "#);
}

#[test]
fn a_period_that_ends_on_a_day_has_that_day() {
    let mut document = write(&rate().document(Zone::UTC));
    let mut covers = |from: &str, to: &str| {
        document["periodCoverage"] = json!({ "startDateTime": from, "endDateTime": to });
        Rate::read(&read(&document).unwrap()).unwrap().covers.map(|days| days.to_string())
    };
    let march = Some("2026-03-10..2026-04-01".to_owned());
    assert_eq!(covers("2026-03-10", "2026-03-31"), march);
    assert_eq!(covers("2026-03-10T00:00:00Z", "2026-03-31T23:59:59Z"), march);
    assert_eq!(covers("2026-03-10T00:00:00Z", "2026-04-01T00:00:00Z"), march);
    assert_eq!(covers("", ""), None);
}

#[test]
fn other_attributes_of_a_rate_stay_when_it_is_billed() {
    let mut document = rate().document(Zone::UTC);
    document.rest.insert("x-note".into(), json!("kept"));
    document.mark_billed("bill-9");
    assert_eq!(Rate::read(&document).unwrap().bill.as_deref(), Some("bill-9"));
    let document = write(&document);
    assert_eq!(document["isBilled"], json!(true));
    assert_eq!(document["bill"]["id"], json!("bill-9"));
    assert_eq!(document["x-note"], json!("kept"));
}

#[test]
fn malformed_rates_are_rejected_with_their_path() {
    let error = |name: &str, value: Value| {
        let mut document = write(&rate().document(Zone::UTC));
        document[name] = value;
        read(&document).and_then(|document| Rate::read(&document)).unwrap_err().to_string()
    };
    assert_eq!(error("type", json!("gift")), "`type` is no type of rate");
    assert_eq!(error("taxExcludedAmount", Value::Null), "`taxExcludedAmount` is missing");
    assert_eq!(
        error("appliedTax", json!([{ "taxAmount": { "unit": "USD", "value": 1 } }])),
        "`appliedTax[0]` is in another currency than the rate"
    );
    assert_eq!(error("date", json!("now")), "`date` is not a date-time");
}

#[test]
fn the_ids_of_charges_are_told_from_others() {
    for id in
        ["p-1-b1", "p-b12", "p-b12-2", "use-7-b", "use-7-b-2", "f-c1-1", "f-c1.2-10", "f-c1-1-back"]
    {
        assert!(is_of_charges(id), "{id}");
    }
    for id in
        ["adj-1", "cn-2026-1", "adj-bx", "adj-customer-7", "money-back", "b1", "c1-1", "f-c1-1x"]
    {
        assert!(!is_of_charges(id), "{id}");
    }
}
