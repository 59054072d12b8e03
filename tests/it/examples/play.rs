//! Tells a server what the examples tell, in the order of its dates, and writes down what comes of it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::say;
use super::told::{Example, Settings, instant};
use crate::world::{Answer, Settings as Setup, World, text};

const PRODUCT: &str = "/tmf-api/productInventory/v4/product";
const USAGE: &str = "/tmf-api/usageManagement/v4/usage";
const ACCOUNTS: &str = "/tmf-api/accountManagement/v4";
const BILLS: &str = "/tmf-api/customerBillManagement/v4";
const BILLING: &str = "/orchestration/v1/billing";

/// A server on which examples of the same settings are played, each with its own accounts.
pub(crate) struct Stage {
    world: World,
    /// The ids of accounts, products and bills, by example and name.
    ids: BTreeMap<(usize, String), String>,
    known: BTreeSet<String>,
}

impl Stage {
    pub(crate) async fn begin(settings: &Settings, examples: &[Example]) -> Self {
        let mut tail = "[billing]\n".to_owned();
        for (name, value) in settings {
            tail.push_str(&format!("{name} = \"{value}\"\n"));
        }
        let first = examples.iter().flat_map(|example| &example.steps).map(|step| step.at).min();
        let setup = Setup { tail, clock: first, ..Setup::default() };
        Self { world: World::with(setup).await, ids: BTreeMap::new(), known: BTreeSet::new() }
    }

    /// Plays all examples at once, by their dates; answers with what each comes out as.
    pub(crate) async fn play(&mut self, examples: &[Example]) -> Vec<String> {
        let all = examples.iter().enumerate();
        let mut steps: Vec<(usize, usize, &super::told::Step)> = all
            .flat_map(|(number, example)| {
                example.steps.iter().enumerate().map(move |(place, step)| (number, place, step))
            })
            .collect();
        steps.sort_by_key(|(number, place, step)| (step.at, *number, *place));
        let mut said: Vec<Vec<String>> = examples
            .iter()
            .map(|example| {
                example.settings.iter().map(|(name, value)| format!("{name} {value}")).collect()
            })
            .collect();
        for (number, _, step) in steps {
            self.world.clock().set(step.at);
            said[number].push(step.line.clone());
            let answers = self.tell(number, step.at, &step.words).await;
            said[number].extend(answers.into_iter().map(|line| format!("    {line}")));
        }
        said.into_iter().map(|lines| lines.join("\n")).collect()
    }

    fn id(&self, example: usize, name: &str) -> String {
        let found = self.ids.get(&(example, name.to_owned()));
        found.unwrap_or_else(|| panic!("`{name}` is not known here")).clone()
    }

    /// The accounts of an example, by their names.
    fn accounts(&self, example: usize) -> Vec<(String, String)> {
        let own = self.ids.iter().filter(|((number, _), _)| *number == example);
        let accounts = own.filter(|((_, name), _)| name.starts_with(|c: char| c.is_uppercase()));
        accounts.map(|((_, name), id)| (name.clone(), id.clone())).collect()
    }

    async fn tell(&mut self, example: usize, at: i64, words: &str) -> Vec<String> {
        let (verb, rest) = words.split_once(' ').unwrap_or((words, ""));
        match verb {
            "account" => self.open(example, rest).await,
            "product" => self.sell(example, at, rest).await,
            "prices" => {
                let (name, prices) = rest.split_once(": ").expect("prices of a product");
                let prices = say::prices(prices, |payer| self.id(example, payer));
                self.patch(example, name, json!({ "productPrice": prices })).await
            }
            "suspend" => self.patch(example, rest, json!({ "status": "suspended" })).await,
            "resume" => self.patch(example, rest, json!({ "status": "active" })).await,
            "end" => {
                let (name, time) = match rest.split_once(" as of ") {
                    Some((name, date)) => (name, instant(date, "08:00")),
                    None => (rest, at),
                };
                let end = json!({ "status": "terminated", "terminationDate": time_of(time) });
                self.patch(example, name, end).await
            }
            "remove" => {
                let path = format!("{PRODUCT}/{}", self.id(example, rest));
                refused(&self.world.http.send("DELETE", &path, &[], "").await.unwrap())
            }
            "usage" => self.used(example, rest).await,
            "run" => {
                self.run(example, if rest.is_empty() { at } else { instant(rest, "08:00") }).await
            }
            "demand" => self.demand(example, rest).await,
            "adjust" => self.adjust(example, rest).await,
            other => panic!("`{other}` is nothing that an example tells"),
        }
    }

    /// `A, monthly on day 15`
    async fn open(&mut self, example: usize, words: &str) -> Vec<String> {
        let (name, cycle) = words.split_once(", ").unwrap_or((words, "monthly on day 1"));
        let path = format!("{ACCOUNTS}/billingCycleSpecification");
        let cycle = self.world.http.post(&path, &say::cycle(cycle)).await;
        if cycle.status != 201 {
            return refused(&cycle);
        }
        let account = json!({
            "name": name, "relatedParty": [{ "id": "c", "role": "owner" }],
            "billStructure": { "cycleSpecification": { "id": cycle.body["id"], "name": "c" } },
        });
        let answer = self.world.http.post(&format!("{ACCOUNTS}/billingAccount"), &account).await;
        self.ids.insert((example, name.to_owned()), text(&answer.body["id"]));
        refused(&answer)
    }

    /// `p of A since 2028-03-10: Access 30.00 EUR each month`
    async fn sell(&mut self, example: usize, at: i64, words: &str) -> Vec<String> {
        let (whose, prices) = words.split_once(": ").expect("a product has prices");
        let (whose, start) = match whose.split_once(" since ") {
            Some((whose, since)) => {
                let (date, hour) = since.split_once(' ').unwrap_or((since, "08:00"));
                (whose, instant(date, hour))
            }
            None => (whose, at),
        };
        let (name, account) = whose.split_once(" of ").expect("a product is of an account");
        let product = json!({
            "name": name, "status": "active", "startDate": time_of(start),
            "billingAccount": { "id": self.id(example, account) },
            "productPrice": say::prices(prices, |payer| self.id(example, payer)),
        });
        let answer = self.world.http.post(PRODUCT, &product).await;
        self.ids.insert((example, name.to_owned()), text(&answer.body["id"]));
        refused(&answer)
    }

    async fn patch(&self, example: usize, product: &str, changes: Value) -> Vec<String> {
        let path = format!("{PRODUCT}/{}", self.id(example, product));
        let headers = [("content-type", "application/merge-patch+json")];
        refused(&self.world.http.send("PATCH", &path, &headers, changes.to_string()).await.unwrap())
    }

    /// `of p, 101 on 2028-01-03 10:00`
    async fn used(&self, example: usize, words: &str) -> Vec<String> {
        let (product, rest) = words.split_once(", ").expect("usage of a product");
        let (count, time) = rest.split_once(" on ").expect("usage on a day");
        let (date, hour) = time.split_once(' ').unwrap_or((time, "08:00"));
        let product = product.trim_start_matches("of ");
        let usage = json!({
            "usageDate": time_of(instant(date, hour)), "usageSpecification": { "id": "CALLS" },
            "usageCharacteristic": [{ "name": "n", "value": say::number(count) }],
            "ratedProductUsage": [{ "productRef": { "id": self.id(example, product) } }],
        });
        let answer = self.world.http.post(USAGE, &usage).await;
        match answer.body["rejection"]["code"].as_str() {
            Some(code) => vec![format!("rejected: {code}")],
            None => refused(&answer),
        }
    }

    /// A run of each account of the example, today.
    async fn run(&mut self, example: usize, at: i64) -> Vec<String> {
        let date = &time_of(at)[..10];
        let mut bills = Vec::new();
        for (name, id) in self.accounts(example) {
            let asked = json!({ "date": date, "billingAccount": id, "send": true });
            let answer = self.world.http.post(&format!("{BILLING}/runs"), &asked).await;
            if answer.status != 201 {
                return refused(&answer);
            }
            for failed in answer.body["failed"].as_array().into_iter().flatten() {
                bills.push(format!("{name} failed: {}", failed["reason"]));
            }
            bills.extend(self.bills(example, &name, &answer.body["bill"]));
        }
        let mut lines = self.new_lines(example).await;
        lines.extend(bills);
        lines
    }

    fn bills(&mut self, example: usize, account: &str, bills: &Value) -> Vec<String> {
        let mut said = Vec::new();
        for bill in bills.as_array().into_iter().flatten() {
            self.ids.insert((example, format!("bill of {account}")), text(&bill["id"]));
            said.push(format!("{account}: a bill of {}", money(&bill["amountDue"])));
        }
        said.sort();
        said
    }

    async fn demand(&mut self, example: usize, account: &str) -> Vec<String> {
        let asked = json!({ "billingAccount": { "id": self.id(example, account) } });
        let answer = self.world.http.post(&format!("{BILLS}/customerBillOnDemand"), &asked).await;
        let mut lines = self.new_lines(example).await;
        match answer.body["customerBill"]["id"].as_str() {
            Some(id) => {
                let bill = self.world.http.get(&format!("{BILLS}/customerBill/{id}")).await;
                lines.extend(self.bills(example, account, &json!([bill])));
            }
            None => lines.push(format!("{account}: {}", text(&answer.body["state"]))),
        }
        lines
    }

    /// `the bill of A by 30.00 EUR`
    async fn adjust(&mut self, example: usize, words: &str) -> Vec<String> {
        let (bill, amount) = words.split_once(" by ").expect("an adjustment by an amount");
        let bill = self.id(example, bill.trim_start_matches("the "));
        let (value, unit) = amount.split_once(' ').expect("an amount has a currency");
        let asked = json!({
            "bill": { "id": bill }, "reason": "sorry",
            "amount": { "unit": unit, "value": say::number(value) },
        });
        let answer = self.world.http.post(&format!("{BILLING}/adjustments"), &asked).await;
        let mut lines = refused(&answer);
        lines.extend(self.new_lines(example).await);
        lines
    }

    /// Charges and credits since the last call, to accounts of an example.
    async fn new_lines(&mut self, example: usize) -> Vec<String> {
        let mut lines = Vec::new();
        for (name, id) in self.accounts(example) {
            let path =
                format!("{BILLS}/appliedCustomerBillingRate?limit=1000&billingAccount.id={id}");
            for rate in self.world.http.list_of(&path).await {
                if self.known.insert(text(&rate["id"])) {
                    lines.push(format!("{name}: {}", line(&rate)));
                }
            }
        }
        lines.sort();
        lines
    }
}

fn time_of(at: i64) -> String {
    tmf::time::Timestamp(at).to_string()
}

/// Nothing if it was taken; else the attribute that is wrong.
fn refused(answer: &Answer) -> Vec<String> {
    match answer.status {
        200..300 => Vec::new(),
        status => vec![format!("refused ({status}): {}", text(&answer.body["referenceError"]))],
    }
}

fn money(amount: &Value) -> String {
    format!("{} {}", digits(amount), text(&amount["unit"]))
}

/// An amount with all digits of its currency.
fn digits(amount: &Value) -> String {
    let decimals = match amount["unit"].as_str() {
        Some("JPY") => 0,
        Some("KWD") => 3,
        _ => 2,
    };
    format!("{:.decimals$}", amount["value"].as_f64().unwrap())
}

/// `Access 2028-01-01 to 2028-01-31: 30.00 + 5.70 VAT`
fn line(rate: &Value) -> String {
    let kind = match text(&rate["type"]).as_str() {
        "credit" => " given back",
        "usageCharge" => " used",
        "adjustment" => " adjusted",
        _ => "",
    };
    let name = text(&rate["name"]);
    let name = name.rsplit(", ").next().unwrap_or_default().to_owned();
    let days = match (
        rate["periodCoverage"]["startDateTime"].as_str(),
        rate["periodCoverage"]["endDateTime"].as_str(),
    ) {
        (Some(from), Some(until)) => {
            let last = time_of(instant(&until[..10], "00:00") - 1)[..10].to_owned();
            let from = &from[..10];
            if from == last { format!(" {from}") } else { format!(" {from} to {last}") }
        }
        _ => String::new(),
    };
    let taxes = rate["appliedTax"].as_array().into_iter().flatten();
    let taxes = taxes.filter(|tax| tax["taxAmount"]["value"].as_f64() != Some(0.0));
    let taxes =
        taxes.map(|tax| format!(" + {} {}", digits(&tax["taxAmount"]), text(&tax["taxCategory"])));
    let taxes: String = taxes.collect();
    format!("{name}{kind}{days}: {}{taxes}", digits(&rate["taxExcludedAmount"]))
}
