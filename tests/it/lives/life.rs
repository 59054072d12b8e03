//! A life: what is told to a server over months, and what comes of it.

mod ordered;
mod undone;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::calendar::{Cycle, Day, HOUR_MS, Instant, Zone, time, written};
use super::check::{Findings, check};
use super::draw::{self, between, one_in, pick};
use super::exact::Exact;
use super::facts::{Account, Kind, Product, Usage, Version, prices};
use super::line::Line;
use crate::world::{Dice, Settings, World, text};

const PRODUCT: &str = "/tmf-api/productInventory/v4/product";
const USAGE: &str = "/tmf-api/usageManagement/v4/usage";
const ACCOUNTS: &str = "/tmf-api/accountManagement/v4";
const BILLS: &str = "/tmf-api/customerBillManagement/v4";
const BILLING: &str = "/orchestration/v1/billing";

/// What is told in one life.
const STEPS: u64 = 45;

/// A world of a few accounts on one server.
pub(crate) struct Life {
    pub(crate) zone: Zone,
    pub(crate) accounts: Vec<Account>,
    pub(crate) products: Vec<Product>,
    pub(crate) usages: Vec<Usage>,
    /// Up to which day, without it, each account was charged.
    pub(crate) until: BTreeMap<String, Day>,
    /// Up to which day the last run or demand charged each account: of days after it, which a bill on
    /// demand had, what is told later waits for the next bill.
    pub(crate) strict: BTreeMap<String, Day>,
    /// The day of the last run.
    pub(crate) today: Day,
    /// What was told, and what came of it.
    pub(crate) story: Vec<String>,
    dice: Dice,
    now: Instant,
    known: BTreeSet<String>,
    paid: BTreeMap<String, Exact>,
    world: World,
}

impl Life {
    pub(crate) async fn begin(seed: u64) -> Self {
        let mut dice = Dice::of(seed);
        let zone = pick(&mut dice, &Zone::ALL);
        let first =
            super::calendar::day(between(&mut dice, 2027, 2031), between(&mut dice, 1, 12), 3);
        let now = zone.instant(first, 9);
        let tail = format!("[billing]\ntime-zone = \"{}\"\n", zone.name());
        let world = World::with(Settings { tail, clock: Some(now), ..Settings::default() }).await;
        let mut life = Self {
            zone,
            accounts: Vec::new(),
            products: Vec::new(),
            usages: Vec::new(),
            until: BTreeMap::new(),
            strict: BTreeMap::new(),
            today: first,
            story: vec![format!("in {} from {}", zone.name(), time(now))],
            dice,
            now,
            known: BTreeSet::new(),
            paid: BTreeMap::new(),
            world,
        };
        for number in 0..3 {
            life.open(number).await;
        }
        life
    }

    pub(crate) fn cycle_of(&self, account: &str) -> Cycle {
        self.accounts.iter().find(|one| one.id == account).expect("an account of ours").cycle
    }

    /// Plays all of it; answers with what was wrong first.
    pub(crate) async fn play(&mut self) -> Findings {
        for _ in 0..STEPS {
            let days = between(&mut self.dice, 0, 14);
            let day = self.zone.day_of(self.now) + days;
            let at = self.zone.instant(day, between(&mut self.dice, 6, 20));
            self.now = at.max(self.now + HOUR_MS);
            self.world.clock().set(self.now);
            let findings = self.step().await;
            if !findings.0.is_empty() {
                return findings;
            }
        }
        let findings = self.run(None).await;
        if !findings.0.is_empty() {
            return findings;
        }
        self.at_the_end().await
    }

    async fn step(&mut self) -> Findings {
        let active: Vec<usize> =
            (0..self.products.len()).filter(|index| self.products[*index].end.is_none()).collect();
        let choice = self.dice.up_to(20);
        if active.is_empty() || (choice <= 3 && self.products.len() < 7) {
            self.sell().await;
            return Findings(Vec::new());
        }
        let index = pick(&mut self.dice, &active);
        match choice {
            1..=6 => self.change_price(index).await,
            7..=9 => self.pause(index).await,
            10 => self.end(index).await,
            11..=15 => self.use_it(index).await,
            16 => {
                let account = pick(&mut self.dice, &self.accounts).id;
                return self.demand(account).await;
            }
            17 => {
                let account = pick(&mut self.dice, &self.accounts).id;
                return self.run(Some(account)).await;
            }
            _ => return self.run(None).await,
        }
        Findings(Vec::new())
    }

    fn tell(&mut self, what: &str) {
        self.story.push(format!("{} {what}", time(self.now)));
    }

    async fn made(&self, path: &str, body: &Value) -> Value {
        let answer = self.world.http.post(path, body).await;
        assert_eq!(answer.status, 201, "{body} {}\n{}", answer.text, self.story.join("\n"));
        answer.body
    }

    async fn open(&mut self, number: usize) {
        let cycle = draw::cycle(&mut self.dice);
        let frequency = match cycle.months {
            0 => "weekly",
            1 => "monthly",
            3 => "quarterly",
            6 => "half-yearly",
            _ => "yearly",
        };
        let specification =
            json!({ "name": "c", "frequency": frequency, "billingDateShift": cycle.shift });
        let specification =
            self.made(&format!("{ACCOUNTS}/billingCycleSpecification"), &specification).await;
        let account = json!({
            "name": format!("a{number}"), "relatedParty": [{ "id": "c", "role": "owner" }],
            "billStructure": { "cycleSpecification": { "id": specification["id"], "name": "c" } },
        });
        let id = text(&self.made(&format!("{ACCOUNTS}/billingAccount"), &account).await["id"]);
        self.tell(&format!("account {id}, {frequency}, shift {}", cycle.shift));
        self.accounts.push(Account { id, cycle });
    }

    async fn sell(&mut self) {
        if one_in(&mut self.dice, 3) && self.ordered().await.is_some() {
            return;
        }
        let others: Vec<String> = self.accounts.iter().map(|one| one.id.clone()).collect();
        let currency = pick(&mut self.dice, &["EUR", "EUR", "JPY", "KWD"]);
        let late = if one_in(&mut self.dice, 3) { between(&mut self.dice, 1, 60) } else { 0 };
        let mut product = Product {
            id: String::new(),
            account: pick(&mut self.dice, &others),
            start: self.now - late * 24 * HOUR_MS,
            end: None,
            versions: vec![Version {
                since: self.now,
                is_active: true,
                prices: draw::prices(&mut self.dice, currency, &others),
            }],
        };
        product.id = text(&self.made(PRODUCT, &product.json()).await["id"]);
        self.tell(&format!("product {} {}", product.id, product.json()));
        self.products.push(product);
    }

    async fn patch(&mut self, index: usize, changes: Value) {
        let path = format!("{PRODUCT}/{}", self.products[index].id);
        self.tell(&format!("{} {changes}", self.products[index].id));
        let headers = [("content-type", "application/merge-patch+json")];
        let answer =
            self.world.http.send("PATCH", &path, &headers, changes.to_string()).await.unwrap();
        assert_eq!(answer.status, 200, "{}\n{}", answer.text, self.story.join("\n"));
    }

    /// Another amount, or one more alteration, or one less.
    async fn change_price(&mut self, index: usize) {
        let mut version = self.products[index].now().clone();
        version.since = self.now;
        let place = usize::try_from(self.dice.up_to(version.prices.len() as u64)).unwrap() - 1;
        let price = &mut version.prices[place];
        let currency = price.currency;
        match (self.dice.up_to(4), &price.kind) {
            (1, Kind::Recurring(_)) if price.alterations.len() < 3 => {
                let name = format!("later{}", self.story.len());
                let one = draw::alteration(&mut self.dice, &name, currency);
                price.alterations.push(one);
            }
            (2, Kind::Recurring(_)) if !price.alterations.is_empty() => {
                price.alterations.remove(0);
            }
            _ => price.amount = draw::amount(&mut self.dice, currency),
        }
        let changes = json!({ "productPrice": prices(&version.prices) });
        self.patch(index, changes).await;
        self.products[index].versions.push(version);
    }

    async fn pause(&mut self, index: usize) {
        let mut version = self.products[index].now().clone();
        (version.since, version.is_active) = (self.now, !version.is_active);
        let status = if version.is_active { "active" } else { "suspended" };
        if ordered::is_ordered(&self.products[index]) && one_in(&mut self.dice, 2) {
            self.paused_by_order(index, status).await;
        } else {
            self.patch(index, json!({ "status": status })).await;
        }
        self.products[index].versions.push(version);
    }

    /// It ends now, or has ended some days ago.
    async fn end(&mut self, index: usize) {
        let product = &self.products[index];
        let back = if one_in(&mut self.dice, 2) { between(&mut self.dice, 1, 40) } else { 0 };
        let end = (self.now - back * 24 * HOUR_MS).max(product.start);
        let mut version = product.now().clone();
        (version.since, version.is_active) = (self.now, false);
        self.patch(index, json!({ "status": "terminated", "terminationDate": time(end) })).await;
        self.products[index].end = Some(end);
        self.products[index].versions.push(version);
    }

    /// Usage of the last weeks, in any order.
    async fn use_it(&mut self, index: usize) {
        for _ in 0..self.dice.up_to(4) {
            // Half an hour off whatever is told at full hours.
            let back = between(&mut self.dice, 0, 40 * 24) * HOUR_MS + HOUR_MS / 2;
            let quantity = i128::from(between(&mut self.dice, 0, 4_000));
            let mut usage = Usage {
                id: String::new(),
                product: self.products[index].id.clone(),
                at: self.now - back,
                quantity: Exact::new(quantity, 2),
                is_billed: false,
            };
            if self.usages.iter().any(|one| one.at == usage.at && one.product == usage.product) {
                continue;
            }
            let answer = self.made(USAGE, &usage.json()).await;
            usage.id = text(&answer["id"]);
            let why = answer["rejection"]["code"].as_str().unwrap_or_default();
            self.tell(&format!(
                "usage of {} {} {} {} {why}",
                usage.product,
                time(usage.at),
                usage.quantity.json(),
                answer["status"]
            ));
            let product = &self.products[index];
            let is_right = product.is_charged_at(usage.at)
                && super::rules::usage_price(product, usage.at).is_some();
            assert_eq!(
                answer["status"] == "rated",
                is_right,
                "{answer}\n{}",
                self.story.join("\n")
            );
            self.usages.push(usage);
        }
    }

    /// A run of today.
    async fn run(&mut self, account: Option<String>) -> Findings {
        let today = self.zone.day_of(self.now);
        self.today = today;
        let mut asked = json!({ "date": written(today), "send": true });
        if let Some(account) = &account {
            asked["billingAccount"] = json!(account);
        }
        if one_in(&mut self.dice, 4)
            && let Some(found) = self.undone(asked.clone()).await
        {
            return Findings(vec![found]);
        }
        let answer = self.made(&format!("{BILLING}/runs"), &asked).await;
        self.tell(&format!("run of {}: {}", account.as_deref().unwrap_or("all"), answer["bill"]));
        if answer["failedCount"] != 0 {
            return Findings(vec![format!("failed: {}", answer["failed"])]);
        }
        let charged: Vec<String> = match account {
            Some(account) => vec![account],
            None => self.accounts.iter().map(|one| one.id.clone()).collect(),
        };
        for account in &charged {
            let until = self.cycle_of(account).last(today);
            self.strict.insert(account.clone(), until);
            let known = self.until.entry(account.clone()).or_insert(until);
            *known = until.max(*known);
        }
        let bills = answer["bill"].as_array().unwrap().iter().map(|bill| text(&bill["id"]));
        let bills: Vec<String> = bills.collect();
        let findings = self.look(&charged, &bills).await;
        self.pay(&bills).await;
        findings
    }

    async fn demand(&mut self, account: String) -> Findings {
        let asked = json!({ "billingAccount": { "id": account } });
        let answer = self.made(&format!("{BILLS}/customerBillOnDemand"), &asked).await;
        self.tell(&format!("bill on demand of {account}: {}", answer["state"]));
        self.today = self.zone.day_of(self.now);
        let until = self.today + 1;
        self.strict.insert(account.clone(), until);
        let known = self.until.entry(account.clone()).or_insert(until);
        *known = until.max(*known);
        self.look(&[account], &[]).await
    }

    /// Holds the lines that there are now against the rules, and bills against their lines.
    async fn look(&mut self, charged: &[String], bills: &[String]) -> Findings {
        let rates = self.world.http.list(&format!("{BILLS}/appliedCustomerBillingRate")).await;
        let lines: Vec<Line> = rates.iter().map(Line::read).collect();
        let new = lines.iter().map(|line| line.id.clone()).filter(|id| !self.known.contains(id));
        let new: BTreeSet<String> = new.collect();
        for line in lines.iter().filter(|line| new.contains(&line.id)) {
            let (from, until) = (written(line.days.0), written(line.days.1));
            let Line { id, kind, price, account, net, .. } = line;
            self.story
                .push(format!("    {id} {kind} {price} {account} {from}..{until} {}", net.json()));
        }
        let mut findings = check(self, &lines, &new, charged);
        self.known.extend(new);
        for id in bills {
            let bill = self.world.http.get(&format!("{BILLS}/customerBill/{id}")).await;
            let own = lines.iter().filter(|line| line.bill.as_deref() == Some(id));
            let sum: Exact = own.map(Line::gross).sum();
            if Exact::read(&bill["amountDue"]["value"]) != sum {
                findings.0.push(format!("bill {id}: {}, not {}", bill["amountDue"], sum.json()));
            }
        }
        findings.0.extend(self.books(&lines).await);
        findings
    }

    /// The balance of an account in the books is its charges less its payments.
    async fn books(&self, lines: &[Line]) -> Vec<String> {
        let ledger = self.world.http.get(&format!("{BILLING}/ledger")).await;
        let mut wrong = Vec::new();
        for sum in ledger["difference"].as_array().unwrap() {
            if !Exact::read(&sum["value"]).is_zero() {
                wrong.push(format!("the books differ by {sum}"));
            }
        }
        let mut owed: BTreeMap<(String, String), Exact> = BTreeMap::new();
        for line in lines {
            let sum =
                owed.entry((line.account.clone(), line.currency.clone())).or_insert(Exact::ZERO);
            *sum = *sum + line.gross();
        }
        for (account, paid) in &self.paid {
            let (account, currency) = account.split_once(' ').unwrap();
            let sum = owed.entry((account.into(), currency.into())).or_insert(Exact::ZERO);
            *sum = *sum - *paid;
        }
        for entry in ledger["account"].as_array().unwrap() {
            let account = text(&entry["account"]);
            let Some(account) = account.strip_prefix("receivable:") else { continue };
            let key = (account.to_owned(), text(&entry["balance"]["unit"]));
            let right = owed.remove(&key).unwrap_or(Exact::ZERO);
            let said = Exact::read(&entry["balance"]["value"]);
            if said != right {
                wrong.push(format!("{key:?} owes {}, not {}", said.json(), right.json()));
            }
        }
        let rest = owed.into_iter().filter(|(_, sum)| !sum.is_zero());
        wrong.extend(rest.map(|(key, sum)| format!("{key:?} owes nothing, not {}", sum.json())));
        wrong
    }

    /// Some bills are paid, all or a part.
    async fn pay(&mut self, bills: &[String]) {
        for id in bills {
            let bill = self.world.http.get(&format!("{BILLS}/customerBill/{id}")).await;
            let left = Exact::read(&bill["remainingAmount"]["value"]);
            let currency = text(&bill["remainingAmount"]["unit"]);
            if left <= Exact::ZERO || one_in(&mut self.dice, 2) {
                continue;
            }
            let part = left.over(i128::from(between(&mut self.dice, 1, 2)));
            let amount = part.rounded(super::exact::decimals(&currency));
            let amount = if amount.is_zero() { left } else { amount };
            let payment = json!({
                "id": format!("pay-{}", self.story.len()), "bill": { "id": id },
                "amount": { "unit": currency, "value": amount.json() },
            });
            self.made(&format!("{BILLING}/payments"), &payment).await;
            self.tell(&format!("payment {payment}"));
            let key = format!("{} {currency}", text(&bill["billingAccount"]["id"]));
            let sum = self.paid.entry(key).or_insert(Exact::ZERO);
            *sum = *sum + amount;
        }
    }

    /// A run again bills nothing, and assurance finds nothing.
    async fn at_the_end(&mut self) -> Findings {
        let mut findings = self.run(None).await;
        let today = written(self.zone.day_of(self.now));
        let again = self.made(&format!("{BILLING}/runs"), &json!({ "date": today })).await;
        if again["billCount"] != 0 {
            findings.0.push(format!("run again: {}", again["bill"]));
        }
        findings.0.extend(self.planted().await);
        let found = self.world.http.get(&format!("{BILLING}/assurance?until={today}")).await;
        for finding in found["finding"].as_array().unwrap() {
            if self.is_due(finding) {
                findings.0.push(format!("assurance: {finding}"));
            }
        }
        findings
    }

    /// Faults that are planted into what the server said must be noticed.
    async fn planted(&mut self) -> Vec<String> {
        let rates = self.world.http.list(&format!("{BILLS}/appliedCustomerBillingRate")).await;
        let lines: Vec<Line> = rates.iter().map(Line::read).collect();
        let accounts: Vec<String> = self.accounts.iter().map(|one| one.id.clone()).collect();
        let is_whole = |line: &Line| {
            let strict = self.strict.get(&line.account).copied().unwrap_or(0);
            line.kind == "recurringCharge" && line.days.0 < line.days.1.min(strict)
        };
        let places: Vec<usize> = (0..lines.len()).filter(|at| is_whole(&lines[*at])).collect();
        let Some(place) = places.first().map(|_| pick(&mut self.dice, &places)) else {
            return Vec::new();
        };
        let much = Exact::new(100, 10_i128.pow(super::exact::decimals(&lines[place].currency)));
        let plant = |change: &dyn Fn(&mut Vec<Line>)| {
            let mut lines = lines.clone();
            change(&mut lines);
            lines
        };
        let table = [
            ("a charge that is missing", plant(&|lines| drop(lines.remove(place)))),
            ("a charge made twice", plant(&|lines| lines.push(lines[place].clone()))),
            ("a day too few", plant(&|lines| lines[place].days.0 += 1)),
            ("another amount", plant(&|lines| lines[place].net = lines[place].net + much)),
            (
                "another tax",
                plant(&|lines| lines[place].taxes[0].2 = lines[place].taxes[0].2 + much),
            ),
            (
                "on no bill",
                plant(&|lines| {
                    lines.iter_mut().for_each(|line| line.bill = None);
                }),
            ),
        ];
        let mut unseen = Vec::new();
        for (what, lines) in table {
            if check(self, &lines, &BTreeSet::new(), &accounts).0.is_empty() {
                unseen.push(format!("the check does not notice {what} of {}", lines.len()));
            }
        }
        unseen
    }

    /// Whether a finding is about days that its payer was charged up to.
    fn is_due(&self, finding: &Value) -> bool {
        let (Some(from), Some(price)) = (finding["from"].as_str(), finding["price"].as_str())
        else {
            return true;
        };
        let mut products = self.products.iter();
        let product = products.find(|one| finding["product"]["id"] == one.id);
        let Some(product) = product else { return true };
        let all = product.versions.iter().flat_map(|version| &version.prices);
        let payer = all.into_iter().find(|one| price.starts_with(&one.name));
        let payer = payer.and_then(|one| one.payer.as_ref()).unwrap_or(&product.account);
        self.until.get(payer).is_some_and(|until| super::calendar::read(from) < *until)
    }
}
