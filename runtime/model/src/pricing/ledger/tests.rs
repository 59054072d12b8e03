use serde_json::json;
use tmf::document::{read, write};

use super::*;
use crate::pricing::tests::{at, decimal, money};

fn line(account: Account, amount: &str) -> Line {
    Line { account, amount: money(amount) }
}

fn owed(amount: &str) -> Line {
    line(Account::Receivable("acc-1".into()), amount)
}

fn entry(id: &str, lines: Vec<Line>) -> Result<Entry, Unbalanced> {
    Entry::new(id.into(), at("2026-04-01T00:00:00Z"), "Test".into(), lines)
}

#[test]
fn an_entry_out_of_balance_is_refused_in_each_currency() {
    let error = |lines| entry("e1", lines).unwrap_err().to_string();
    assert_eq!(
        error(vec![owed("10 EUR"), line(Account::Revenue, "-9.99 EUR")]),
        "entry `e1` is out of balance by 0.01 EUR"
    );
    assert_eq!(
        error(vec![owed("10 EUR"), line(Account::Revenue, "-10 USD")]),
        "entry `e1` is out of balance by 10 EUR"
    );
}

#[test]
fn an_entry_is_posted_once() {
    let entry = entry("e1", vec![owed("10 EUR"), line(Account::Revenue, "-10 EUR")]).unwrap();
    let mut ledger = Ledger::default();
    ledger.post(entry.clone());
    ledger.post(entry);
    let euro = Currency::parse("EUR").unwrap();
    assert_eq!(ledger.balance(&Account::Revenue, euro), decimal("-10"));
    assert_eq!(ledger.difference()[&euro], Decimal::ZERO);
    let rows: Vec<_> = ledger
        .trial_balance()
        .map(|(currency, account, balance)| format!("{account} {balance} {currency}"))
        .collect();
    assert_eq!(rows, ["receivable:acc-1 10 EUR", "revenue -10 EUR"]);
}

#[test]
fn an_entry_is_read_as_it_was_written() {
    let lines = vec![
        owed("11.90 EUR"),
        line(Account::Revenue, "-10 EUR"),
        line(Account::TaxPayable, "-1.90 EUR"),
    ];
    let entry = entry("e1", lines).unwrap();
    assert_eq!(Entry::read(entry.clone().into_document()), Ok(entry.clone()));
    insta::assert_snapshot!(write(&entry.clone().into_document()), @r#"{"@type":"JournalEntry","date":"2026-04-01T00:00:00.000Z","description":"Test","id":"e1","line":[{"account":"receivable:acc-1","amount":{"unit":"EUR","value":11.9},"type":"debit"},{"account":"revenue","amount":{"unit":"EUR","value":10},"type":"credit"},{"account":"taxPayable","amount":{"unit":"EUR","value":1.9},"type":"credit"}]}"#);
    let mut document = write(&entry.into_document());
    let read = |document: &serde_json::Value| read(document).and_then(Entry::read);
    document["line"][0]["amount"]["value"] = json!(1);
    assert_eq!(read(&document).unwrap_err().to_string(), "`line` is out of balance");
    document["line"][0]["account"] = json!("pocket");
    assert_eq!(read(&document).unwrap_err().to_string(), "`line[0].account` is no account");
}

#[test]
fn every_account_is_read_by_its_name() {
    let all = [
        Account::Receivable("a:b".into()),
        Account::Cash,
        Account::Revenue,
        Account::Adjustments,
        Account::WriteOff,
        Account::TaxPayable,
    ];
    for account in all {
        assert_eq!(Account::parse(&account.to_string()), Some(account));
    }
}
