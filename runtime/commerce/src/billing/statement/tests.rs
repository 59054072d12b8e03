use serde_json::{Value, json};
use tmf::document::{read, write};

use super::*;
use crate::billing::charge::Until;
use crate::billing::tests::{at, days, due, one_off, product, recurring, terms, timeline};

fn bill() -> Value {
    let euro = |value: f64| json!({ "unit": "EUR", "value": value });
    json!({
        "id": "bill-1", "state": "partiallyPaid", "billNo": "2026-000001", "billDate": "2026-04-01T02:00:00Z",
        "billingAccount": { "id": "acc-1" },
        "relatedParty": [{ "id": "cust-1", "name": "Müller & <Söhne>" }],
        "billingPeriod": { "startDateTime": "2026-03-01T00:00:00Z", "endDateTime": "2026-04-01T00:00:00Z" },
        "paymentDueDate": "2026-04-15T00:00:00Z",
        "amountDue": euro(85.56), "remainingAmount": euro(35.56),
        "taxExcludedAmount": euro(71.9), "taxIncludedAmount": euro(85.56),
        "taxItem": [{ "taxCategory": "VAT", "taxRate": 19.0, "taxAmount": euro(13.66) }],
        "appliedPayment": [{ "appliedAmount": euro(50.0), "payment": { "id": "p1" } }],
    })
}

fn rates(name: &str) -> Vec<Rate> {
    let mut fibre =
        product("active", "2026-03-10", &json!([recurring("31", "month"), one_off("49.90")]));
    fibre["name"] = json!(name);
    let period = days("2026-03-01..2026-04-01");
    due(
        &fibre,
        &timeline(&fibre, ""),
        &[],
        &Until::all(period.until),
        &terms(),
        at("2026-04-01T02:00:00Z"),
    )
    .unwrap()
}

fn html(bill: &Value, rates: Vec<Rate>) -> String {
    Statement::read(read(bill).unwrap(), rates, Zone::UTC).unwrap().html()
}

#[test]
fn a_bill_shows_its_lines_its_tax_and_what_is_left_to_pay() {
    let page = html(&bill(), rates("Fibre"));
    let body = page.split_once("</head>").unwrap().1;
    insta::assert_snapshot!(body.trim(), @r#"
    <body>
    <h1>Bill 2026-000001</h1>
    <p>Customer: <strong>Müller &amp; &lt;Söhne&gt;</strong><br>Account: <strong>acc-1</strong><br>Date: <strong>2026-04-01</strong><br>Period: <strong>2026-03-01 to 2026-03-31</strong><br>To be paid by: <strong>2026-04-15</strong><br></p>
    <table>
    <thead><tr><th>What</th><th>For</th><th class="n">Before tax</th><th class="n">Tax</th></tr></thead>
    <tbody>
    <tr><td>Fibre, Access<br><small>22/31 days</small></td><td>2026-03-10 to 2026-03-31</td><td class="n">22.00 EUR</td><td class="n">4.18 EUR</td></tr>
    <tr><td>Fibre, Setup</td><td>2026-03-10</td><td class="n">49.90 EUR</td><td class="n">9.48 EUR</td></tr>
    </tbody>
    <tfoot>
    <tr><td colspan="3">Before tax</td><td class="n">71.90 EUR</td></tr>
    <tr><td colspan="3">VAT 19 %</td><td class="n">13.66 EUR</td></tr>
    <tr class="t"><td colspan="3">Amount due</td><td class="n">85.56 EUR</td></tr>
    <tr><td colspan="3">Paid</td><td class="n">-50.00 EUR</td></tr>
    <tr class="t"><td colspan="3">Left to pay</td><td class="n">35.56 EUR</td></tr>
    </tfoot>
    </table>
    </body>
    </html>
    "#);
}

#[test]
fn texts_of_a_bill_are_never_markup() {
    let mut bill = bill();
    let hostile = "\"'><script>alert(1)</script>&amp;";
    bill["billNo"] = json!(hostile);
    bill["relatedParty"][0]["name"] = json!(hostile);
    bill["billingAccount"]["id"] = json!(hostile);
    bill["taxItem"][0]["taxCategory"] = json!(hostile);
    let page = html(&bill, rates(hostile));
    assert!(!page.contains("<script"));
    assert!(!page.contains("\"'>"));
    assert!(page.contains("&quot;&#39;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;amp;"));
}

#[test]
fn a_bill_needs_nothing_from_elsewhere() {
    let page = html(&bill(), rates("Fibre"));
    for outside in ["http:", "https:", "src=", "href=", "@import", "url("] {
        assert!(!page.contains(outside), "{outside}");
    }
}

#[test]
fn the_documents_of_a_bill_are_listed_with_their_addresses() {
    let told: Vec<String> = write(&documents("bill-1"))
        .as_array()
        .unwrap()
        .iter()
        .map(|one| format!("{} {} {}", one["id"], one["mimeType"], one["url"]).replace('"', ""))
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r"
    bill-1-html text/html /orchestration/v1/billing/bills/bill-1/document
    bill-1-pdf application/pdf /orchestration/v1/billing/bills/bill-1/document.pdf
    ");
}
