//! How the sentences of examples are said to the server.

use serde_json::{Value, json};

/// The cycle of `monthly on day 15`.
pub(crate) fn cycle(words: &str) -> Value {
    let (frequency, day) = words.split_once(" on day ").unwrap_or((words, "1"));
    let day: u32 = day.parse().unwrap_or_else(|_| panic!("`{words}` is no cycle"));
    json!({ "name": words, "frequency": frequency, "billingDateShift": day - 1 })
}

/// Prices, with a semicolon between two of them.
pub(crate) fn prices(words: &str, account: impl Fn(&str) -> String) -> Vec<Value> {
    words.split(';').map(|price| one_price(price.trim(), &account)).collect()
}

/// A price such as `Access 30.00 EUR each month, tax 19, less 50 % for 3 months`.
fn one_price(words: &str, account: &impl Fn(&str) -> String) -> Value {
    let mut parts = words.split(',').map(str::trim);
    let mut base = parts.next().unwrap_or_default().split(' ');
    let mut word = || base.next().unwrap_or_else(|| panic!("`{words}` is no price"));
    let (name, amount, currency, how) = (word(), word(), word(), word());
    let rest: Vec<&str> = base.collect();
    let mut price = json!({ "name": name, "price": {} });
    match how {
        "once" => price["priceType"] = json!("oneTime"),
        "each" => {
            price["priceType"] = json!("recurring");
            let (length, unit) = match rest.as_slice() {
                [unit] => (1, *unit),
                [length, units] => (length.parse().unwrap(), units.trim_end_matches('s')),
                other => panic!("`{other:?}` is no period"),
            };
            price["recurringChargePeriod"] = json!(unit);
            price["recurringChargePeriodLength"] = json!(length);
        }
        "used" => {
            price["priceType"] = json!("usage");
            price["tariff"] = json!({ "usageSpecification": "CALLS", "quantity": "n" });
        }
        other => panic!("a price is `once`, `each` or `used`, not `{other}`"),
    }
    let mut told = "dutyFreeAmount";
    let (mut taxes, mut alterations) = (Vec::new(), Vec::new());
    for part in parts {
        let words: Vec<&str> = part.split(' ').collect();
        match words.as_slice() {
            ["with", "tax"] => told = "taxIncludedAmount",
            ["tax", rate] => taxes.push(json!({ "taxCategory": "VAT", "taxRate": number(rate) })),
            ["tax", category, rate] => {
                taxes.push(json!({ "taxCategory": category, "taxRate": number(rate) }));
            }
            ["paid", "by", payer] => price["billingAccount"] = json!({ "id": account(payer) }),
            ["first", count, "free"] => price["tariff"]["allowance"] = number(count),
            ["less" | "plus", ..] => {
                alterations.push(alteration(&words, alterations.len(), currency));
            }
            _ => panic!("`{part}` is no part of a price"),
        }
    }
    price["price"][told] = json!({ "unit": currency, "value": number(amount) });
    if !taxes.is_empty() {
        price["tax"] = json!(taxes);
    }
    if !alterations.is_empty() {
        price["productPriceAlteration"] = json!(alterations);
    }
    price
}

/// `less 5.00`, `plus 10 %`, each perhaps `for 3 months`.
fn alteration(words: &[&str], priority: usize, currency: &str) -> Value {
    let is_less = words[0] == "less";
    let kind = if is_less { "discount" } else { "surcharge" };
    let mut one = json!({ "name": words[..2].join(" "), "priceType": kind, "priority": priority });
    let is_percent = words.get(2) == Some(&"%");
    let value = number(words[1]);
    one["price"] = match is_percent {
        true => json!({ "percentage": value }),
        false => json!({ "dutyFreeAmount": { "unit": currency, "value": value } }),
    };
    if let ["for", count, unit] = &words[if is_percent { 3 } else { 2 }..] {
        one["applicationDuration"] = number(count);
        one["recurringChargePeriod"] = json!(unit.trim_end_matches('s'));
    }
    one
}

pub(crate) fn number(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| panic!("`{text}` is no number"))
}
