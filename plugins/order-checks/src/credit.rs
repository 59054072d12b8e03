//! Checks the customer's credit: the credit profile, and overdue bills.

use std::collections::BTreeMap;
use std::str::FromStr;

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::facts::Facts;
use crate::{Act, Finding};

/// The requirements on a customer's credit. Rules that are left out are not checked.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Rules {
    /// the lowest score
    pub(crate) min_score: Option<i64>,
    /// the highest rating
    pub(crate) max_rating: Option<i64>,
    /// the largest amount overdue
    pub(crate) max_overdue: Option<String>,
    /// what a failed check does: `refuse`, `operator` or `note`
    pub(crate) otherwise: Act,
    /// the same if nothing is known
    pub(crate) unknown: Option<Act>,
}

impl Rules {
    /// Whether bills must be read.
    pub(crate) fn asks_for_bills(&self) -> bool {
        self.max_overdue.is_some()
    }
}

/// Looks at the customer's profile and bills.
pub(crate) fn check(rules: &Rules, facts: &Facts, today: &str) -> Vec<Finding> {
    let customer = facts.customer.as_deref().unwrap_or("?");
    let finding = |code, act, text: String| Finding {
        code,
        act,
        message: format!("`relatedParty` `{customer}`: {text}"),
    };
    let mut found = Vec::new();
    let asks = rules.min_score.is_some() || rules.max_rating.is_some();
    match profile(facts, today) {
        Some(profile) => {
            let wrong = wrong(rules, profile).into_iter();
            found.extend(wrong.map(|text| finding("CREDIT_LOW", rules.otherwise, text)));
        }
        None => {
            let text = || "has no credit profile that is valid today".to_string();
            let act = rules.unknown.filter(|_| asks);
            found.extend(act.map(|act| finding("CREDIT_UNKNOWN", act, text())));
        }
    }
    let most = rules.max_overdue.as_deref().and_then(|most| Decimal::from_str(most).ok());
    for (currency, amount) in overdue(&facts.bills, today) {
        if most.is_some_and(|most| amount > most) {
            let text = format!(
                "owes {amount} {currency} on bills past `paymentDueDate`, at most {} is let pass",
                rules.max_overdue.as_deref().unwrap_or_default()
            );
            found.push(finding("CREDIT_OVERDUE", rules.otherwise, text));
        }
    }
    found
}

fn wrong(rules: &Rules, profile: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    if let (Some(least), Some(score)) = (rules.min_score, profile["creditScore"].as_i64())
        && score < least
    {
        wrong.push(format!("`creditProfile.creditScore` is {score}, at least {least} is needed"));
    }
    if let (Some(most), Some(rating)) = (rules.max_rating, profile["creditRiskRating"].as_i64())
        && rating > most
    {
        wrong
            .push(format!("`creditProfile.creditRiskRating` is {rating}, at most {most} is taken"));
    }
    wrong
}

/// The latest profile of those that are valid.
fn profile<'a>(facts: &'a Facts, today: &str) -> Option<&'a Value> {
    let profiles = facts.profile.as_ref()?["creditProfile"].as_array()?;
    let is_valid = |profile: &&Value| {
        let validity = &profile["validFor"];
        let (from, to) = (day(&validity["startDateTime"]), day(&validity["endDateTime"]));
        from.is_none_or(|from| from <= today) && to.is_none_or(|to| today <= to)
    };
    let valid = profiles.iter().filter(is_valid);
    valid.max_by_key(|profile| profile["creditProfileDate"].as_str().unwrap_or_default())
}

/// What is left of bills that should have been paid, by currency.
fn overdue(bills: &[Value], today: &str) -> BTreeMap<String, Decimal> {
    let mut sums: BTreeMap<String, Decimal> = BTreeMap::new();
    for bill in bills.iter().filter(|bill| day(&bill["paymentDueDate"]).is_some_and(|d| d < today))
    {
        let left = &bill["remainingAmount"];
        let value = left["value"].as_str().map_or_else(|| left["value"].to_string(), Into::into);
        let amount = Decimal::from_str(&value).ok();
        let currency = left["unit"].as_str().unwrap_or_default();
        *sums.entry(currency.to_string()).or_default() += amount.unwrap_or_default();
    }
    sums
}

/// The day of a date or a time.
fn day(date: &Value) -> Option<&str> {
    date.as_str()?.get(..10)
}
