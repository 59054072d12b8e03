//! The checks: each examines one requirement and reports every problem.

use serde_json::Value;

use crate::item::Item;
use crate::product::Product;
use crate::rules::{RequiredWhen, Rules};

/// The problems of an order, in the order of its items.
pub(crate) fn problems(order: &Value, items: &[Item<'_>], rules: &Rules) -> Vec<String> {
    let mut problems = Vec::new();
    if items.is_empty() {
        problems.push("the order has no `productOrderItem`".into());
    }
    // The customer of existing products is known.
    let adds = items.iter().any(|item| item.action() == "add");
    if rules.require_customer && adds && !has_customer(order) {
        problems.push("the order has no `relatedParty` in the role `customer`".into());
    }
    let account_missing = rules.require_billing_account && !order["billingAccount"].is_object();
    for (index, item) in items.iter().enumerate() {
        let mut problem = |text: String| problems.push(format!("item `{}`: {text}", item.id()));
        if items[..index].iter().any(|other| other.id() == item.id()) {
            problem("`id` is used twice".into());
        }
        quantity(*item, rules.max_quantity).into_iter().for_each(&mut problem);
        if item.action() == "add" {
            place(items, *item, &rules.require_place).into_iter().for_each(&mut problem);
            if account_missing && !any_around(items, *item, Item::has_billing_account) {
                problem("`billingAccount` is missing".into());
            }
        }
    }
    problems
}

/// The characteristics that new or changed products lack, given all that is known.
pub(crate) fn products(products: &[Product], rules: &Rules) -> Vec<String> {
    let to_be = products.iter().filter(|one| matches!(one.action.as_str(), "add" | "modify"));
    let missing = to_be.flat_map(|product| {
        let rules = rules.required_when.iter().filter(|rule| product.is(&rule.spec));
        rules.flat_map(|rule| required(&product.id, rule, |name| product.characteristic(name)))
    });
    missing.collect()
}

/// The same for the characteristics that the order itself gives.
pub(crate) fn ordered(items: &[Item<'_>], rules: &Rules) -> Vec<String> {
    let to_be = items.iter().filter(|item| matches!(item.action(), "add" | "modify"));
    let missing = to_be.flat_map(|item| {
        let rules = rules.required_when.iter().filter(|rule| item.is(&rule.spec));
        rules.flat_map(|rule| required(item.id(), rule, |name| item.characteristic(name)))
    });
    missing.collect()
}

fn has_customer(order: &Value) -> bool {
    let parties = order["relatedParty"].as_array().map(Vec::as_slice).unwrap_or_default();
    parties.iter().any(|party| {
        party["role"].as_str().is_some_and(|role| role.eq_ignore_ascii_case("customer"))
    })
}

fn quantity(item: Item<'_>, most: Option<u64>) -> Option<String> {
    match (item.quantity(), most) {
        (None | Some(0), _) => Some("`quantity` is not a whole number from 1".into()),
        (Some(quantity), Some(most)) if quantity > most => {
            Some(format!("`quantity` is {quantity}, at most {most} can be ordered"))
        }
        (Some(_), _) => None,
    }
}

fn place(items: &[Item<'_>], item: Item<'_>, specs: &[String]) -> Option<String> {
    let spec = specs.iter().find(|spec| item.is(spec))?;
    let has_place = any_around(items, item, Item::has_place);
    (!has_place).then(|| format!("`product.place` is missing, `{spec}` needs one"))
}

/// Whether a condition holds for an item or for a bundle that it is in.
fn any_around<'a>(items: &[Item<'a>], item: Item<'a>, is: impl Fn(Item<'a>) -> bool) -> bool {
    let around = |item: &Item<'a>| item.bundle.map(|bundle| items[bundle]);
    std::iter::successors(Some(item), around).any(is)
}

fn required<'a>(
    id: &str,
    rule: &RequiredWhen,
    characteristic: impl Fn(&str) -> Option<&'a Value>,
) -> Vec<String> {
    if characteristic(&rule.characteristic) != Some(&rule.equals) {
        return Vec::new();
    }
    let missing = rule.requires.iter().filter(|name| characteristic(name).is_none());
    let missing = missing.map(|name| {
        let (spec, condition, equals) = (&rule.spec, &rule.characteristic, &rule.equals);
        format!(
            "item `{id}`: characteristic `{name}` of `{spec}` is missing where `{condition}` is \
             {equals}"
        )
    });
    missing.collect()
}
